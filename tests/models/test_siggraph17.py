import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.siggraph17 import Siggraph17

forward = nnx.jit(lambda model, *inputs: model(*inputs))  # compiles sooner than the operations one by one


def make(variant="test", *, channels=2, hint_channels=3, remat=False):
    options = {"channels": channels, "hint_channels": hint_channels, "dtype": "float32", "remat": remat}
    return Siggraph17(variant, **options, rngs=nnx.Rngs(0))


def random_luma(*size):
    return jax.random.uniform(jax.random.key(1), (2, *size, 1), minval=-1)


@pytest.mark.parametrize(("size", "channels"), [((1, 1), 2), ((24, 33), 2), ((17, 8), 3)])
def test_any_size_in_same_size_out(size, channels):
    model = make(channels=channels, hint_channels=channels + 1)
    chroma, bins, *_ = forward(model, random_luma(*size), jnp.zeros((2, *size, channels + 1)))
    assert chroma.shape == (2, *size, channels)
    assert bool(jnp.isfinite(chroma).all() & (jnp.abs(chroma) <= 1).all())
    if channels == 2:
        assert bins.shape == (2, -(-size[0] // 8), -(-size[1] // 8), 313)
    else:
        assert bins is None


def test_hints_matter_and_none_are_zeros():
    model, luma = make(), random_luma(16, 24)
    hints = jnp.zeros((2, 16, 24, 3))
    without = forward(model, luma)
    for a, b in zip(without[:2], forward(model, luma, hints)[:2], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    given = forward(model, luma, hints.at[0, 3, 4].set(jnp.array([0.5, -0.5, 1.0])))
    assert jnp.abs(given.chroma - without.chroma)[0].max() > 1e-4
    np.testing.assert_allclose(given.chroma[1], without.chroma[1], atol=1e-5)


def test_it_may_take_no_hints():
    model, luma = make(hint_channels=0), random_luma(16, 16)
    assert model.stage1.convs["conv0"].kernel.shape[2] == 1
    ignored = forward(model, luma, jnp.ones((2, 16, 16, 3)))
    np.testing.assert_array_equal(forward(model, luma).chroma, ignored.chroma)


def test_unknown_variant():
    with pytest.raises(ValueError, match=r"config\.model\.variant='XL' is not one of paper, test"):
        make("XL")
