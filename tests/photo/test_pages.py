import json
import pathlib

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image
from skimage import data
from skimage.color import rgb2lab

from hybridvit.colorize.batch import colorize_files
from hybridvit.colorize.inputs import Source
from hybridvit.colorize.naming import plan
from hybridvit.colorize.summary import Summary
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import Sidecar, save_hints
from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import photo_of, read_photo
from hybridvit.photo.provenance import provenance_of

COFFEE = np.asarray(Image.fromarray(data.coffee()).convert("L"))[:240, :360]
CAMERA = data.camera()[:200, :180]
SMALL = np.asarray(Image.fromarray(COFFEE).resize((60, 40)))
GRAY = {"photometric": "minisblack", "metadata": None}
REDUCED = GRAY | {"subfiletype": 1}
MASK = {"photometric": "mask", "subfiletype": 4, "metadata": None}


@pytest.fixture(scope="module")
def colorizer(tiny_weights) -> Colorizer:
    return Colorizer(tiny_weights)


def write(path: pathlib.Path, *pages) -> pathlib.Path:
    with tifffile.TiffWriter(path) as tiff:
        for pixels, how in pages:
            tiff.write(pixels, **how)
    return path


def colour(
    colorizer, path: pathlib.Path, output: pathlib.Path, form: str | None = None, sidecar=None
) -> Summary:
    summary = Summary(total=1)
    jobs = plan([Source(path, pathlib.Path(path.name))], output, form).jobs
    colorize_files(colorizer, jobs, summary, sidecar_of=lambda _: sidecar, settings={"size": 64})
    assert not summary.failed, summary.failed
    return summary


def lightness_of(pixels: np.ndarray) -> np.ndarray:
    white = np.iinfo(pixels.dtype).max
    return rgb2lab(pixels / white if pixels.ndim == 3 else np.dstack([pixels / white] * 3))[..., 0]


@pytest.fixture
def album(tmp_path: pathlib.Path) -> pathlib.Path:
    """Three unlike pages: turned, of 8 bits; of 16 bits; small, colour, with alpha."""
    artist, turned = (315, 2, None, "A. Reader", True), (274, 3, 1, 6, True)
    rgba = np.dstack([CAMERA[:50, :70]] * 3 + [np.full((50, 70), 128, np.uint8)])
    return write(
        tmp_path / "album.tif",
        (COFFEE, GRAY | {"extratags": [turned], "resolution": (300, 200), "resolutionunit": 2}),
        (CAMERA.astype(np.uint16) * 257, GRAY | {"extratags": [artist], "compression": "zlib"}),
        (rgba, {"photometric": "rgb", "extrasamples": ["unassalpha"], "metadata": None}),
    )


