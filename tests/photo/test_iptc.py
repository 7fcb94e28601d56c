import io
import struct

import pytest
from PIL import Image, IptcImagePlugin

from hybridvit.photo import iptc, resources
from hybridvit.photo import jpeg as photo_jpeg


def block_of(*pairs: tuple[int, bytes]) -> bytes:
    return resources.pack([resources.Resource(b"8BIM", number, b"", data) for number, data in pairs])


def test_containers(iptc_records: bytes):
    block = block_of((resources.IPTC, iptc_records))
    assert iptc.records_of(block) == iptc.records_of(resources.HEAD + block) == iptc_records
    other = block_of((0x03ED, b"xyz"))
    assert iptc.records_of(other + block) == iptc_records
    assert iptc.records_of(other) is None
    assert iptc.records_of(iptc_records) == iptc_records
    for length in range(len(block)):
        assert iptc.records_of(block[:length]) in (None, iptc_records)  # all but the byte that fills it up
    padded = iptc_records + b"\0" * (-len(iptc_records) % 4)
    swapped = b"".join(padded[i : i + 4][::-1] for i in range(0, len(padded), 4))
    assert iptc.records_of(swapped) == padded  # as 32-bit numbers of a TIFF file's other byte order


def test_pillow_reads_the_segment(iptc_records: bytes):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG")
    added = photo_jpeg.segments(b"II*\0", None, block_of((resources.IPTC, iptc_records)), (), None)
    data = photo_jpeg.with_segments(file.getvalue(), added)
    found = IptcImagePlugin.getiptcinfo(Image.open(io.BytesIO(data)))
    assert found == {(2, 80): b"J Hahn", (2, 120): b"caption"}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_properties(encoding: str):
    said = [(25, "Straße"), (25, "Löwe"), (55, "19440606"), (90, "Köln"), (120, "a\nb"), (200, "of ours")]
    records = b"\x1c\x01\x5a\x00\x03\x1b%G"
    for dataset, text in said:
        value = text.encode(encoding)
        records += struct.pack(">BBBH", 0x1C, 2, dataset, len(value)) + value
    found = {name: (kind, texts) for _, name, kind, texts in iptc.properties_of(records)}
    assert found == {
        "dc:subject": ("Bag", ["Straße", "Löwe"]),
        "photoshop:DateCreated": (None, ["1944-06-06"]),
        "photoshop:City": (None, ["Köln"]),
        "dc:description": ("Alt", ["a\nb"]),
    }
    assert iptc.properties_of(records[:9]) == []
