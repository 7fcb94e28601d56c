import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.measures.frechet import frechet_distance, moments_of, pooled


def by_definition(first: np.ndarray, second: np.ndarray) -> float:
    """The formula as it is written, with SciPy's square root of a matrix."""
    means = first.mean(0) - second.mean(0)
    covariances = [np.cov(x, rowvar=False, ddof=1) for x in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return float((means @ means + np.trace(covariances[0] + covariances[1] - 2 * root)).real)


def draw(seed: int, count: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(rng.normal(size=width), 1, (count, width)) @ rng.normal(size=(width, width))


@pytest.mark.parametrize(("seed", "count", "width"), [(0, 50, 1), (1, 60, 12), (2, 200, 40)])
def test_it_is_what_the_formula_says(seed, count, width):
    first, second = draw(seed, count, width).reshape(count, width), draw(seed + 10, 2 * count, width)
    if width == 1:  # np.cov gives a number
        expected = (first.mean() - second.mean()) ** 2 + (first.std(ddof=1) - second.std(ddof=1)) ** 2
    else:
        expected = by_definition(first, second)
    assert frechet_distance(moments_of(first), moments_of(second)) == pytest.approx(expected, rel=1e-9)


def test_of_fewer_pictures_than_features():
    """The product of two such covariances is singular; its root by its eigenvalues, which are real and not negative."""
    first, second = draw(3, 7, 30), draw(4, 9, 30)
    covariances = [np.cov(x, rowvar=False) for x in (first, second)]
    values = np.linalg.eigvals(covariances[0] @ covariances[1]).real
    expected = np.sum((first.mean(0) - second.mean(0)) ** 2)
    expected += (
        np.trace(covariances[0] + covariances[1]) - 2 * np.sqrt(values[values > 1e-9 * values.max()]).sum()
    )
    assert frechet_distance(moments_of(first), moments_of(second)) == pytest.approx(expected, rel=1e-6)


def test_of_itself_it_is_0_and_of_two_places_the_square_of_the_way():
    features = draw(5, 6, 20).astype(np.float32)
    scale = np.trace(moments_of(features).covariance)
    assert frechet_distance(moments_of(features), moments_of(features)) == pytest.approx(0, abs=1e-9 * scale)
    moved = features.astype(np.float64) + 3
    moments = moments_of(features.astype(np.float64))
    assert frechet_distance(moments, moments_of(moved)) == pytest.approx(9 * 20, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.floats(-1e4, 1e4, allow_subnormal=False))
def test_parts_give_the_moments_of_the_whole(sizes, far):
    features = draw(6, sum(sizes), 5) + far
    parts = np.split(features, np.cumsum(sizes)[:-1])
    found = moments_of(parts[0])
    for part in parts[1:]:
        found = pooled(found, moments_of(part))
    whole = moments_of(features)
    assert found.count == whole.count
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-9)
    assert len(found.rows) <= 2 * 5
    expected = np.cov(features, rowvar=False)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-7, atol=1e-7 * np.trace(expected))


def test_one_picture_is_no_set():
    one = moments_of(np.ones((1, 3)))
    with pytest.raises(ValueError, match="two pictures or more, not 1"):
        frechet_distance(one, moments_of(np.eye(3)))
