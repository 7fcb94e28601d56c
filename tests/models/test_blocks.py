import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from jax._src.cudnn import fused_attention_stablehlo

from hybridvit.models import blocks
from hybridvit.runtime.mesh import build_mesh, kernel_mesh


@given(size=st.sampled_from([2, 4]), h=st.integers(1, 3), w=st.integers(1, 3), c=st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_depth_to_space_undoes_space_to_depth(size, h, w, c):
    x = np.random.default_rng(0).normal(size=(2, h * size, w * size, c)).astype(np.float32)
    folded = blocks.space_to_depth(jnp.asarray(x), size)
    np.testing.assert_array_equal(folded[1, 0, 0], x[1, :size, :size].reshape(-1))
    np.testing.assert_array_equal(blocks.depth_to_space(folded, size), x)


def test_linear_is_a_1x1_convolution():
    x = jax.random.normal(jax.random.key(0), (2, 5, 6, 3))
    layer = blocks.Linear(3, 4, rngs=nnx.Rngs(0))
    layer.bias[...] = jnp.arange(4.0)
    conv = jax.lax.conv_general_dilated(
        x, layer.kernel[...][None, None], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(layer(x), conv + layer.bias[...], atol=1e-5)


def test_rms_norm_is_nnx_rms_norm():
    x = 3 * jax.random.normal(jax.random.key(0), (2, 7, 16))
    reference = nnx.RMSNorm(16, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(blocks.rms_norm(x), reference(x), atol=1e-5)


def test_attention_equals_the_plain_definition():
    q, k, v = jax.random.normal(jax.random.key(0), (3, 2, 4, 9, 8))
    q, k = blocks.rms_norm(100 * q), blocks.rms_norm(k)
    expected = jax.nn.dot_product_attention(*(x.swapaxes(1, 2) for x in (q, k, v))).swapaxes(1, 2)
    np.testing.assert_allclose(blocks.attention(q, k, v), expected, atol=1e-5)


@pytest.fixture
def on_a_gpu(monkeypatch):
    """As if this machine had one, of which cuDNN says what it can only once asked."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "device_count", lambda: 1)
    blocks._cudnn_compiles.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_without_cudnn_attention_is_the_same_and_says_so(on_a_gpu, caplog, dtype):
    q, k, v = jax.random.normal(jax.random.key(0), (3, 2, 4, 9, 8), dtype)
    found = blocks.attention(q, k, v)
    weights = jax.nn.softmax(jnp.einsum("bntd,bnsd->bnts", q, k).astype("float32") / math.sqrt(8))
    expected = jnp.einsum("bnts,bnsd->bntd", weights, v.astype("float32"))
    np.testing.assert_allclose(found.astype("float32"), expected, atol=1e-5 if dtype == "float32" else 0.02)
    assert ("attention without cuDNN" in caplog.text) == (dtype == "bfloat16")


@pytest.fixture
def lowered(on_a_gpu, monkeypatch):
    """`lowered(dtype)`: attention and its gradient, for a GPU whose cuDNN can all that it is asked for."""
    monkeypatch.setattr(blocks, "_cudnn_compiles", lambda *_: True)
    monkeypatch.setattr(fused_attention_stablehlo, "check_cudnn_version", lambda: 91000)

    def lower(dtype: str) -> str:
        x = jax.ShapeDtypeStruct((8, 4, 16, 64), dtype)
        step = jax.jit(jax.grad(lambda *x: blocks.attention(*x).sum(), (0, 1, 2)))
        return step.trace(x, x, x).lower(lowering_platforms=("cuda",)).as_text()

    return lower


def test_with_cudnn_a_step_of_attention_is_its_kernels(lowered):
    text = lowered("bfloat16")
    assert "__cudnn$fmhaSoftmax(" in text
    assert "__cudnn$fmhaSoftmaxBackward(" in text
    assert "cudnn" not in lowered("float32")


def test_cudnn_is_asked_once_for_what_it_might_take(on_a_gpu, monkeypatch):
    asked = []
    monkeypatch.setattr(blocks, "_cudnn_compiles", lambda *of: asked.append(of) or True)
    assert blocks.cudnn_attends(9, 4, 8, jnp.bfloat16)
    assert asked == [(9, 4, 8, "bfloat16")]
    (size,) = jax.export.symbolic_shape("size")
    assert not blocks.cudnn_attends(size, 4, 8, jnp.bfloat16)
    assert not blocks.cudnn_attends(9, 4, 8, jnp.float32)
    monkeypatch.setattr(jax, "device_count", lambda: 8)  # of which nothing is said
    assert not blocks.cudnn_attends(9, 4, 8, jnp.bfloat16)
    assert len(asked) == 1


def test_cudnn_is_given_queries_keys_and_values(on_a_gpu, monkeypatch):
    """In this order, and heads behind the tokens, as a function that does the same as it wants them."""
    monkeypatch.setattr(
        blocks, "cudnn_attends", lambda tokens, heads, head_dim, dtype: (tokens, heads) == (9, 4)
    )
    monkeypatch.setattr(blocks, "cudnn_attention", jax.nn.dot_product_attention)
    q, k, v = jax.random.normal(jax.random.key(0), (3, 2, 4, 9, 8))
    weights = jax.nn.softmax(jnp.einsum("bntd,bnsd->bnts", q, k) / math.sqrt(8))
    found = blocks.attention(q, k, v)
    np.testing.assert_allclose(found, jnp.einsum("bnts,bnsd->bntd", weights, v), atol=1e-5)


def test_on_several_gpus_cudnn_is_used_where_the_split_of_the_batch_is_known(lowered, monkeypatch):
    mesh = build_mesh(2, jax.devices())
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    assert "cudnn" not in lowered("bfloat16")
    with kernel_mesh(mesh):
        text = lowered("bfloat16")
    assert "__cudnn$fmhaSoftmaxBackward(" in text
    kernel = next(line for line in text.splitlines() if "@__cudnn$fmhaSoftmax(" in line)
    assert "tensor<1x16x4x64xbf16>" in kernel  # of eight pictures each device has one


def test_rotary_products_depend_on_the_offset_only():
    h, w, d = 5, 6, 16
    angles = blocks.rotary_angles(h, w, d)
    q, k = jax.random.normal(jax.random.key(0), (2, d))
    turned_q, turned_k = (blocks.rotate(jnp.broadcast_to(x, (1, 1, h * w, d)), angles)[0, 0] for x in (q, k))
    products = (turned_q @ turned_k.T).reshape(h, w, h, w)
    np.testing.assert_allclose(products[0, 0, 2, 3], products[2, 1, 4, 4], rtol=1e-4)
    assert abs(products[0, 0, 2, 3] - products[0, 0, 3, 2]) > 1e-3  # rows and columns are told apart
    np.testing.assert_allclose(jnp.linalg.norm(turned_q, axis=-1), jnp.linalg.norm(q), rtol=1e-5)


@pytest.mark.parametrize("factor", [2, 4])
def test_upsample_is_bilinear_resize(factor):
    x = jax.random.normal(jax.random.key(0), (2, 5, 7, 3))
    expected = jax.image.resize(x, (2, 5 * factor, 7 * factor, 3), "bilinear")
    np.testing.assert_allclose(blocks.upsample(x, factor), expected, atol=1e-5)


def test_upsample_of_a_single_row():
    x = jax.random.normal(jax.random.key(0), (1, 1, 2, 1))
    np.testing.assert_allclose(blocks.upsample(x, 4)[:, 0], blocks.upsample(x, 4)[:, 3], atol=1e-6)


def test_upscale_starts_without_a_checkerboard():
    x = jax.random.normal(jax.random.key(0), (1, 3, 4, 8))
    large = blocks.Upscale(8, 5, rngs=nnx.Rngs(0))(x)
    assert large.shape == (1, 6, 8, 5)
    np.testing.assert_array_equal(large, np.repeat(np.repeat(large[:, ::2, ::2], 2, 1), 2, 2))


def test_blocks_start_close_to_the_identity():
    x = jax.random.normal(jax.random.key(0), (1, 8, 8, 16))
    np.testing.assert_allclose(blocks.ConvBlock(16, rngs=nnx.Rngs(0))(x), x, atol=1e-3)
