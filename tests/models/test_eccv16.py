import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.models.eccv16 import Eccv16

forward = nnx.jit(lambda model, *inputs: model(*inputs))  # compiles sooner than the operations one by one


def make(variant="test", *, channels=2, remat=False, dtype="float32"):
    return Eccv16(variant, channels=channels, hint_channels=0, dtype=dtype, remat=remat, rngs=nnx.Rngs(0))


def random_luma(*size):
    return jax.random.uniform(jax.random.key(1), (2, *size, 1), minval=-1)


@pytest.mark.parametrize("size", [(1, 1), (24, 33)])
def test_any_size_in_same_size_out(size):
    chroma, bins, *_ = forward(make(), random_luma(*size))
    assert chroma.shape == (2, *size, 2)
    assert bins.shape == (2, -(-size[0] // 8), -(-size[1] // 8), 313)
    assert bool(jnp.isfinite(chroma).all() & jnp.isfinite(bins).all())


def test_the_chroma_is_the_annealed_mean():
    """Where the logits are those of one bin, its colour; of two alike, their mean; and sharpened between."""
    model = make()
    model.bins.kernel[...] = jnp.zeros_like(model.bins.kernel[...])
    for logits, expected in (
        ({40: 30.0}, BIN_CENTRES[40]),
        ({40: 30.0, 200: 30.0}, (BIN_CENTRES[40] + BIN_CENTRES[200]) / 2),
        ({40: 30.0, 200: 29.0}, np.average(BIN_CENTRES[[40, 200]], 0, [1, np.exp(-1 / 0.38)])),
    ):
        model.bins.bias[...] = (
            jnp.zeros(313).at[jnp.array(list(logits))].set(jnp.array(list(logits.values())))
        )
        chroma, bins, *_ = forward(model, random_luma(16, 16))
        np.testing.assert_allclose(chroma * 110, np.broadcast_to(expected, chroma.shape), atol=1e-2)
        share = jax.nn.softmax(bins)[0, 0, 0, 40]
        np.testing.assert_allclose(share, jax.nn.softmax(model.bins.bias[...])[40], rtol=1e-4)


def test_training_keeps_statistics_and_inference_does_not():
    model, luma = make(), random_luma(16, 16)
    before = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
    forward(model, luma)
    assert all(map(np.array_equal, *map(jax.tree.leaves, (before, nnx.state(model, nnx.BatchStat)))))
    forward(model, luma, None, jax.random.key(0))
    after = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
    moved = [not np.array_equal(*pair) for pair in zip(*map(jax.tree.leaves, (before, after)), strict=True)]
    assert sum(moved) == len(moved) - 1  # all but the colours of the bins
    np.testing.assert_array_equal(after["colors"], BIN_CENTRES)


def test_bfloat16_computes_low_and_keeps_float32_outside():
    luma = random_luma(16, 16)
    chroma, bins, *_ = forward(make(dtype="bfloat16"), luma)
    assert chroma.dtype == bins.dtype == jnp.float32
    assert 0 < jnp.abs(chroma - forward(make(), luma).chroma).max() < 0.1


def test_mistakes_are_one_line():
    with pytest.raises(ValueError, match=r"config\.model\.variant='XL' is not one of paper, test"):
        make("XL")
    with pytest.raises(ValueError, match=r"set config\.color\.space to 'lab'"):
        make(channels=3)
