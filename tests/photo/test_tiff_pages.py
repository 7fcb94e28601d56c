import io
import pathlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.data.decode import UnreadableImageError, read_picture
from hybridvit.photo.tiff_pages import photograph_file, photographs, tiff_entries

RNG = np.random.default_rng(0)
LARGE, OTHER = (RNG.integers(0, 256, size, dtype=np.uint8) for size in ((90, 120), (70, 100)))
SMALL = LARGE[::4, ::4].copy()
GRAY = {"photometric": "minisblack", "metadata": None}
REDUCED = GRAY | {"subfiletype": 1}


def written(*pages, **how) -> bytes:
    """(pixels, options) each, in the order of the file; `subifds=1` puts the next one below."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **how) as tiff:
        for pixels, options in pages:
            tiff.write(pixels, **options)
    return file.getvalue()


CHAIN = written((LARGE, GRAY), (OTHER, GRAY))
PREVIEW_FIRST = written((SMALL, REDUCED), (LARGE, GRAY))
PREVIEW_ABOVE = written((SMALL, REDUCED | {"subifds": 1}), (LARGE, GRAY))
PYRAMID = written((LARGE, GRAY | {"subifds": 2}), (LARGE[::2, ::2], REDUCED), (SMALL, REDUCED))
MASK = {"photometric": "mask", "subfiletype": 4, "metadata": None}
MASKED = written((LARGE, GRAY), (LARGE > 99, MASK))


def sizes(data: bytes) -> list[tuple[int, int]]:
    return [(page.height, page.width) for page in photographs(tiff_entries(io.BytesIO(data)))]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (CHAIN, [LARGE.shape, OTHER.shape]),
        (written((LARGE, GRAY), (OTHER, GRAY), bigtiff=True, byteorder=">"), [LARGE.shape, OTHER.shape]),
        (PREVIEW_FIRST, [LARGE.shape]),
        (PREVIEW_ABOVE, [LARGE.shape]),
        (PYRAMID, [LARGE.shape]),
        (MASKED, [LARGE.shape]),
        (
            written((SMALL, GRAY | {"subifds": 1}), (LARGE, GRAY)),
            [LARGE.shape],
        ),  # it lies below a smaller one
        (written((LARGE, GRAY | {"subifds": 1}), (SMALL, GRAY)), [LARGE.shape]),
        (written((SMALL, REDUCED), (LARGE[::2, ::2], REDUCED)), [(45, 60)]),  # nothing else is there
        (b"II*\0", []),
        (b"\xff\xd8\xff\xe0 no TIFF at all", []),
    ],
)
def test_pages(data, expected):
    assert sizes(data) == expected


SILENT = written((LARGE[::2, ::2], GRAY), (LARGE, GRAY))  # says of neither what it is
SILENT_ABOVE = written((SMALL, GRAY | {"subifds": 1}), (LARGE, GRAY))


@pytest.mark.parametrize("data", [PREVIEW_FIRST, PREVIEW_ABOVE, SILENT, SILENT_ABOVE])
def test_training_sees_the_photograph_and_not_its_preview(tmp_path: pathlib.Path, data):
    path = tmp_path / "scan.tif"
    path.write_bytes(data)
    for source in (path, data):
        np.testing.assert_array_equal(np.asarray(read_picture(source)), LARGE)


def test_what_begins_with_the_photograph_is_read_as_it_is():
    for data in (CHAIN, PYRAMID, MASKED, b"", b"no picture"):
        assert photograph_file(io.BytesIO(data)) is None
    np.testing.assert_array_equal(np.asarray(read_picture(PYRAMID)), LARGE)


@pytest.mark.parametrize("photometric", [32803, 34892])
def test_raw_data_is_named(photometric):
    raw = {"photometric": photometric, "subfiletype": 0, "metadata": None}
    data = written(
        (SMALL, REDUCED | {"subifds": 1}), (np.dstack([LARGE] * 3) if photometric == 34892 else LARGE, raw)
    )
    with pytest.raises(UnreadableImageError, match=r"raw data .*develop it first"):
        read_picture(data)


def test_a_chain_that_bites_its_tail_ends():
    data = bytearray(CHAIN)
    first, second = (page.offset for page in tiff_entries(io.BytesIO(CHAIN)))
    count = int.from_bytes(data[second : second + 2], "little")
    end = second + 2 + 12 * count
    data[end : end + 4] = first.to_bytes(4, "little")
    assert len(tiff_entries(io.BytesIO(bytes(data)))) == 2


@given(st.sampled_from([CHAIN, PREVIEW_ABOVE, PYRAMID]), st.data())
def test_damaged_directories_raise_nothing(data, draw):
    damaged = bytearray(data)
    heads = [page.offset for page in tiff_entries(io.BytesIO(data))]
    for _ in range(draw.draw(st.integers(1, 6))):
        at = draw.draw(st.sampled_from([0, 4, *heads])) + draw.draw(st.integers(0, 200))
        if at < len(damaged):
            damaged[at] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(damaged)))
    for one in (bytes(damaged), bytes(damaged[:cut])):
        photographs(tiff_entries(io.BytesIO(one)))
