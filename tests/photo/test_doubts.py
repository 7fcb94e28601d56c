import numpy as np
import pytest
from PIL import Image
from skimage import data

from hybridvit.photo.doubts import doubts_about
from hybridvit.photo.photo import read_photo

PHOTO = np.asarray(Image.fromarray(data.chelsea()).convert("L"))[..., None]


@pytest.mark.parametrize("name", ["chelsea", "coffee", "astronaut", "camera", "rocket", "brick"])
@pytest.mark.parametrize("deep", [False, True])
def test_of_photographs_there_are_none(name: str, deep: bool):
    pixels = getattr(data, name)()
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    pixels = pixels.astype(np.uint16) * 257 if deep else pixels
    opaque = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
    assert doubts_about(pixels, opaque, pixels.nbytes) == ()


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (PHOTO // 100, "all black"),
        (255 - PHOTO // 100, "all white"),
        (PHOTO // 100 + np.uint8(90), "one tone"),
        (PHOTO.astype(np.uint16) * 16, "12 bits"),
        (np.where(PHOTO > 150, np.uint8(240), np.uint8(12)), "negative"),
    ],
)
def test_tones(pixels, said):
    (doubt,) = doubts_about(pixels, None, pixels.nbytes)
    assert said in doubt


def test_transparency_and_size():
    flat = PHOTO[..., 0]
    assert doubts_about(PHOTO, 0 * flat, 1) == ("all of it is transparent",)
    assert "nowhere is it opaque" in doubts_about(PHOTO, np.minimum(flat, 200), 1)[0]
    (doubt,) = doubts_about(PHOTO[:40, :60], None, 5_000_000)
    assert doubt == "only 60 x 40 px were found in 5.0 MB of file: it may be a preview"


def test_doubts_are_remarks(tmp_path):
    Image.new("L", (60, 40)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").remarks == ("it is all black, or nearly so",)
    image = Image.fromarray(PHOTO[:40, :60, 0])
    image.save(tmp_path / "b.tif", icc_profile=None, tiffinfo={37724: bytes(200_000)})
    assert "may be a preview" in read_photo(tmp_path / "b.tif").remarks[0]
    image.save(tmp_path / "c.png", icc_profile=bytes(200_000))  # its size has a reason
    assert not any("preview" in remark for remark in read_photo(tmp_path / "c.png").remarks)
