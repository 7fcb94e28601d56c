import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab

from hybridvit.color.difference import ciede2000

rng = np.random.default_rng(2)
difference = jax.jit(ciede2000)


def random_colours(count, spread=128):
    return (rng.random((count, 3)) * [100, 2 * spread, 2 * spread] - [0, spread, spread]).astype(np.float32)


def photographic_colours(count):
    return rgb2lab(rng.random((count, 3))).astype(np.float32)


PAIRS = [
    (random_colours(4000), random_colours(4000)),
    (photographic_colours(4000), photographic_colours(4000)),
    (photographic_colours(2000), None),  # near each other
    (random_colours(2000, spread=5), random_colours(2000, spread=5)),  # near gray
    (random_colours(500), random_colours(500) * np.float32([1, 0, 0])),  # with gray
    (random_colours(500) * np.float32([1, 0, 0]), random_colours(500) * np.float32([1, 0, 0])),
    (random_colours(500, spread=400), random_colours(500, spread=400)),  # out of the gamut
]


@pytest.mark.parametrize("pair", range(len(PAIRS)))
def test_equals_scikit_image(pair):
    first, second = PAIRS[pair]
    if second is None:
        second = first + rng.normal(size=first.shape).astype(np.float32)
    expected = deltaE_ciede2000(first.astype(np.float64), second.astype(np.float64))
    np.testing.assert_allclose(difference(first, second), expected, atol=1e-3, rtol=0)


def test_equals_scikit_image_on_the_axes_the_primaries_and_around_the_wrap_of_hue():
    axes = [[50, 50, 0], [50, 0, 50], [50, -50, 1], [50, 1, -50], [0, 0, 0], [100, 0, 0], [60, 40, -1e-3]]
    primaries = rgb2lab(np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), -1).reshape(-1, 3))
    blues = [[30, 20 + i, -40 - i] for i in range(5)]  # where the rotation term is greatest
    colours = np.concatenate([axes, primaries, blues, [[60, 40, 1e-3], [60, 40, 0]]]).astype(np.float32)
    first, second = (x.reshape(-1, 3) for x in np.broadcast_arrays(colours[:, None], colours[None]))
    expected = deltaE_ciede2000(first.astype(np.float64), second.astype(np.float64))
    np.testing.assert_allclose(difference(first, second), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("lab1", "lab2", "published"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_published_pairs(lab1, lab2, published):
    np.testing.assert_allclose(difference(jnp.array(lab1), jnp.array(lab2)), published, atol=1e-3)


colour = st.tuples(st.floats(0, 100, width=32), *[st.floats(-128, 128, width=32)] * 2).map(
    lambda c: jnp.array(c, jnp.float32)
)
gradient = jax.jit(jax.grad(lambda x, y: ciede2000(x, y).sum(), argnums=(0, 1)))


@settings(deadline=None, max_examples=60)
@given(colour, colour)
def test_is_symmetric_zero_for_equals_and_has_a_finite_gradient(x, y):
    assert difference(x, x) == 0
    assert difference(x, y) >= 0
    # At opposite hues the mean hue jumps, and rounding decides which way (Sharma et al., section 2).
    hues = [np.arctan2(float(v[2]), float(v[1])) for v in (x, y)]
    if abs(abs(hues[0] - hues[1]) - np.pi) > 0.05:
        np.testing.assert_allclose(difference(x, y), difference(y, x), rtol=1e-3, atol=1e-3)
    for pair in [(x, y), (x, x)]:
        assert all(bool(jnp.isfinite(g).all()) for g in gradient(*pair))


def test_gradient_is_finite_for_grays_and_denormals():
    special = np.array(
        [[0, 0, 0], [50, 0, 0], [100, 0, 0], [50, 1e-20, 0], [50, 1e-6, -1e-6], [50, 0, 1e-30], [50, 40, 0]],
        np.float32,
    )
    first, second = (x.reshape(-1, 3) for x in np.broadcast_arrays(special[:, None], special[None]))
    assert all(bool(jnp.isfinite(g).all()) for g in gradient(first, second))
    equal = gradient(jnp.asarray(special), jnp.asarray(special))
    np.testing.assert_array_equal(equal, 0)


def test_gradient_points_downhill():
    first, second = photographic_colours(300), photographic_colours(300)
    downhill = first - 0.01 * np.asarray(gradient(first, second)[0])
    assert (difference(downhill, second) < difference(first, second)).mean() > 0.99


def test_takes_any_leading_shape():
    first, second = photographic_colours(24), photographic_colours(24)
    flat = difference(first, second)
    shaped = difference(first.reshape(2, 3, 4, 3), second.reshape(2, 3, 4, 3))
    assert shaped.shape == (2, 3, 4)
    np.testing.assert_allclose(shaped.ravel(), flat, atol=1e-4)
