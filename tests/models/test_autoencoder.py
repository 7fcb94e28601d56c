import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.autoencoder import Autoencoder

forward = nnx.jit(lambda model, *inputs: model(*inputs))  # compiles sooner than the operations one by one


def make(variant="test", *, hint_channels=0, channels=2, **options):
    options = {"dtype": "float32", "remat": False} | options
    return Autoencoder(variant, channels=channels, hint_channels=hint_channels, rngs=nnx.Rngs(0), **options)


def random_luma(*size):
    return jax.random.uniform(jax.random.key(1), (2, *size, 1), minval=-1)


# Counted by hand from the layers: 9 x in x out + out each.
@pytest.mark.parametrize(
    ("variant", "encoder", "decoder"),
    [
        # Wallner's notebook, "alpha version"
        ("alpha", ((1, 8), (8, 8), (8, 16), (16, 16), (16, 32), (32, 32)), ((32, 32), (32, 16), (16, 2))),
        # his article, "beta version"
        (
            "beta",
            ((1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 256), (256, 128)),
            ((128, 64), (64, 32), (32, 2)),
        ),
        # Baldassarre et al. 2017, table 1
        (
            "full",
            ((1, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 256)),
            ((256, 128), (128, 64), (64, 64), (64, 32), (32, 2)),
        ),
    ],
)  # fmt: skip
def test_layers_are_the_papers(variant, encoder, decoder):
    model = nnx.eval_shape(lambda: make(variant))
    count = sum(x.size for x in jax.tree.leaves(nnx.to_pure_dict(nnx.state(model, nnx.Param))))
    expected = sum(9 * a * b + b for a, b in encoder + decoder)
    if variant == "full":
        expected += (256 + model.classifier.width) * 256 + 256  # the 1x1 fusion
    assert count == expected


@pytest.mark.parametrize("variant", ["alpha", "test"])
@pytest.mark.parametrize("size", [(1, 1), (24, 32), (33, 18)])
def test_any_size_in_same_size_out(variant, size):
    prediction = forward(make(variant, channels=3), random_luma(*size))
    assert prediction.chroma.shape == (2, *size, 3)
    assert prediction.bins is None
    assert bool((jnp.abs(prediction.chroma) <= 1).all())


def test_against_pytorch():
    torch = pytest.importorskip("torch", reason="the references are PyTorch's layers: pip install torch")
    model = make()
    luma = random_luma(32, 24)

    def conv(layer, x, stride=1):
        weight = torch.tensor(np.asarray(layer.kernel[...]).transpose(3, 2, 0, 1))
        if stride == 2:  # what TensorFlow and so the tutorial pads by: nothing above, one row below
            x = torch.nn.functional.pad(x, (0, 1, 0, 1))
        padding = weight.shape[-1] // 2 if stride == 1 else 0
        return torch.nn.functional.conv2d(
            x, weight, torch.tensor(np.asarray(layer.bias[...])), stride, padding
        )

    x = torch.tensor(np.asarray(luma)).permute(0, 3, 1, 2)
    for layer, stride in zip(model.encoder.values(), (2, 1, 2, 2), strict=True):
        x = conv(layer, x, stride).relu()
    embedding = torch.tensor(np.asarray(model.classifier(luma)))
    x = torch.cat([x, embedding[:, :, None, None].expand(-1, -1, 4, 3)], 1)
    x = conv(model.fusion, x).relu()
    double = torch.nn.UpsamplingNearest2d(scale_factor=2)
    layers = list(model.decoder.values())
    x = conv(layers[0], x).relu()
    x = conv(layers[1], double(x)).relu()
    x = conv(layers[2], double(x)).relu()
    x = double(conv(model.chroma, x).tanh())
    np.testing.assert_allclose(model(luma).chroma, x.permute(0, 2, 3, 1), atol=1e-5)


@pytest.mark.parametrize("variant", ["test", "test:ViT-test"])
def test_the_classifier_is_not_learnt_but_heard(variant):
    model = make(variant)
    params, stats = (nnx.to_pure_dict(nnx.state(model, kind)) for kind in (nnx.Param, nnx.BatchStat))
    assert "classifier" not in params
    assert stats.keys() == {"classifier"}
    luma = random_luma(16, 16)
    before = forward(model, luma, None, jax.random.key(0)).chroma
    after = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
    assert all(map(np.array_equal, *map(jax.tree.leaves, (stats, after))))
    nnx.update(model, {"classifier": jax.tree.map(lambda x: x + 0.3, stats["classifier"])})
    assert jnp.abs(forward(model, luma).chroma - before).max() > 1e-4


def test_global_features_reach_every_place():
    """What changes in one corner changes the colours in the other, which no convolution of alpha could."""
    luma = random_luma(64, 64)
    changed = luma.at[:, :8, :8].set(1.0)
    chroma = [[forward(m, x).chroma for x in (luma, changed)] for m in (make(), make("alpha"))]
    far = [jnp.abs(one - other)[:, 56:, 56:].max() for one, other in chroma]
    assert far[0] > 1e-6
    assert far[1] == 0


def test_hints_are_input_where_there_are_any():
    model = make(hint_channels=3)
    luma = random_luma(16, 16)
    hints = jnp.zeros((2, 16, 16, 3))
    none = forward(model, luma).chroma
    np.testing.assert_allclose(none, forward(model, luma, hints).chroma, atol=1e-6)
    given = forward(model, luma, hints.at[:, 3, 3].set(1.0)).chroma
    assert jnp.abs(given - none).max() > 1e-4


def test_remat_changes_nothing():
    luma = random_luma(16, 16)
    np.testing.assert_allclose(
        forward(make(remat=True), luma).chroma, forward(make(), luma).chroma, atol=1e-6
    )


@pytest.mark.parametrize("variant", ["gamma", "alpha:ViT-B_16", "test:ResNet"])
def test_unknown_variant(variant):
    with pytest.raises(ValueError, match="is not one of"):
        make(variant)
