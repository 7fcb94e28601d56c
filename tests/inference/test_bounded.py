import numpy as np
import pytest

from hybridvit.color.bins import NUM_BINS
from hybridvit.hints.shapes import THING
from hybridvit.inference import reach
from hybridvit.inference.bounded import Known, lay

SIDE = 96
NOTHING = np.zeros((SIDE, SIDE), bool)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.fixture
def light() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return (50 + 30 * np.sin(y / 9) + 10 * (x > 50)).astype(np.float32)


@pytest.fixture
def land(light, rng) -> reach.Terrain:
    return reach.terrain(light, rng.normal(0, 2, (SIDE // 8, SIDE // 8, NUM_BINS)).astype(np.float32))


def known(rng, strength: float = 1.0, far: float = 0.5) -> Known:
    own = np.zeros((SIDE, SIDE), bool)
    row, column = rng.integers(0, SIDE - 20, 2)
    own[row : row + 18, column : column + 12] = True
    return Known(own, rng.uniform(-40, 40, 2), far, strength)


def blended(land, L, hints, others) -> tuple[np.ndarray, np.ndarray]:
    """Weight and colour pixel by pixel, as the rules say it, in float64."""
    things = [(hint, far) for hint, far in hints if far is not None]
    weight, ab = np.zeros(L.shape), np.zeros((*L.shape, 2))
    if things:
        there = [reach.within(far, hint.reach) for hint, far in things]
        pull = [share * (far + 0.05) ** -4.0 for share, (_, far) in zip(there, things, strict=True)]
        mean = sum(p[..., None] * hint.ab for p, (hint, _) in zip(pull, things, strict=True))
        mean = mean / np.maximum(sum(pull), 1e-6)[..., None]
        most = np.max([hint.strength * share for share, (hint, _) in zip(there, things, strict=True)], 0)
        if others.any():
            far = reach.distances(land, others)
            theirs = reach.within(far, THING) * (far + 0.05) ** -4.0
            most = most * sum(pull) / np.maximum(sum(pull) + theirs, 1e-6)
        planes = reach.to_view(np.stack([most, most * mean[..., 0], most * mean[..., 1]]), L)
        weight = np.clip(planes[0], 0, 1)
        ab = np.moveaxis(planes[1:], 0, -1) / np.maximum(planes[0], 0.05)[..., None]
        if len(things) == 1:  # whose colour is known
            ab = np.tile(things[0][0].ab, (*L.shape, 1))
    owner = np.full(L.shape, -1)
    for index, (hint, _) in enumerate(hints):
        owner[hint.own] = index
    edge = reach.soft_edge(L, owner >= 0)
    for at in np.argwhere(edge.weight > 0):
        row, column = at
        hint = hints[owner[tuple(edge.nearest[:, row, column])]][0]
        share = edge.weight[row, column] * hint.strength
        below = weight[row, column] * (1 - edge.weight[row, column])
        mixed = share * hint.ab + below * ab[row, column]
        weight[row, column] = share + below
        ab[row, column] = mixed / max(share + below, 1e-6)
    return np.where(others, 0, weight), ab


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("given", [False, True])
def test_what_is_laid_over_is_what_the_rules_say(land, light, rng, count, given):
    hints = [known(rng, strength) for strength in (1.0, 0.4, 0.8)[:count]]
    hints = [(hint, reach.distances(land, hint.own)) for hint in hints]
    hints.append((known(rng, 0.7, 0.0), None))
    others = np.zeros((SIDE, SIDE), bool)
    others[70:74, 5:9] = given
    laid = lay(land, light, hints, others)
    weight, ab = blended(land, light, hints, others)
    np.testing.assert_allclose(laid.weight, weight, atol=1e-4)
    seen = laid.weight[..., None] * laid.ab, weight[..., None] * ab
    np.testing.assert_allclose(*seen, atol=5e-3)
    assert laid.over(np.zeros_like(ab, np.float32)).dtype == np.float32


def test_a_hint_that_only_changes_itself_has_its_own_colour_and_nothing_far_from_it(land, light, rng):
    hint = known(rng)
    laid = lay(land, light, [(hint, None)], NOTHING)
    np.testing.assert_allclose(
        laid.over(np.full((SIDE, SIDE, 2), 7.0))[hint.own], np.tile(hint.ab, (216, 1)), rtol=1e-5
    )
    assert (laid.weight[hint.own] == 1).all()
    assert 0.024 < (laid.weight > 0).mean() < 0.06  # its own are 0.0234