def test_all_pages_are_coloured_each_as_it_is(colorizer, album, tmp_path):
    colour(colorizer, album, tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out" / "album.tif") as tiff:
        first, second, third = tiff.pages
        for page, upright in ((first, np.rot90(COFFEE, -1)), (second, CAMERA.astype(np.uint16) * 257)):
            pixels = page.asarray()
            assert (pixels.shape[:2], pixels.dtype) == (upright.shape, upright.dtype)
            off = np.abs(lightness_of(pixels) - lightness_of(upright))
            assert off.max() < (0.5 if upright.dtype == np.uint8 else 0.05)
            assert np.ptp(pixels.astype(int), axis=-1).max() > 10  # it has colours
        assert third.shape == (50, 70, 4)
        assert (third.asarray()[..., 3] == 128).all()
        assert [page.tags["Orientation"].value for page in tiff.pages] == [1, 1, 1]
        assert first.tags["XResolution"].value == (200, 1)  # on its side
        assert "Artist" not in first.tags
        assert second.tags["Artist"].value == "A. Reader"
        for page in tiff.pages:
            said = provenance_of(page.tags["XMP"].value)
            assert said["source"] == "album.tif"
            assert json.loads(said["settings"])["size"] == 64
        assert [page.is_reduced for page in tiff.pages] == [False] * 3
    for number, page in enumerate((np.rot90(COFFEE, -1), CAMERA)):
        assert pyvips.Image.new_from_file(str(tmp_path / "out" / "album.tif"), page=number).height == len(
            page
        )
    with Image.open(tmp_path / "out" / "album.tif") as image:
        assert image.n_frames == 3
    again = colour(colorizer, album, tmp_path / "out")
    assert (again.coloured, again.done) == (0, 1)


def test_pages_are_coloured_as_the_pages_alone(colorizer, album, tmp_path):
    colorizer.colorize(album, size=64).save(tmp_path / "all.tif")
    alone = write(tmp_path / "one.tif", (CAMERA.astype(np.uint16) * 257, GRAY))
    pages = tifffile.TiffFile(tmp_path / "all.tif").pages
    np.testing.assert_array_equal(pages[1].asarray(), colorizer.colorize(alone, size=64).rgb)


def test_hints_are_of_the_first_page(colorizer, album, tmp_path):
    hint = Point(100, 200, (30.0, 20.0))
    colorizer.colorize(album, [hint], size=64).save(tmp_path / "hinted.tif")
    colorizer.colorize(album, size=64).save(tmp_path / "free.tif")
    hinted, free = (tifffile.TiffFile(tmp_path / f"{name}.tif").pages for name in ("hinted", "free"))
    assert (hinted[0].asarray() != free[0].asarray()).any()
    np.testing.assert_array_equal(hinted[1].asarray(), free[1].asarray())


def test_that_hints_and_heat_map_are_of_the_first_page_is_said(colorizer, album, tmp_path):
    height, width = read_photo(album).pixels.shape[:2]
    recipe = Recipe((Point(100, 200, (30.0, 20.0)),))
    sidecar = tmp_path / "album.hints.json"
    save_hints(sidecar, Sidecar(width, height, recipe=recipe))
    summary = Summary(total=1)
    jobs = plan([Source(album, pathlib.Path(album.name))], tmp_path / "out", None, heat_map=True).jobs
    colorize_files(colorizer, jobs, summary, sidecar_of=lambda _: sidecar, settings={"size": 64})
    assert not summary.failed, summary.failed
    said = [line.removeprefix(f"{album}: ") for line in summary.remarked()]
    assert "its hints are of the first of its 3 pages" in said
    assert "the heat map is of the first of its 3 pages" in said


def test_formats_of_one_page_say_what_they_leave_out(colorizer, album, tmp_path):
    summary = colour(colorizer, album, tmp_path / "out", "webp")
    assert summary.remarked() == [f"{album}: webp holds the first of its 3 pages: --format tiff keeps all"]
    assert Image.open(tmp_path / "out" / "album.webp").size == (240, 360)


def test_a_damaged_page_is_named_and_nothing_is_written(colorizer, tmp_path):
    path = write(tmp_path / "scan.tif", (COFFEE, GRAY), (CAMERA, GRAY | {"compression": "zlib"}))
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[1].dataoffsets[0]
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes(200))
    with pytest.raises(ValueError, match=r"scan.tif: page 2: damaged or cut short"):
        colorizer.colorize(path, size=64).save(tmp_path / "colour.tif")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["scan.tif"]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([(SMALL, REDUCED), (COFFEE, GRAY)], id="a preview first"),
        pytest.param([(SMALL, REDUCED | {"subifds": 1}), (COFFEE, GRAY)], id="below its preview"),
        pytest.param([(SMALL, GRAY), (COFFEE, GRAY)], id="a preview that does not say so"),
        pytest.param([(SMALL, GRAY | {"subifds": 1}), (COFFEE, GRAY)], id="below one that does not say so"),
        pytest.param(
            [(COFFEE, GRAY), (COFFEE[::2, ::2], REDUCED), (COFFEE[::4, ::4], REDUCED)], id="pyramid"
        ),
        pytest.param(
            [(COFFEE, GRAY | {"subifds": 2}), (COFFEE[::2, ::2], REDUCED), (COFFEE[::4, ::4], REDUCED)],
            id="pyramid below",
        ),
        pytest.param(
            [(COFFEE, GRAY), (COFFEE[::2, ::2], GRAY), (COFFEE[::4, ::4], GRAY)], id="silent pyramid"
        ),
        pytest.param([(COFFEE, GRAY), (COFFEE > 99, MASK)], id="mask"),
    ],
)
def test_previews_and_pyramids_are_no_pages(tmp_path, pages):
    path = write(tmp_path / "scan.tif", *pages)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels[..., 0], COFFEE)
    assert (photo.further, photo.remarks) == ((), ())


