import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.hybrid_conv_vit import VARIANTS, GuidedUpsampling, HybridConvViT

OPTIONS = {"channels": 2, "hint_channels": 3, "dtype": "float32", "remat": False}
forward = nnx.jit(lambda model, *inputs: model(*inputs))  # compiles sooner than the operations one by one


both = pytest.mark.parametrize("variant", ["test", "Lite-test"])


@functools.cache
def make(variant: str = "test", **options) -> HybridConvViT:
    model = HybridConvViT(variant, **OPTIONS | options, rngs=nnx.Rngs(0))
    for path, value in nnx.to_flat_state(
        nnx.state(model, nnx.Param)
    ):  # away from the zeros that blocks start with
        if path[-1] == "kernel":
            value[...] = 0.2 * jax.random.normal(jax.random.key(len(str(path))), value.shape)
    return model


@pytest.mark.parametrize(
    ("variant", "millions"),
    [("Lite0", 4.4), ("Lite2", 5.8), ("Lite4", 35), ("Ti", 2.5), ("XS", 6), ("S", 8), ("B", 30), ("L", 110)],
)
def test_sizes(variant, millions):
    shapes = nnx.to_pure_dict(
        nnx.split(nnx.eval_shape(lambda: HybridConvViT(variant, **OPTIONS, rngs=nnx.Rngs(0))))[1]
    )
    count = sum(x.size for x in jax.tree.leaves(shapes)) / 1e6
    assert abs(count / millions - 1) < 0.15
    assert all(isinstance(key, str) for key in shapes["blocks"])
    assert VARIANTS[variant].num_heads * 64 == VARIANTS[variant].width


@both
@pytest.mark.parametrize("size", [(16, 16), (33, 50), (1, 1), (48, 17)])
def test_any_size_in_same_size_out(variant, size):
    model = make(variant)
    luma = jax.random.uniform(jax.random.key(1), (2, *size, 1), minval=-1)
    chroma, bins, *_ = forward(model, luma, jnp.zeros((2, *size, 3)))
    assert chroma.shape == (2, *size, 2)
    assert bins.shape == (2, -(-size[0] // 8), -(-size[1] // 8), 313)
    assert bool(jnp.isfinite(chroma).all() & jnp.isfinite(bins).all())


@pytest.mark.parametrize(("variant", "to"), [("test", 48), ("Lite-test", 64)])
def test_the_padding_stays_inside(variant, to):
    model = make(variant)
    luma = jax.random.uniform(jax.random.key(1), (1, 40, 40, 1), minval=-1)
    padded = jnp.pad(luma, ((0, 0), (0, to - 40), (0, to - 40), (0, 0)), mode="edge")
    chroma, *_ = forward(model, luma, jnp.zeros((1, 40, 40, 3)))
    by_hand, *_ = forward(model, padded, jnp.zeros((1, to, to, 3)))
    np.testing.assert_allclose(chroma, by_hand[:, :40, :40], atol=1e-5)


@both
def test_hints_reach_the_whole_picture(variant):
    model = make(variant)
    luma = jax.random.uniform(jax.random.key(1), (1, 64, 64, 1), minval=-1)
    hints = jnp.zeros((1, 64, 64, 3)).at[0, 4, 4].set(jnp.array([0.5, -0.5, 1.0]))
    given, none = (forward(model, luma, x).chroma for x in (hints, jnp.zeros_like(hints)))
    change = jnp.abs(given - none).max(-1)[0]
    assert change[4, 4] > 1e-4
    assert change[60, 60] > 1e-7  # through the attention


@both
def test_no_hints_are_hints_of_zeros(variant):
    model = make(variant)
    luma = jax.random.uniform(jax.random.key(1), (2, 40, 24, 1), minval=-1)
    for a, b in zip(forward(model, luma, None), forward(model, luma, jnp.zeros((2, 40, 24, 3))), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@both
def test_remat_changes_nothing_but_memory(variant):
    luma = jax.random.uniform(jax.random.key(1), (1, 32, 32, 1), minval=-1)
    results = []
    for remat in (False, True):
        graph, params = nnx.split(make(variant, remat=remat))

        def loss(params, graph=graph):
            return jnp.square(nnx.merge(graph, params)(luma, jnp.zeros((1, 32, 32, 3))).chroma).sum()

        results.append(jax.tree.leaves(jax.jit(jax.grad(loss))(params)))
    for plain, remade in zip(*results, strict=True):
        # A small number of a large gradient is a difference of large ones
        np.testing.assert_allclose(plain, remade, rtol=2e-3, atol=1e-5 + 1e-6 * np.abs(plain).max())


@both
def test_bfloat16_computes_low_and_keeps_float32_outside(variant):
    luma = jax.random.uniform(jax.random.key(1), (1, 32, 32, 1), minval=-1)
    hints = jnp.zeros((1, 32, 32, 3))
    low = make(variant, dtype="bfloat16")
    assert {x.dtype for x in jax.tree.leaves(nnx.state(low, nnx.Param))} == {jnp.dtype("float32")}
    chroma, bins, *_ = forward(low, luma, hints)
    assert chroma.dtype == bins.dtype == jnp.float32
    expected = forward(make(variant), luma, hints).chroma
    error = jnp.abs(chroma - expected).max() / jnp.abs(expected).max()
    assert 0 < error < 0.1


def test_guided_upsampling_follows_the_luma_edge():
    """With a gain and no offset, chroma jumps exactly where the luma jumps, not where the 1/4 grid does."""
    layer = GuidedUpsampling(1, 1, 4, dtype=jnp.float32, rngs=nnx.Rngs(0))
    layer.gain.kernel[...] = jnp.ones((1, 1))
    luma = jnp.where(jnp.arange(32) < 13, -0.5, 0.5)[None, None, :, None] * jnp.ones((1, 16, 1, 1))
    chroma = layer(jnp.ones((1, 4, 8, 1)), jnp.zeros((1, 4, 8, 1)), luma)[0, 8, :, 0]
    jumps = jnp.abs(jnp.diff(chroma))
    assert int(jumps.argmax()) == 12
    assert jumps[12] > 4 * jnp.sort(jumps)[-2]


def test_unknown_variant():
    with pytest.raises(ValueError, match="Ti, XS, S, B, L"):
        HybridConvViT("XL", **OPTIONS, rngs=nnx.Rngs(0))
