"""What the U-Nets and their kin have in common: sizes of the papers, any picture, both modes, gradients everywhere."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.hscau_net import HSCAUNet
from hybridvit.models.link_net import LinkNet
from hybridvit.models.r2_unet import R2UNet
from hybridvit.models.resnet_generator import ResNetGenerator
from hybridvit.models.unet import UNet
from hybridvit.models.unet_3_plus import UNet3Plus
from hybridvit.models.unet_plus_plus import UNetPlusPlus

FAMILY = (UNet, UNetPlusPlus, UNet3Plus, LinkNet, R2UNet, HSCAUNet, ResNetGenerator)
SIDE_OUTPUTS = {UNetPlusPlus: 1, UNet3Plus: 2}  # of three stages
NORMS_BY_BATCH = [family for family in FAMILY if family is not ResNetGenerator]


# Of the names and shapes of parameters and statistics of the variant "test" with hints, as checkpoints hold them: how
# many, and the beginning of their SHA-256
NAMES = {
    UNet: (31, "614b82de18d65590"),
    UNetPlusPlus: (70, "70f38316cbfc50c0"),
    UNet3Plus: (76, "df9e7b302121f0c9"),
    LinkNet: (92, "c650d457c4ef5295"),
    R2UNet: (112, "866343ac60c97f30"),
    HSCAUNet: (70, "d1cd498a5ba05548"),
    ResNetGenerator: (9, "392aeaba351dcf15"),
}


@pytest.mark.parametrize("network", FAMILY)
def test_checkpoints_of_0_1_can_be_read(network):
    module = nnx.eval_shape(lambda: network("test", hint_channels=3, rngs=nnx.Rngs(0)))
    held = nnx.to_flat_state(nnx.state(module, (nnx.Param, nnx.BatchStat)))
    lines = sorted("/".join(map(str, path)) + f" {x.shape}" for path, x in held)
    assert (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]) == NAMES[network]


def sizes(network, variant, **settings):
    """Numbers of parameters by name, without making them."""
    module = nnx.eval_shape(lambda: network(variant, rngs=nnx.Rngs(0), **settings))
    return {path: np.prod(x.shape) for path, x in nnx.to_flat_state(nnx.state(module, nnx.Param))}


def total(sizes, *last_names):
    return sum(size for path, size in sizes.items() if not last_names or path[-1] in last_names)


def test_unet_has_the_size_of_pix2pix():
    # pytorch-CycleGAN-and-pix2pix, unet_256, RGB to RGB: 54 413 955 ("54.414 M"), unet_128 41.829 M. Its first and its
    # innermost convolution have no bias, the paper's do.
    settings = {"channels": 3, "hint_channels": 2}
    assert total(sizes(UNet, "256", **settings)) - 64 - 512 == 54_413_955
    assert total(sizes(UNet, "128", **settings)) == pytest.approx(41.829e6, abs=1e3)
    assert total(sizes(UNet, "256")) == pytest.approx(54.4e6, abs=5e4)


def test_unet_plus_plus_has_the_size_of_the_authors_code():
    # MrGiovanni/UNetPlusPlus, keras/helper_functions.py: "Total params: 9,041,601" for gray to one channel and one head
    # (9.04 M in the paper's table 2). It has a bias where there is a batch norm here, and no scales.
    found = sizes(UNetPlusPlus, "32", channels=1)
    heads = 3 * (32 + 1)
    assert total(found) - total(found, "scale") - heads == 9_041_601


def test_unet_3_plus_has_the_size_of_the_paper():
    # Huang et al. 2020, table 1: 26.97 M with and without deep supervision; RGB to one channel
    assert total(sizes(UNet3Plus, "64", channels=1, hint_channels=2)) == pytest.approx(26.97e6, abs=3e4)


def test_link_net_has_the_size_of_the_paper():
    # Chaurasia & Culurciello 2017, table II: 11.5 M
    assert total(sizes(LinkNet, "64", channels=20, hint_channels=2)) == pytest.approx(11.5e6, abs=5e4)


def test_link_net_s_encoder_is_resnet_18():
    # torchvision's resnet18: 11 689 512 with the classifier of 512 x 1000 + 1000
    found = sizes(LinkNet, "64", hint_channels=2)
    encoder = {path: size for path, size in found.items() if path[0] in ("stem", "encoder")}
    assert total(encoder) == 11_689_512 - 513_000


def test_r2_unet_has_the_size_of_the_reference_code():
    # LeeJunHyun/Image_Segmentation, R2U_Net(t=2), RGB to one channel: 39 091 393 (39.09 M). It has a bias before each
    # batch norm, which the norm takes away; as many as the norms' own.
    found = sizes(R2UNet, "64", channels=1, hint_channels=2)
    assert total(found) + total(found, "scale") == 39_091_393


@pytest.mark.parametrize(("variant", "millions"), [("9", 11.378), ("6", 7.838)])
def test_resnet_generator_has_the_size_of_cyclegan(variant, millions):
    # pytorch-CycleGAN-and-pix2pix, resnet_9blocks and resnet_6blocks, RGB to RGB, instance norm; it has a bias before
    # each norm, which the norm takes away.
    idle = 64 + 128 + 256 + 2 * 256 * int(variant) + 128 + 64
    found = total(sizes(ResNetGenerator, variant, channels=3, hint_channels=2))
    assert found + idle == pytest.approx(millions * 1e6, abs=500)


@pytest.mark.parametrize("network", FAMILY)
def test_variants_are_named_in_the_error(network):
    with pytest.raises(ValueError, match=r"config.model.variant='XXL' is not one of .*test"):
        network("XXL", hint_channels=3, rngs=nnx.Rngs(0))


@pytest.fixture(scope="module", params=FAMILY, ids=lambda network: network.__name__)
def parts(request):
    """(class, graph, parameters, statistics) of a tiny network that takes hints."""
    module = request.param("test", channels=2, hint_channels=3, rngs=nnx.Rngs(0))
    graph, *state = nnx.split(module, nnx.Param, nnx.BatchStat)
    return request.param, graph, *map(nnx.to_pure_dict, state)


def draw(height, width, batch=2):
    keys = jax.random.split(jax.random.key(1))
    luma = jax.random.uniform(keys[0], (batch, height, width, 1), minval=-1.0)
    hints = jax.random.uniform(keys[1], (batch, height, width, 3), minval=-1.0).at[..., 2].set(1.0)
    return luma, hints


@pytest.mark.parametrize("size", [(32, 32), (19, 37), (1, 3)])
def test_any_size_of_picture(parts, size):
    network, graph, params, stats = parts
    luma, hints = draw(*size)
    prediction = jax.eval_shape(lambda p, s: nnx.merge(graph, p, s)(luma, hints), params, stats)
    assert prediction.chroma.shape == (2, *size, 2)
    assert prediction.chroma.dtype == jnp.float32
    assert prediction.bins is None
    assert [side.shape for side in prediction.side_outputs] == [(2, *size, 2)] * SIDE_OUTPUTS.get(network, 0)


def test_training_and_inference(parts):
    network, graph, params, stats = parts
    luma, hints = draw(32, 32, batch=4)

    @jax.jit
    def run(stats, luma, hints, key=None):
        module = nnx.merge(graph, params, stats)
        return module(luma, hints, key).chroma, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    out, after = run(stats, luma, hints)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 1
    assert jax.tree.all(jax.tree.map(np.array_equal, after, stats)), "inference changed the statistics"
    np.testing.assert_array_equal(run(stats, luma, hints)[0], out)
    np.testing.assert_allclose(run(stats, luma[::-1], hints[::-1])[0], out[::-1], atol=1e-5)
    np.testing.assert_allclose(
        run(stats, luma, None)[0], run(stats, luma, jnp.zeros_like(hints))[0], atol=1e-6
    )
    assert np.abs(run(stats, luma, None)[0] - out).max() > 0, "the hints are not heard"
    trained, after = run(stats, luma, hints, jax.random.key(2))
    if network in NORMS_BY_BATCH:
        same = jax.tree.map(np.array_equal, after, stats)
        assert not any(jax.tree.leaves(same)), "a norm does not learn its statistics"
        tenth = run(jax.tree.map(jnp.zeros_like, stats), luma, hints, jax.random.key(2))[1]
        after = jax.tree.map(lambda x: 10 * x, tenth)  # where a running mean of 0.9 ends
        if network is not UNet:  # its dropout stands between
            np.testing.assert_allclose(run(after, luma, hints)[0], trained, atol=1e-3)
    else:
        np.testing.assert_allclose(trained, out, atol=1e-6)
    differs = np.abs(run(stats, luma, hints, jax.random.key(3))[0] - trained).max()
    assert (differs > 0) == (network is UNet), "only the U-Net of pix2pix has dropout"


def test_gradients_reach_every_parameter(parts):
    _, graph, params, stats = parts
    luma, hints = draw(32, 32)

    @jax.jit
    @jax.grad
    def gradient(params):
        prediction = nnx.merge(graph, params, stats)(luma, hints, jax.random.key(4))
        outputs = (prediction.chroma, *prediction.side_outputs)
        return sum(jnp.mean(jnp.square(x - luma * jnp.array([1.0, -0.5]))) for x in outputs)

    for path, leaf in jax.tree.leaves_with_path(gradient(params)):
        assert np.abs(leaf).max() > 1e-7, f"nothing reaches {jax.tree_util.keystr(path)}"


def test_bfloat16_computes_in_it_and_answers_in_float32(parts):
    network, *_ = parts
    module = network("test", channels=2, hint_channels=3, dtype="bfloat16", rngs=nnx.Rngs(0))
    graph, params, stats = nnx.split(module, nnx.Param, nnx.BatchStat)
    text = str(
        jax.make_jaxpr(lambda p, s: nnx.merge(graph, p, s)(*draw(32, 32), jax.random.key(0)))(params, stats)
    )
    assert {leaf.dtype for leaf in jax.tree.leaves((params, stats))} == {jnp.dtype("float32")}
    convolutions = [line for line in text.splitlines() if "= conv_general_dilated" in line]
    assert convolutions
    assert all("bf16[" in line.split("=")[0] for line in convolutions)