def test_an_unlike_page_of_half_the_size_is_a_page(tmp_path):
    half = np.asarray(Image.fromarray(data.camera()).resize((180, 120)))
    assert len(read_photo(write(tmp_path / "scan.tif", (COFFEE, GRAY), (half, GRAY))).further) == 1


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    "pages",
    [
        [(SMALL, REDUCED), (COFFEE, GRAY)],
        [(SMALL, REDUCED | {"subifds": 1}), (COFFEE, GRAY)],
        [(SMALL, GRAY), (COFFEE, GRAY)],
        [(SMALL, GRAY | {"subifds": 1}), (COFFEE, GRAY)],
    ],
)
def test_a_pillow_image_at_its_preview_gives_the_photograph(tmp_path, pages, loaded):
    path = write(tmp_path / "scan.tif", *pages)
    with Image.open(path) as image:
        if loaded:
            image.load()
        np.testing.assert_array_equal(photo_of(image).pixels[..., 0], COFFEE)
        assert image.size == (60, 40)
    with path.open("rb") as file:
        image = Image.open(file)
        np.testing.assert_array_equal(photo_of(image).pixels[..., 0], COFFEE)
        kept = image.copy()  # knows nothing of its file
    assert photo_of(kept).pixels.shape == (40, 60, 1)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_photograph_too_large_for_pillow_behind_its_preview(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    path = write(tmp_path / "scan.tif", (SMALL, REDUCED), (COFFEE, GRAY))
    with Image.open(path) as image, pytest.raises(ValueError, match="is too large for Pillow"):
        photo_of(image)


def test_a_pillow_image_at_another_page_is_that_page(tmp_path):
    with Image.open(write(tmp_path / "scan.tif", (COFFEE, GRAY), (CAMERA, GRAY))) as image:
        image.seek(1)
        np.testing.assert_array_equal(photo_of(image).pixels[..., 0], CAMERA)


@pytest.mark.parametrize(("photometric", "what"), [(32803, "a mosaic of colours"), (34892, "linear")])
def test_raw_data_is_refused_as_what_it_is(tmp_path, photometric, what):
    dng = [(50706, 1, 4, b"\1\4\0\0", True)]
    raw = {"photometric": photometric, "subfiletype": 0, "metadata": None}
    rgb = np.dstack([COFFEE] * 3).astype(np.uint16)
    preview = {"photometric": "rgb", "subfiletype": 1, "subifds": 1, "metadata": None, "extratags": dng}
    pages = (np.dstack([SMALL] * 3), preview), (rgb if photometric == 34892 else rgb[..., 0].copy(), raw)
    path = write(tmp_path / "scan.dng", *pages)
    with pytest.raises(
        ValueError, match=rf"scan.dng: no photograph, but .*raw data .*{what}.*develop it first"
    ):
        read_photo(path)
    with Image.open(path) as image, pytest.raises(ValueError, match=r"raw data"):
        photo_of(image)


def test_animations_and_pictures_beside_the_first_are_said(tmp_path):
    frames = [Image.fromarray(np.dstack([plane] * 3)) for plane in (COFFEE, COFFEE[::-1], COFFEE[:, ::-1])]
    for name in ("a.gif", "a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100)
        photo = read_photo(tmp_path / name)
        assert photo.remarks == ("an animation: the first of its 3 frames is coloured",)
        assert photo.pixels.shape[:2] == COFFEE.shape
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    assert read_photo(tmp_path / "a.mpo").remarks == ("the first of its 3 pictures is coloured",)
    for name in ("b.png", "b.jpg", "b.webp", "b.gif"):
        frames[0].save(tmp_path / name)
        assert read_photo(tmp_path / name).remarks == ()
