"""Range and matrix, against FFmpeg's own conversion."""

import av
import numpy as np
import pytest
from skimage.color import rgb2lab

from hybridvit.film.chroma import chroma_of
from hybridvit.film.levels import BT601, BT709, Levels, fitted, values


def maps_of(ab: np.ndarray, L: np.ndarray) -> np.ndarray:
    return np.stack([ab[..., 0], ab[..., 1], L, np.zeros_like(L), np.zeros_like(L)]).astype(np.float32)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("matrix", "name"), [(BT601, "ITU601"), (BT709, "ITU709")])
def test_decoded_by_ffmpeg_the_colors_are_those_asked_for(matrix, name, full):
    levels = Levels(8, full)
    y = np.repeat(np.linspace(0.3, 0.7, 32, dtype=np.float32)[:, None], 32, 1)
    luma = np.rint(levels.black + levels.span * y).astype(np.uint8)
    angle = np.linspace(0, 2 * np.pi, 32)
    ab = np.broadcast_to(np.stack([18 * np.cos(angle), 18 * np.sin(angle)], -1), (32, 32, 2))
    chroma = chroma_of(values(luma, levels), maps_of(ab, np.zeros((32, 32))), matrix, levels)
    frame = av.VideoFrame(32, 32, "yuv444p")
    for plane, array in zip(frame.planes, (luma, *chroma), strict=True):
        np.frombuffer(plane, np.uint8).reshape(32, -1)[:, :32] = array
    rgb = frame.reformat(
        format="gbrp",
        src_colorspace=name,
        dst_colorspace=name,
        src_color_range="JPEG" if full else "MPEG",
        dst_color_range="JPEG",
        interpolation="ACCURATE_RND",
    ).to_ndarray(format="rgb24")
    found = rgb2lab(rgb)[..., 1:]
    assert np.abs(found - ab).max() < 3  # the rounding of 8 bits; of another matrix or range it is 6 and more
    assert np.abs(found - ab).mean() < 0.9


def test_colors_out_of_the_gamut_are_clipped_by_no_channel():
    y = np.linspace(0, 1, 64, dtype=np.float32)[None]
    ab = np.broadcast_to(np.array([90.0, -90.0]), (1, 64, 2))
    levels = Levels(16, True)
    cb, cr = (
        (np.asarray(plane, float) - levels.gray) / levels.chroma_span
        for plane in chroma_of(y, maps_of(ab, np.zeros((1, 64))), BT709, levels)
    )
    red, blue = y + 2 * (1 - BT709.red) * cr, y + 2 * (1 - BT709.blue) * cb
    green = (y - BT709.red * red - BT709.blue * blue) / (1 - BT709.red - BT709.blue)
    assert min(red.min(), green.min(), blue.min()) > -0.001
    assert max(red.max(), green.max(), blue.max()) < 1.001
    assert np.abs(cr[0, 20:44]).min() > 0.05


@pytest.mark.parametrize("full", [False, True])
def test_more_bits_hold_each_luma(full):
    plane = np.arange(256, dtype=np.uint8)[None]
    for to in (Levels(10, full), Levels(12, full), Levels(10, False)):
        deep = fitted(plane, Levels(8, full), to)
        assert len(np.unique(deep)) == 256
        again = (deep.astype(float) - to.black) / to.span
        assert (
            np.abs(again - (plane - float(Levels(8, full).black)) / Levels(8, full).span).max()
            < 0.5 / to.span + 1e-9
        )
    assert fitted(plane, Levels(8, full), Levels(8, full)) is plane
