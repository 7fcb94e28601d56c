"""ICC profiles and metadata, built by hand from their specifications."""

import struct

import numpy as np
import pytest

ADOBE = np.array(  # XYZ of Adobe RGB (1998)'s primaries, adapted to D50
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, values = struct.pack(">I", len(tags)), b""
    start = 132 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(values), len(value))
        values += value + b"\0" * (-len(value) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12x4s28x", start + len(values), b"none", 0x02400000, b"mntr", space, b"XYZ ", b"acsp"
    )
    return (head + _fixed(0.9642, 1, 0.8249)).ljust(128, b"\0") + table + values


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


COMMON = {
    b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 78,
    b"cprt": b"text\0\0\0\0none\0",
    b"wtpt": _xyz(np.array([0.9642, 1, 0.8249])),
}


@pytest.fixture(scope="session")
def adobe_rgb() -> bytes:
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563)
    columns = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), ADOBE.T, strict=True)}
    return _profile(b"RGB ", COMMON | columns | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


@pytest.fixture(scope="session")
def gray_gamma() -> bytes:
    """Gray, gamma 2.2 (as 563 / 256), as a parametric curve."""
    return _profile(
        b"GRAY", COMMON | {b"kTRC": b"para\0\0\0\0" + struct.pack(">HH", 0, 0) + _fixed(563 / 256)}
    )


@pytest.fixture(scope="session")
def xmp_packet() -> bytes:
    return """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:my="http://example.org/my/" my:shelf="B 12 &amp; C" tiff:Orientation="6">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Großmutter, Łódź 1944</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


@pytest.fixture(scope="session")
def iptc_records() -> bytes:
    return b"\x1c\x02\x50\x00\x06J Hahn" + b"\x1c\x02\x78\x00\x07caption"
