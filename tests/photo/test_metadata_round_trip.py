"""Every tag that ExifTool writes, through the colorizer and back; `tests/metadata_table.py` does it."""

import pytest

from tests import metadata_table

pytestmark = pytest.mark.skipif(
    metadata_table.version() is None, reason="exiftool is missing: apt-get install libimage-exiftool-perl"
)


def test_no_tag_is_lost_but_on_purpose():
    for found in metadata_table.round_trip():
        assert found.tags > 3000, found.kind.name
        lost = {name: pair for name, pair in found.changed.items() if metadata_table.reason_of(name) is None}
        assert not lost, found.kind.name


def test_the_page_says_how_it_is():
    page = metadata_table.DOCS.read_text(encoding="utf-8")
    if f"With ExifTool {metadata_table.version()}," not in page:
        pytest.skip("the page was made with another version of ExifTool, which knows other tags")
    assert metadata_table.written(page) == page
