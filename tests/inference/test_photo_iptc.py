import io
import struct

import pytest
from PIL import Image, IptcImagePlugin

from hybridvit.inference import photo_iptc as iptc


def test_containers(iptc_records: bytes):
    segment = iptc.segment_of(iptc_records)
    assert iptc.records_of(segment) == iptc_records
    other = b"8BIM" + struct.pack(">H", 0x03ED) + b"\x03abc" + struct.pack(">I", 3) + b"xyz\0"
    assert iptc.records_of(iptc.HEAD + other + segment.removeprefix(iptc.HEAD)) == iptc_records
    assert iptc.records_of(iptc.HEAD + other) is None
    assert iptc.records_of(iptc_records) == iptc_records
    assert iptc.records_of_raw_profile(iptc.raw_profile_of(iptc_records).decode()) == iptc_records
    assert iptc.records_of_raw_profile("\niptc\n  9\nno digits") is None
    for length in range(len(segment)):
        cut = iptc.records_of(segment[:length])
        assert cut is None or iptc_records.startswith(cut)


def test_pillow_reads_the_segment(iptc_records: bytes):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG")
    segment = iptc.segment_of(iptc_records)
    data = file.getvalue()[:2] + struct.pack(">HH", 0xFFED, len(segment) + 2) + segment + file.getvalue()[2:]
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
