import numpy as np
import pytest
from skimage.color import rgb2lab

from hybridvit.adapt.lesson import Lesson
from hybridvit.adapt.prospects import LEAST, Anchor, anchor_of, gain, loss, make_say
from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference.colorizer import Colorizer


@pytest.fixture
def unsure() -> tuple[Lesson, np.ndarray]:
    """What is said of 8 x 8 px, which are of one of three colours; and the colours that they have, drawn by that."""
    rng = np.random.default_rng(0)
    bins, chances = [40, 150, 250], [0.5, 0.3, 0.2]
    probs = np.zeros((1, 1, 313), np.float16)
    probs[..., bins] = chances
    mean = np.asarray(chances) @ BIN_CENTRES[bins]
    ab = np.broadcast_to(mean, (8, 8, 2)).astype(np.float32)
    drawn = BIN_CENTRES[rng.choice(bins, 200_000, p=chances)]
    lesson = Lesson(np.full((8, 8), 50.0), ab, probs, np.zeros_like(ab), np.zeros((8, 8), bool))
    return lesson, drawn


def decibels(drawn: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """By errors to colours, one by one."""
    old, new = (np.square(drawn - said).sum(-1).mean() + LEAST for said in (before, after))
    return 10 * np.log10(old / new)


def test_what_is_expected_is_what_comes_of_it(unsure):
    lesson, drawn = unsure
    moved = lesson.ab + np.float32([9.0, -4.0])
    lost = loss([moved], [Anchor(lesson)])
    assert lost == pytest.approx(-decibels(drawn, lesson.ab[0, 0], moved[0, 0]), abs=0.01)
    assert lost > 0.05
    gained = gain([moved], [lesson.ab], [lesson])
    assert gained == pytest.approx(decibels(drawn, moved[0, 0], lesson.ab[0, 0]), abs=0.01)
    assert gain([moved, lesson.ab], [lesson.ab] * 2, [lesson] * 2) == pytest.approx(gained / 2)


def test_a_truth_that_says_worse_is_believed(unsure):
    lesson, _ = unsure
    moved = lesson.ab + np.float32([3.0, 0.0])
    expected = loss([moved], [Anchor(lesson)])
    away, towards = (Anchor(lesson, lesson.ab + np.float32([sign * 5, 0])) for sign in (-1, 1))
    assert loss([moved], [away]) == pytest.approx(10 * np.log10((64 + LEAST) / (25 + LEAST)))
    assert loss([moved], [towards]) == expected


def test_an_anchor_in_colour_knows_its_colours(tiny_weights):
    rng = np.random.default_rng(0)
    color = rng.integers(0, 255, (64, 96, 3)).astype(np.uint8)
    colorizer = Colorizer(tiny_weights)
    anchor = anchor_of(colorizer.open(color))
    assert anchor.truth is not None
    assert np.allclose(anchor.truth, rgb2lab(color)[..., 1:], atol=0.1)
    gray = color[..., :1]
    for pixels in (gray[..., 0], np.repeat(gray, 3, -1)):
        assert anchor_of(colorizer.open(pixels)).truth is None
    (said,) = make_say(tiny_weights)(tiny_weights.params, [anchor.said])
    assert np.allclose(said, anchor.said.ab, atol=1e-3)
