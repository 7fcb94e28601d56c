import jax
import jax.numpy as jnp
import numpy as np
from skimage.color import lab2rgb, rgb2lab

from hybridvit.augment.recolor import recolor
from hybridvit.color.lab import to_luma_chroma

SIDE = 48


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A gray wall with a blue door of another lightness, sRGB 0..1; where the door is."""
    door = np.zeros((SIDE, SIDE), bool)
    door[8:40, 10:38] = True
    lab = np.where(door[..., None], (35.0, 5.0, -25.0), (75.0, 0.0, 0.0))
    return lab2rgb(lab).astype(np.float32), door


def recolored(count: int, probability: float = 1.0, sizes: tuple[int, ...] = (1, 2, 4), seed: int = 0):
    rgb, door = scene()
    luma, chroma = to_luma_chroma(jnp.broadcast_to(rgb, (count, *rgb.shape)))
    after, hints = jax.jit(recolor, static_argnums=(3, 4))(
        jax.random.key(seed), luma, chroma, probability, sizes
    )
    return np.asarray(luma), np.asarray(chroma), np.asarray(after), np.asarray(hints), door


def test_one_thing_has_the_colour_of_its_hint_and_the_rest_its_own():
    _, before, after, hints, door = recolored(200)
    moved = 110 * np.linalg.norm(after - before, axis=-1)
    inner, outer = np.zeros_like(door), np.ones_like(door)  # windows of 5 px see the edge
    inner[12:36, 14:34], outer[4:44, 6:42] = True, False
    own = hints[..., 2] > 0
    on_door, on_wall = (~(own & ~part).any((1, 2)) for part in (inner, outer))
    assert on_door.sum() > 10
    assert on_wall.sum() > 10
    assert (moved[on_door][:, outer] == 0).all()
    assert (moved[on_wall][:, inner] == 0).all()
    within = on_door | on_wall
    assert (moved[within][own[within]] > 1).all()
    for i in range(200):
        mean = np.tile(after[i][own[i]].mean(0), (own[i].sum(), 1))
        np.testing.assert_allclose(hints[i][own[i]][:, :2], mean, atol=1e-5)
        assert 0 < own[i].sum() <= 16
        assert (hints[i][~own[i]] == 0).all()


def test_each_thing_has_its_own_colour_within_the_gamut():
    luma, before, after, _, _ = recolored(100)
    middle = [np.unravel_index(np.argmax(d), d.shape) for d in np.linalg.norm(after - before, axis=-1)]
    colors = np.array([110 * after[i, y, x] for i, (y, x) in enumerate(middle)])
    hues = np.degrees(np.arctan2(colors[:, 1], colors[:, 0])) // 90
    assert set(hues) == {-2, -1, 0, 1}
    Lab = np.concatenate([50 * (luma + 1), 110 * after], -1)[:20].astype(np.float64)
    there = rgb2lab(np.clip(lab2rgb(Lab), 0, 1))
    assert (
        np.abs(there - Lab)[..., 1:].max() < 12
    )  # the lightness of the picture stays, so a little is clipped


def test_as_many_as_are_asked_for_and_by_the_key_alone():
    _, before, after, hints, _ = recolored(1000, 0.3, seed=3)
    changed = (after != before).any((1, 2, 3))
    assert abs(changed.mean() - 0.3) < 0.05
    np.testing.assert_array_equal(changed, hints[..., 2].any((1, 2)))
    np.testing.assert_array_equal(after, recolored(1000, 0.3, seed=3)[2])
    np.testing.assert_array_equal(after[~changed], before[~changed])
