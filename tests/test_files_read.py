"""The table of what is read: docs/files-read.md, row by row."""

import pathlib
import re
import warnings

import numpy as np
import pytest
from PIL import Image

from hybridvit.photo.photo import read_photo
from tests.files_read import READERS, SCENE, Case, cases, outcomes, table

CASES = list(cases())
PAGE = pathlib.Path(__file__).parent.parent / "docs" / "files-read.md"


def name_of(case: Case) -> str:
    return "-".join(filter(None, case[:4]))


def rows() -> dict[tuple[str, ...], list[str]]:
    """container, bits, colours, compression -> outcomes by reader, as the page has them."""
    found = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| container"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[tuple(cells[:4])] = cells[4:]
    return found


ROWS = rows()


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_right_or_refused_by_name_and_as_the_page_says(case, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damaged tags
        found = outcomes(case, tmp_path)
    for reader, outcome in found.items():
        assert outcome == "right" or re.fullmatch(r"refused: .{10,}", outcome), f"{reader}: {outcome}"
    if case[:4] in ROWS:  # else what wrote it is not installed where the page was made
        said = [cell.split(":")[0] for cell in ROWS[case[:4]]]
        assert said == [found[reader].split(":")[0] for reader in READERS]


def test_each_row_of_the_page_is_tried():
    tried = {case[:4] for case in CASES}
    optional = {
        row for row in ROWS if "imagecodecs" in row[3] or row[3] in ("LZMA", "ZSTD") or row[0] == "AVIF"
    }
    assert len(tried) == len(CASES)
    assert not ROWS.keys() - tried - optional


def test_what_is_wrong_is_called_so(tmp_path, monkeypatch):
    """The judge itself: a negative, a smaller picture and an invented transparency are found."""
    case = next(case for case in CASES if case[:4] == ("PNG", "8", "gray", ""))
    negative = case._replace(truth=1 - SCENE)
    assert outcomes(negative, tmp_path)["by path"].startswith("WRONG: off by")
    small = case._replace(truth=SCENE[::2, ::2])
    assert outcomes(small, tmp_path)["training"] == "WRONG: 64 x 48 px"
    assert outcomes(case._replace(alpha=True), tmp_path)["Pillow image"] == "WRONG: its alpha is lost"
    assert "WRONG" not in table()


def test_the_scene_is_not_its_own_negative_and_not_gray_alone():
    assert np.abs(SCENE - (1 - SCENE)).mean() > 0.15
    assert SCENE.std() > 0.1


def test_heic_by_path_needs_pillow_heif(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.fromarray(np.rint(SCENE * 255).astype(np.uint8)).save(tmp_path / "a.heic", quality=95)
    pixels = read_photo(tmp_path / "a.heic").pixels
    assert np.abs(pixels.mean(-1) / np.iinfo(pixels.dtype).max - SCENE).mean() < 0.02
