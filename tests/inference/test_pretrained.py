"""The weights that come with the package, on scikit-image's photographs, which they were not trained on."""

import importlib.resources

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio
from skimage.transform import resize

import hybridvit
from hybridvit.hints.simulate import protocol_hints
from hybridvit.inference.colorizer import Colorizer


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return hybridvit.load("pretrained")


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    sizes = {"astronaut": (256, 256), "chelsea": (256, 384), "coffee": (256, 384)}
    return [
        np.rint(255 * resize(getattr(data, name)() / 255, size, anti_aliasing=True)).astype(np.uint8)
        for name, size in sizes.items()
    ]


def test_it_is_small():
    folder = importlib.resources.files("hybridvit") / "pretrained"
    assert sum(len(path.read_bytes()) for path in folder.iterdir()) < 25e6


def test_colours_are_better_than_gray_and_hints_better_than_none(colorizer, photographs):
    scores = {"gray": [], 0: [], 10: [], 100: []}
    for index, rgb in enumerate(photographs):
        lab = rgb2lab(rgb).astype(np.float32)
        L, ab = lab[..., 0], lab[..., 1:]
        scores["gray"].append(np.square(ab).mean())
        for count in (0, 10, 100):
            hint_ab, mask = protocol_hints(ab, f"bundled/{index}", count)
            predicted = colorizer.predict_ab(L[None], hint_ab[None], mask[None])[0]
            scores[count].append(np.square(predicted - ab).mean())
    means = [np.mean(np.log(scores[name])) for name in ("gray", 0, 10, 100)]
    assert means[0] > means[1] > means[2] > means[3]
    assert means[0] - means[3] > np.log(4)


def test_vivid_is_more_colourful_than_the_mean(colorizer, photographs):
    chroma = {
        decode: np.mean(
            [
                np.linalg.norm(rgb2lab(result.rgb)[..., 1:], axis=-1).mean()
                for result in colorizer.colorize(photographs, decode=decode)
            ]
        )
        for decode in ("mean", "vivid")
    }
    assert chroma["vivid"] > 1.1 * chroma["mean"]


def test_the_lightness_stays(colorizer, photographs):
    for rgb, result in zip(photographs, colorizer.colorize(photographs), strict=True):
        assert np.abs(rgb2lab(result.rgb)[..., 0] - rgb2lab(rgb)[..., 0]).max() <= 0.5
        assert peak_signal_noise_ratio(rgb, result.rgb) > 15
