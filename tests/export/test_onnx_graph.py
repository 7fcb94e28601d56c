"""Each operator, run by onnxruntime, gives what JAX gives, with sizes that are symbols when the graph is made."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export, lax

pytest.importorskip("onnx", reason="ONNX graphs need onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX graphs are run by onnxruntime")

from hybridvit.export.onnx_graph import OnnxGraph  # noqa: E402
from hybridvit.export.onnx_operators import OPERATORS  # noqa: E402
from hybridvit.models import blocks  # noqa: E402

FUNCTIONS = {
    "arithmetic": lambda x, y: (x - y) * 2 / (1 + x * x) + jnp.maximum(x, y) - jnp.minimum(-x, 0.5),
    "exponentials": lambda x, y: jnp.exp(x) + jnp.log(1.1 + jnp.abs(y)) + jnp.log1p(x * x) + jnp.tanh(y),
    "circular": lambda x, y: jnp.sin(x) + jnp.cos(y) + lax.rsqrt(1 + x * x) + jnp.sqrt(y * y) + x**3 + x**5,
    "activations": lambda x, y: jax.nn.gelu(x) + jax.nn.relu(y) + jax.nn.softplus(x) + jax.nn.sigmoid(y),
    "comparisons": lambda x, y: (
        jnp.where(x > y, x, 1.0) + jnp.where(x == y, x, 3.0) + (x != y) + (x <= y) + jnp.where(x < 0, y, 2)
    ),
    "reductions": lambda x, y: x.sum(1) + y.mean((1,)) + x.max(1),
    "rows": lambda x, y: x - x.mean(-1, keepdims=True),
    "transposed": lambda x, y: jnp.einsum("bhwc,dhwc->bwhd", x, y),
    "attention": lambda x, y: jnp.einsum("bnts,bnsd->bntd", jnp.einsum("bhwc,bhvc->bhwv", x, y), y),
    "matmul": lambda x, y: x @ np.arange(12, dtype=np.float32).reshape(3, 4),
    "fold": lambda x, y: blocks.space_to_depth(jnp.concatenate([x, y], -1), 2),
    "unfold": lambda x, y: blocks.depth_to_space(jnp.concatenate([x, y, x, y], -1), 2),
    "upsample": lambda x, y: blocks.upsample(x, 4),
    "parts": lambda x, y: jnp.concatenate(
        [jnp.split(x, [1, 2], -1)[1], lax.slice(y, (0, 1, 1, 0), (1, 3, 2, 3)).sum() + x], -1
    ),
    "padded": lambda x, y: jnp.pad(x, ((0, 0), (1, 2), (0, 0), (0, 1))),
    "convolution": lambda x, y: lax.conv_general_dilated(
        *(x, np.arange(54, dtype=np.float32).reshape(3, 3, 3, 2) / 54, (1, 2), "SAME"),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    ),
    "sizes": lambda x, y: x * (x.shape[1] * x.shape[2] - 1) / x.shape[0],
    "positions": lambda x, y: jnp.cos(blocks.rotary_angles(x.shape[1], x.shape[2], 8)),
    "one place": lambda x, y: x[..., 1] + y[..., 0],
    "largest": lambda x, y: jnp.concatenate(lax.top_k(x.reshape(x.shape[0], -1), 3), -1),
    "taken": lambda x, y: jnp.take_along_axis(
        x.reshape(x.shape[0], -1, 3), lax.top_k(y[..., 0].reshape(y.shape[0], -1), 3)[1][..., None], 1
    ),
    "looked up": lambda x, y: jnp.arange(x.shape[1] * x.shape[2])[
        lax.top_k(y[..., 0].reshape(y.shape[0], -1), 2)[1]
    ],
    "overflow": lambda x, y: jnp.arange(x.shape[1] * x.shape[2], dtype=jnp.int32) * np.int32(-1640531527),
    "a constant": lambda x, y: jnp.full((2, 3), 4.0),
}


def converted(function):
    b, h, w = export.symbolic_shape("b, h, w", constraints=["h*w >= 2", "h >= 2"])
    spec = jax.ShapeDtypeStruct((b, 2 * h, 2 * w, 3), np.float32)
    sizes = {"b": ("x", 0, 1), "h": ("x", 1, 2), "w": ("x", 2, 2)}
    return OnnxGraph(sizes, OPERATORS).convert(
        jax.make_jaxpr(lambda *xs: [function(*xs)])(spec, spec), ["x", "y"], ["z"]
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_operators(name):
    model = converted(FUNCTIONS[name])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rng = np.random.default_rng(0)
    for shape in ((1, 4, 6, 3), (2, 6, 8, 3)):
        x, y = (rng.normal(size=shape).astype(np.float32) for _ in range(2))
        y[..., :1, :] = x[..., :1, :]
        (found,) = session.run(["z"], {"x": x, "y": y})
        expected = np.asarray(FUNCTIONS[name](jnp.asarray(x), jnp.asarray(y)))
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_an_unknown_operation_is_named():
    with pytest.raises(NotImplementedError, match="the operation cumsum in an ONNX graph"):
        converted(lambda x, y: jnp.cumsum(x, 1))


def test_a_constant_is_kept_once():
    table = np.arange(3, dtype=np.float32)
    model = converted(lambda x, y: x * table + y * table)
    assert sum(tensor.dims == [3] for tensor in model.graph.initializer) <= 1
