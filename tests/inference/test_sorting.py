import numpy as np
import pytest

from hybridvit.hints.shapes import HERE, Point, Region
from hybridvit.inference.sorting import (
    AGREES,
    CONFIRMS,
    FAINT,
    TONE,
    is_shown,
    is_tone,
    least_agreement,
    limited,
    sort_hints,
)
from hybridvit.inference.suggestions import shown_at

ONE, OTHER = Point(1, 1, (10.0, 10.0)), Point(5, 5, (20.0, 0.0))
AREA = Region(((0, 0), (4, 0), (4, 4)), (0.0, 30.0))


def test_hints_go_where_they_agree():
    hints = sort_hints((ONE, AREA, OTHER), (1.0, -1.0, 0.01), lambda hint: False)
    assert hints.given == (ONE,)
    assert hints.bounded == (AREA, OTHER)
    assert hints.doubted == (OTHER,)
    assert 0 < hints.most < FAINT


def test_what_only_confirms_keeps_its_own_pixels_until_there_is_news():
    alone = sort_hints((ONE, AREA), (np.inf, -1.0), lambda hint: hint == ONE)
    assert alone.given == () == alone.doubted
    assert [hint.reach for hint in alone.bounded] == [HERE, HERE]
    with_news = sort_hints((ONE, OTHER), (np.inf, 0.9), lambda hint: hint == ONE)
    assert with_news.given == (ONE, OTHER)


def test_the_less_likely_and_the_weaker_a_hint_the_less_it_moves_and_further_reach_and_others_add():
    def most(*agreements, **changed):
        hints = [Point(i, 1, (9.0, 9.0), **changed) for i in range(len(agreements))]
        return sort_hints(hints, agreements, lambda hint: False).most

    assert most(1e-9) < most(1e-3) < most(0.1) < FAINT
    assert most(0.1, strength=0.5) == pytest.approx(most(0.1) / 2)
    assert most(0.1, strength=0.0) == 0
    assert most(0.1, reach=0.9) == pytest.approx(5 * most(0.1))
    assert most(0.1, 1e-3) == pytest.approx(most(0.1) + most(1e-3))


def test_no_change_is_longer_than_the_most_and_its_direction_stays():
    change = np.random.default_rng(0).normal(0, 8, (20, 30, 2))
    found = limited(change, FAINT)
    length = np.linalg.norm(change, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), np.minimum(length, FAINT))
    np.testing.assert_allclose(found / np.linalg.norm(found, axis=-1)[..., None], change / length[..., None])


@pytest.mark.parametrize("told", [1.0, 60.0])
def test_a_tone_moves_the_picture_about_as_far_as_the_hints_were_told(told):
    rng = np.random.default_rng(0)
    change, news = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in rng.normal(size=(2, 20, 30, 2)))
    low, high = TONE
    shares = (0, low, (low + high) / 2, high, 1)
    found = [is_tone(share * told * change, told * news[0]) for share in shares]
    np.testing.assert_allclose(found, (0, 0, 0.5, 1, 1), atol=1e-6)
    assert is_tone(change, news[0, :0]) == 0  # hints in the border


def test_a_colour_is_shown_also_where_the_gamut_cuts_it():
    L, own = np.full((8, 8), 20.0, np.float32), np.zeros((8, 8), bool)
    own[2:4, 2:4] = True
    blue = np.array([10.0, -70.0], np.float32)
    shown = np.broadcast_to(blue, (8, 8, 2))
    _, (seen,) = shown_at(20.0, blue[None])
    assert np.linalg.norm(seen - blue) > 10
    assert is_shown(L, shown, own, blue)
    assert is_shown(L, shown, own, seen)
    assert not is_shown(L, shown, own, seen + np.float32(CONFIRMS))


def test_the_more_hints_agree_the_less_likely_another_may_be():
    assert least_agreement([]) == least_agreement([0.001] * 9) == AGREES
    found = [least_agreement([1.0] * count) for count in (1, 2, 5, 20)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 1e-4
