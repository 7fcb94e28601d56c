"""The networks against their makers' tables; and what is ours of them: paddings, and blocks that are dropped."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.efficientnet_lite import (
    SIZES,
    STAGES,
    STEM,
    Classifier,
    EfficientNetLite,
    InvertedResidual,
    Stage,
    paddings,
    preprocess,
    relu6,
)

# Of efficientnet-lite in github.com/tensorflow/tpu: blocks and channels of the seven stages, parameters in millions,
# and the side of the pictures
PUBLISHED = {
    "Lite0": ((1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320), 4.7, 224),
    "Lite1": ((1, 3, 3, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320), 5.4, 240),
    "Lite2": ((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352), 6.1, 260),
    "Lite3": ((1, 3, 3, 5, 5, 6, 1), (24, 32, 48, 96, 136, 232, 384), 8.2, 280),
    "Lite4": ((1, 4, 4, 6, 6, 8, 1), (24, 32, 56, 112, 160, 272, 448), 13.0, 300),
}


def make(channels=1, size="test") -> EfficientNetLite:
    """With biases and what is added away from where they start."""
    model = EfficientNetLite(SIZES[size], channels, dtype=jnp.float32, rngs=nnx.Rngs(0))
    keys = iter(jax.random.split(jax.random.key(1), 200))
    nnx.update(
        model,
        jax.tree.map(lambda x: x + 0.1 * jax.random.normal(next(keys), x.shape), nnx.state(model, nnx.Param)),
    )
    return model


forward = nnx.jit(lambda model, *inputs: model(*inputs))
learn = nnx.jit(lambda model, x, key: model(x, key, 0.5))


@pytest.mark.parametrize("name", PUBLISHED)
def test_blocks_channels_and_parameters_are_the_published_ones(name):
    repeats, channels, millions, side = PUBLISHED[name]
    size = SIZES[name]
    assert tuple(size.repeats(stage) for stage in STAGES) == repeats
    assert tuple(size.channels(stage) for stage in STAGES) == channels
    assert size.side == side
    shapes = nnx.to_pure_dict(nnx.state(nnx.eval_shape(lambda: Classifier(size, rngs=nnx.Rngs(0)))))
    count = sum(x.size for x in jax.tree.leaves(shapes)) / 1e6
    assert abs(count - millions) < 0.08  # theirs count a norm's gain and bias where ours has the bias alone
    assert [len(shapes["encoder"][stage]) for stage in STAGES] == list(repeats)


def test_a_block_is_as_wide_as_its_makers():
    shapes = nnx.to_pure_dict(
        nnx.state(nnx.eval_shape(lambda: Classifier(SIZES["Lite2"], rngs=nnx.Rngs(0))))
    )["encoder"]
    assert shapes["stem"]["kernel"].shape == (3, 3, 3, STEM)
    assert "expand" not in shapes["stage1"]["block00"]
    assert shapes["stage3"]["block00"]["expand"]["kernel"].shape == (24, 144)
    assert shapes["stage3"]["block00"]["depthwise"]["kernel"].shape == (5, 5, 144)
    assert shapes["stage3"]["block00"]["project"]["kernel"].shape == (144, 48)
    assert shapes["stage7"]["block00"]["project"]["kernel"].shape == (6 * 208, 352)


@pytest.mark.parametrize("name", PUBLISHED)
def test_paddings_are_tensorflows_same_at_the_trained_size(name):
    """JAX's own "SAME" is TensorFlow's."""
    side, found = SIZES[name].side, paddings(SIZES[name].side)
    for layer, kernel, stride in [("stem", 3, 2), *((n, s.kernel, s.stride) for n, s in STAGES.items())]:
        (expected,) = jax.lax.padtype_to_pads((side,), (kernel,), (stride,), "SAME")
        assert found[layer] == expected
        side = -(-side // stride)
    assert any(before != after for before, after in found.values())


def test_maps_are_at_the_strides_that_they_are_named_by():
    maps = forward(make(3), jnp.zeros((2, 64, 96, 3)))
    assert {stride: x.shape for stride, x in maps.items()} == {
        stride: (2, 64 // stride, 96 // stride, SIZES["test"].channels(stage))
        for stride, stage in {4: "stage2", 8: "stage3", 16: "stage5", 32: "stage7"}.items()
    }


def test_pictures_are_scaled_as_the_makers_scaled_them():
    np.testing.assert_allclose(preprocess(jnp.array([0, 127 / 255, 1.0])), [-127 / 128, 0, 1], atol=1e-6)
    np.testing.assert_array_equal(relu6(jnp.array([-1.0, 3.0, 7.0])), [0, 3, 6])


def test_a_block_against_pytorch():
    torch = pytest.importorskip("torch", reason="the references are PyTorch's layers: pip install torch")
    block = InvertedResidual(8, 8, Stage(2, 5, 1, 8, 6), 1, (2, 2), dtype=jnp.float32, rngs=nnx.Rngs(2))
    x = 3 * jax.random.normal(jax.random.key(1), (2, 8, 6, 8))
    tensor = lambda x: torch.tensor(np.asarray(x))  # noqa: E731
    y = (tensor(x) @ tensor(block.expand.kernel[...]) + tensor(block.expand.bias[...])).clamp(0, 6)
    weight = tensor(block.depthwise.kernel[...]).permute(2, 0, 1)[:, None]
    y = torch.nn.functional.conv2d(
        y.permute(0, 3, 1, 2), weight, tensor(block.depthwise.bias[...]), padding=2, groups=48
    )
    y = y.permute(0, 2, 3, 1).clamp(0, 6)
    expected = tensor(x) + y @ tensor(block.project.kernel[...]) + tensor(block.project.bias[...])
    np.testing.assert_allclose(block(x), expected, atol=1e-4)


class TestStochasticDepth:
    def test_without_a_key_or_a_rate_nothing_is_dropped(self):
        model, x = make(), jax.random.normal(jax.random.key(2), (3, 32, 32, 1))
        expected = forward(model, x)
        for found in (forward(model, x), forward(model, x, jax.random.key(3)), learn(model, x, None)):
            jax.tree.map(np.testing.assert_array_equal, found, expected)

    def test_it_is_of_the_key_and_drops_by_picture(self):
        # Blocks that can be dropped: the smallest network has but one to a stage
        model, x = make(size="Lite0"), jax.random.normal(jax.random.key(2), (1, 32, 32, 1)).repeat(6, 0)
        found, again, other = (learn(model, x, jax.random.key(i))[32] for i in (0, 0, 1))
        np.testing.assert_array_equal(found, again)
        assert jnp.abs(found - other).max() > 1e-6
        assert jnp.abs(found - found[:1]).max() > 1e-6  # equal pictures, of which other blocks are dropped
        plain = forward(model, x)[32]
        np.testing.assert_allclose(plain, jnp.broadcast_to(plain[:1], plain.shape), atol=1e-5)

    def test_what_is_kept_is_enlarged_by_as_much_as_is_dropped(self):
        block = InvertedResidual(8, 8, Stage(2, 3, 1, 8, 6), 1, (1, 1), dtype=jnp.float32, rngs=nnx.Rngs(2))
        x = jax.random.normal(jax.random.key(1), (2, 8, 8, 8))
        added = block(x) - x
        assert jnp.abs(added).max() > 1e-3
        keep = jnp.array([0.0, 4 / 3])[:, None, None, None]
        np.testing.assert_allclose(block(x, keep), x + added * keep, atol=1e-6)

    def test_a_block_of_another_shape_is_not_dropped(self):
        block = InvertedResidual(8, 16, Stage(1, 3, 1, 16, 6), 1, (1, 1), dtype=jnp.float32, rngs=nnx.Rngs(2))
        x = jax.random.normal(jax.random.key(1), (2, 8, 8, 8))
        np.testing.assert_array_equal(block(x, jnp.zeros((2, 1, 1, 1))), block(x))
