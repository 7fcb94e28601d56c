import jax.numpy as jnp
import numpy as np
import pytest
from skimage.color import rgb2lab

from hybridvit.color.difference import ciede2000
from hybridvit.colorize.heat_map import colour_map, draw_heat_map


def test_equal_steps_are_equal_to_the_eye_and_rise_in_lightness():
    lab = jnp.asarray(rgb2lab(colour_map()[None] / 255)[0], jnp.float32)
    steps = np.asarray(ciede2000(lab[16:], lab[:-16]))
    assert steps.std() < 0.05 * steps.mean()
    assert (jnp.diff(lab[::4, 0]) > 0.5).all()


def test_the_scale_is_the_same_for_every_picture():
    levels = np.array([[0, 0.5], [1, 99]], np.float32)
    for level, color in zip(levels.ravel(), colour_map()[[0, 128, 255, 255]], strict=True):
        drawn = draw_heat_map(np.full((4, 6), level, np.float32), 40, 60)
        np.testing.assert_array_equal(drawn, np.broadcast_to(color, drawn.shape))


@pytest.mark.parametrize(
    ("cells", "picture", "size"),
    [
        ((32, 43), (3000, 4000), (256, 341)),
        ((43, 32), (400, 300), (341, 256)),
        ((1, 40), (1, 3000), (8, 24000)),
    ],
)
def test_it_has_the_aspect_of_the_picture(cells, picture, size):
    assert draw_heat_map(np.zeros(cells, np.float32), *picture).shape == (*size, 3)


def test_up_is_up():
    uncertainty = np.zeros((4, 6), np.float32)
    uncertainty[0, 5] = 1
    light = draw_heat_map(uncertainty, 40, 60).sum(-1, dtype=int)
    assert light[0, 47] == light.max() > light[31, 0] == light[0, 0] == light[31, 47]
