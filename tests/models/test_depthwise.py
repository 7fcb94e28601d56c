"""Both forms against JAX's own convolution and PyTorch's, and the gradient by hand against the automatic one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import export

from hybridvit.models import depthwise
from hybridvit.models.depthwise import Depthwise, convolved

FORMS = {
    "shifted": jax.jit(depthwise._shifted, static_argnums=(2, 3)),
    "convolved": jax.jit(convolved, static_argnums=(2, 3)),
}


@pytest.fixture(autouse=True, scope="module")
def _one_device():
    """As a user's machine has it: batches that are spread over devices are not taken by pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "device_count", lambda: 1)
        yield


@st.composite
def cases(draw):
    """What the networks have, and more: sides that the stride does not divide, paddings of one side alone."""
    size, stride = draw(st.sampled_from([3, 5])), draw(st.integers(1, 2))
    sides = st.integers(5, 13)
    return {
        "batch": draw(st.integers(1, 5)),
        "height": draw(sides),
        "width": draw(sides),
        "channels": draw(st.integers(1, 4)),
        "size": size,
        "stride": stride,
        "padding": (draw(st.integers(0, size // 2)), draw(st.integers(0, size // 2))),
        "seed": draw(st.integers(0, 99)),
    }


def draw(case: dict) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(case["seed"])
    shapes = (
        (case["batch"], case["height"], case["width"], case["channels"]),
        (case["size"], case["size"], case["channels"]),
    )
    return tuple(jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in shapes)


def by_hand(x, kernel, stride, padding):
    """Each output by its definition, in numpy's float64."""
    x = np.pad(np.asarray(x, np.float64), ((0, 0), padding, padding, (0, 0)))
    size = len(kernel)
    rows, columns = ((n - size) // stride + 1 for n in x.shape[1:3])
    out = np.zeros((len(x), rows, columns, x.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            seen = x[:, stride * i : stride * i + size, stride * j : stride * j + size]
            out[:, i, j] = (seen * np.asarray(kernel, np.float64)).sum((1, 2))
    return out


@settings(deadline=None, max_examples=20)
@given(cases())
def test_both_forms_are_the_correlation_of_each_channel(case):
    x, kernel = draw(case)
    expected = by_hand(x, kernel, case["stride"], case["padding"])
    for form in FORMS.values():
        found = form(x, kernel, case["stride"], case["padding"])
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-4)


@settings(deadline=None, max_examples=20)
@given(cases())
def test_the_gradient_by_hand_is_the_automatic_one_of_the_convolution(case):
    x, kernel = draw(case)
    stride, padding = case["stride"], case["padding"]
    shape = jax.eval_shape(lambda *both: convolved(*both, stride, padding), x, kernel).shape
    dy = jnp.asarray(np.random.default_rng(1).normal(size=shape), jnp.float32)

    @jax.jit
    def gradients(x, kernel):
        return [
            jax.vjp(lambda *both, form=form: form(*both, stride, padding), x, kernel)[1](dy)
            for form in (depthwise._shifted, convolved)
        ]

    for ours, expected in zip(*gradients(x, kernel), strict=True):
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 6])
def test_pictures_that_are_taken_by_pairs_count_alike(batch):
    """All is mapped over the pairs of an even batch, and not of an odd one: the kernel's gradient is a sum over all."""
    case = {"batch": batch, "height": 8, "width": 6, "channels": 3, "size": 3, "seed": 2}
    x, kernel = draw(case)
    loss = lambda form: lambda x, kernel: jnp.sum(jnp.sin(form(x, kernel, 2, (0, 1))))  # noqa: E731
    for argument in (0, 1):
        found, expected = (
            jax.jit(jax.grad(loss(form), argument))(x, kernel) for form in (depthwise._shifted, convolved)
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize(("stride", "padding"), [(1, (1, 1)), (2, (0, 1)), (2, (1, 2)), (2, (2, 2))])
def test_against_pytorch(size, stride, padding):
    torch = pytest.importorskip("torch", reason="the reference is PyTorch's convolution: pip install torch")
    x, kernel = draw({"batch": 2, "height": 12, "width": 10, "channels": 4, "size": size, "seed": 3})
    given = torch.tensor(np.asarray(x)).permute(0, 3, 1, 2)
    given = torch.nn.functional.pad(given, (*padding, *padding))
    weight = torch.tensor(np.asarray(kernel)).permute(2, 0, 1)[:, None]
    expected = torch.nn.functional.conv2d(given, weight, stride=stride, groups=4).permute(0, 2, 3, 1)
    for form in FORMS.values():
        np.testing.assert_allclose(form(x, kernel, stride, padding), expected, atol=1e-4)


def test_on_a_cpu_it_is_no_convolution_and_with_symbolic_sizes_it_is_one():
    kernel = jnp.ones((3, 3, 2))

    def primitives(x) -> str:
        return str(jax.make_jaxpr(lambda x: depthwise.depthwise(x, kernel, 1, (1, 1)))(x))

    assert jax.default_backend() == "cpu"
    assert "conv_general_dilated" not in primitives(jnp.zeros((1, 4, 4, 2)))
    h, w = export.symbolic_shape("h, w")
    assert "conv_general_dilated" in primitives(jax.ShapeDtypeStruct((1, h, w, 2), jnp.float32))


def test_elsewhere_it_is_a_convolution(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    jaxpr = jax.make_jaxpr(lambda x: depthwise.depthwise(x, jnp.ones((3, 3, 2)), 1, (1, 1)))(
        jnp.zeros((1, 4, 4, 2))
    )
    assert "conv_general_dilated" in str(jaxpr)


def test_the_module_adds_its_bias_and_computes_in_its_type():
    layer = Depthwise(3, 5, 2, (1, 2), dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
    layer.bias[...] = jnp.array([1.0, 2.0, 3.0])
    x = jax.random.normal(jax.random.key(1), (2, 8, 8, 3))
    found = layer(x)
    assert found.dtype == jnp.bfloat16
    assert {p.dtype for p in jax.tree.leaves(nnx.state(layer, nnx.Param))} == {jnp.dtype("float32")}
    expected = convolved(x, layer.kernel[...], 2, (1, 2)) + layer.bias[...]
    np.testing.assert_allclose(found.astype(jnp.float32), expected, atol=0.1)
    assert found.shape == (2, 4, 4, 3)
