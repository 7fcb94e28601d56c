import numpy as np
from scipy.ndimage import gaussian_filter

from hybridvit.classical import rules


def landscape() -> np.ndarray:
    """A bright even sky above textured ground of middle lightness."""
    rng = np.random.default_rng(0)
    L = np.full((120, 160), 85.0)
    L[60:] = 40 + 60 * gaussian_filter(rng.normal(0, 1, (60, 160)), 0.7)
    return np.clip(L, 0, 100).astype(np.float32)


def test_sky_is_blue_and_plants_are_green():
    ab = rules.tint(landscape())
    sky, ground = ab[:40].mean((0, 1)), ab[80:].mean((0, 1))
    assert sky[1] < -8
    assert ground[0] < -3
    assert ground[1] > 5


def test_what_is_under_something_dark_is_no_sky():
    L = landscape()
    L[20:24] = 10
    assert rules.tint(L)[:15, :, 1].mean() < -8
    assert rules.tint(L)[35:50, :, 1].mean() > 0


def test_a_face_is_warm_and_black_and_white_are_gray():
    face = np.full((100, 80), 30, np.float32)
    face[25:75, 15:65] = 68
    assert (rules.tint(face)[50, 40] > 5).all()
    for L in (0, 100):
        assert np.abs(rules.tint(np.full((9, 9), L, np.float32))).max() < 4


def test_mirrored_pictures_have_mirrored_colours():
    L = landscape()
    np.testing.assert_allclose(rules.tint(L[:, ::-1]), rules.tint(L)[:, ::-1], atol=1e-3)
