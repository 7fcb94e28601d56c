"""LPIPS against a program of it in PyTorch, with the same random weights and the names of the published files."""

import jax.numpy as jnp
import numpy as np
import pytest

from hybridvit.models.lpips import LAYERS, load_lpips, lpips


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(torch, AlexNet's `features`, the weights of the channels, both files)."""
    torch = pytest.importorskip("torch", reason="compared with a network in PyTorch: pip install torch")
    nn = torch.nn
    torch.manual_seed(0)
    features = nn.Sequential(  # as torchvision numbers them
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip
    linear = {f"lin{i}.model.1.weight": torch.rand(1, layer.width, 1, 1) for i, layer in enumerate(LAYERS)}
    folder = tmp_path_factory.mktemp("lpips")
    state = {f"features.{name}": x for name, x in features.state_dict().items()}
    torch.save(state | {"classifier.6.bias": torch.zeros(1000)}, folder / "alexnet.pth")
    torch.save(linear, folder / "alex.pth")
    return torch, features, linear, (folder / "alexnet.pth", folder / "alex.pth")


def by_pytorch(torch, features, linear, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    def unit_features(rgb: np.ndarray) -> list:
        x = torch.from_numpy(rgb.transpose(0, 3, 1, 2)) * 2 - 1
        x = (x - torch.tensor([-0.030, -0.088, -0.188])[:, None, None]) / torch.tensor([0.458, 0.448, 0.450])[
            :, None, None
        ]
        found = []
        for module in features:
            x = module(x)
            if isinstance(module, torch.nn.ReLU):
                found.append(x / (torch.sqrt((x**2).sum(1, keepdim=True)) + 1e-10))
        return found

    with torch.no_grad():
        pairs = zip(unit_features(first), unit_features(second), linear.values(), strict=True)
        parts = [torch.nn.functional.conv2d((x - y) ** 2, w).mean((1, 2, 3)) for x, y, w in pairs]
        return sum(parts).numpy()


@pytest.mark.parametrize("shape", [(64, 64), (71, 96), (31, 40)])
def test_the_distance_is_that_of_pytorch(files, shape):
    torch, features, linear, paths = files
    first, second = np.random.default_rng(0).uniform(0, 1, (2, 3, *shape, 3)).astype(np.float32)
    expected = by_pytorch(torch, features, linear, first, second)
    assert expected.min() > 0.01
    np.testing.assert_allclose(
        lpips(load_lpips(*paths), jnp.asarray(first), jnp.asarray(second)), expected, rtol=1e-4
    )


def test_a_picture_is_nothing_apart_from_itself(files):
    picture = np.random.default_rng(1).uniform(0, 1, (1, 40, 40, 3)).astype(np.float32)
    picture[:, :20] = 0.0  # black: features of length 0 stay 0
    np.testing.assert_array_equal(lpips(load_lpips(*files[3]), jnp.asarray(picture), jnp.asarray(picture)), 0)


def test_what_cannot_be_is_refused_in_one_line(files, tmp_path):
    torch, _, _, (backbone, linear) = files
    small = jnp.zeros((1, 30, 64, 3))
    with pytest.raises(ValueError, match="31 px or more, not 30 x 64"):
        lpips(load_lpips(backbone, linear), small, small)
    with pytest.raises(
        ValueError, match=r"alex\.pth does not hold the weights of AlexNet: features\.0\.weight"
    ):
        load_lpips(linear, backbone)
    torch.save({f"lin{i}.model.1.weight": torch.zeros(1, 64, 1, 1) for i in range(5)}, tmp_path / "vgg.pth")
    with pytest.raises(ValueError, match=r"vgg\.pth .* LPIPS on AlexNet: lin1\.model\.1\.weight is missing"):
        load_lpips(backbone, tmp_path / "vgg.pth")
    with pytest.raises(FileNotFoundError, match="no file at"):
        load_lpips(tmp_path / "gone.pth", linear)
