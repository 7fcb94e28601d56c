"""One transformer block against numpy, written out from the definitions: what no symmetry can hide is told apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.blocks import ViTBlock, places, rotary_angles

HEIGHT, WIDTH, HEADS, HEAD_DIM = 3, 5, 2, 8
CHANNELS = HEADS * HEAD_DIM


@pytest.fixture(scope="module")
def block() -> ViTBlock:
    """A block away from what it starts with: all biases and outputs count."""
    block = ViTBlock(CHANNELS, HEADS, rngs=nnx.Rngs(0))
    rng = np.random.default_rng(0)
    for layer in (block.query, block.key, block.value, block.attention_out, block.mlp_in, block.mlp_out):
        layer.kernel[...] = rng.normal(0, 0.4, layer.kernel.shape).astype(np.float32)
        layer.bias[...] = rng.normal(0, 0.2, layer.bias.shape).astype(np.float32)
    return block


@pytest.fixture(scope="module")
def tokens() -> jax.Array:
    return jnp.asarray(np.random.default_rng(1).normal(0, 1, (2, HEIGHT * WIDTH, CHANNELS)), jnp.float32)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)


def turned(x: np.ndarray, row: int, column: int) -> np.ndarray:
    """A head's query or key at its place: complex numbers whose angle grows, a quarter of the head for each axis."""
    quarter = HEAD_DIM // 4
    speeds = 100.0 ** (-np.arange(quarter) / quarter)
    angles = np.concatenate([row * speeds, column * speeds])
    pairs = (x[: 2 * quarter] + 1j * x[2 * quarter :]) * np.exp(1j * angles)
    return np.concatenate([pairs.real, pairs.imag])


def reference(block: ViTBlock, tokens: jax.Array) -> np.ndarray:
    """In double precision, token by token and head by head."""

    def linear(layer, x):
        return x @ np.asarray(layer.kernel[...], np.float64) + np.asarray(layer.bias[...], np.float64)

    out = np.empty(tokens.shape)
    for b, x in enumerate(np.asarray(tokens, np.float64)):
        h = unit(x)
        q, k, v = (linear(layer, h) for layer in (block.query, block.key, block.value))
        attended = np.empty_like(x)
        for head in range(HEADS):
            part = slice(head * HEAD_DIM, (head + 1) * HEAD_DIM)
            queries, keys = (
                [turned(unit(x[i, part]), i // WIDTH, i % WIDTH) for i in range(len(x))] for x in (q, k)
            )
            scores = np.array(queries) @ np.array(keys).T / np.sqrt(HEAD_DIM)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            attended[:, part] = weights @ v[:, part] / weights.sum(-1, keepdims=True)
        hidden = np.maximum(linear(block.mlp_in, h), 0) ** 2
        out[b] = x + linear(block.attention_out, attended) + linear(block.mlp_out, hidden)
    return out


def test_it_is_that_of_the_definitions(block, tokens):
    found = block(tokens, rotary_angles(HEIGHT, WIDTH, HEAD_DIM))
    wanted = reference(block, tokens)
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-4 * np.abs(wanted).max())


def test_rows_are_not_columns(block, tokens):
    """Of all that the output is made of, the places are the least: swapped, they still move it far past rounding."""
    angles = rotary_angles(HEIGHT, WIDTH, HEAD_DIM)
    swapped = np.concatenate(np.split(angles, 2, -1)[::-1], -1)
    moved = np.abs(np.asarray(block(tokens, angles)) - np.asarray(block(tokens, swapped))).max()
    assert moved > 0.05
    rows, columns = places(HEIGHT, WIDTH)
    assert rows.tolist() == [i // WIDTH for i in range(HEIGHT * WIDTH)]
    assert columns.tolist() == [i % WIDTH for i in range(HEIGHT * WIDTH)]


def test_the_angles_are_golden():
    """Rows turn the first half, columns the second; the slowest of two frequencies is a tenth of the first."""
    found = rotary_angles(2, 3, 8)
    wanted = [[row, 0.1 * row, column, 0.1 * column] for row in range(2) for column in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_output_is_golden(block, tokens):
    """For those who change both the block and what it is held against."""
    found = block(tokens, rotary_angles(HEIGHT, WIDTH, HEAD_DIM))[1, -1, :4]
    np.testing.assert_allclose(found, (-5.68253, -6.77680, -1.98799, 5.36556), rtol=1e-3)


def test_it_starts_as_it_is_said_to():
    """Variance 1 over the inputs, a tenth of it where a branch ends, biases 0, an MLP of four times the width."""
    block = ViTBlock(64, 4, rngs=nnx.Rngs(3))
    assert block.mlp_in.kernel.shape == (64, 256)
    for name, share in (
        ("query", 1),
        ("key", 1),
        ("value", 1),
        ("mlp_in", 1),
        ("attention_out", 0.1),
        ("mlp_out", 0.1),
    ):
        layer = getattr(block, name)
        inputs = layer.kernel.shape[0]
        assert float(layer.kernel[...].std()) == pytest.approx((share / inputs) ** 0.5, rel=0.05), name
        assert not np.any(layer.bias[...])
    kernels = [np.asarray(getattr(block, name).kernel[...]) for name in ("query", "key", "value")]
    assert all((kernels[i] != kernels[j]).any() for i, j in ((0, 1), (0, 2), (1, 2)))


def test_in_bfloat16_every_product_is():
    block = ViTBlock(CHANNELS, HEADS, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
    angles = rotary_angles(HEIGHT, WIDTH, HEAD_DIM)
    x = jax.ShapeDtypeStruct((2, HEIGHT * WIDTH, CHANNELS), jnp.bfloat16)
    jaxpr = jax.make_jaxpr(lambda x: block(x, angles))(x).jaxpr
    products = [eqn.outvars[0].aval.dtype for eqn in jaxpr.eqns if eqn.primitive.name == "dot_general"]
    assert len(products) >= 6
    assert set(products) == {jnp.dtype("bfloat16")}
    assert jaxpr.outvars[0].aval.dtype == jnp.bfloat16
