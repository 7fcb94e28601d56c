"""IPTC records (IIM 4.2): out of what they come in, and what they say as XMP properties.

WebP, AVIF and HEIC have no place for the records; there their texts are kept as the XMP properties that IPTC's Photo
Metadata Standard names for them.
"""

import struct
from collections.abc import Iterator, Sequence

import numpy as np

from hybridvit.photo import resources
from hybridvit.photo.parts import decoded

DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
# dataset of record 2 -> namespace, property, and the kind of list that XMP makes of it
PROPERTIES = {
    5: (DC, "dc:title", "Alt"),
    25: (DC, "dc:subject", "Bag"),
    40: (PHOTOSHOP, "photoshop:Instructions", None),
    55: (PHOTOSHOP, "photoshop:DateCreated", None),
    80: (DC, "dc:creator", "Seq"),
    85: (PHOTOSHOP, "photoshop:AuthorsPosition", None),
    90: (PHOTOSHOP, "photoshop:City", None),
    95: (PHOTOSHOP, "photoshop:State", None),
    101: (PHOTOSHOP, "photoshop:Country", None),
    103: (PHOTOSHOP, "photoshop:TransmissionReference", None),
    105: (PHOTOSHOP, "photoshop:Headline", None),
    110: (PHOTOSHOP, "photoshop:Credit", None),
    115: (PHOTOSHOP, "photoshop:Source", None),
    116: (DC, "dc:rights", "Alt"),
    120: (DC, "dc:description", "Alt"),
    122: (PHOTOSHOP, "photoshop:CaptionWriter", None),
}
# PNG's customary keywords of texts, and where a comment would be looked for
TEXTS = {
    "Title": PROPERTIES[5],
    "Author": PROPERTIES[80],
    "Description": PROPERTIES[120],
    "Copyright": PROPERTIES[116],
    "Source": PROPERTIES[115],
    "Comment": ("http://ns.adobe.com/exif/1.0/", "exif:UserComment", "Alt"),
}
Property = tuple[str, str, str | None, list[str]]  # namespace, name with prefix, kind of list, texts


def records_of(block: bytes) -> bytes | None:
    """The records within Photoshop's image resources; the block itself if it is records, None if there are none.

    Some programs write them into TIFF files as 32-bit numbers, which then may stand in either order.
    """
    if block[:1] == b"\x1c":
        return block
    if len(block) > 3 and block[3:4] == b"\x1c" and len(block) % 4 == 0:
        return np.frombuffer(block, "<u4").byteswap().tobytes()
    return resources.first(resources.parse(block), resources.IPTC)


def properties_of(records: bytes) -> list[Property]:
    """What the records say, as XMP properties."""
    values: dict[int, list[bytes]] = {}
    for record, dataset, value in _datasets(records):
        if record == 2:
            values.setdefault(dataset, []).append(value)
    found = []
    for dataset, (namespace, name, kind) in PROPERTIES.items():
        texts = [decoded(value).strip("\0 ") for value in values.get(dataset, [])]
        if name == "photoshop:DateCreated":
            texts = [f"{text[:4]}-{text[4:6]}-{text[6:8]}" for text in texts if len(text) == 8]
        if any(texts):
            found.append((namespace, name, kind, texts if kind in ("Bag", "Seq") else texts[:1]))
    return found


def has_more(records: bytes) -> bool:
    """Whether the records say what `properties_of` does not; versions and the encoding aside."""
    said = {(record, dataset) for record, dataset, value in _datasets(records) if value.strip(b"\0 ")}
    return not said <= {*((2, dataset) for dataset in PROPERTIES), (1, 0), (1, 90), (2, 0)}


def _datasets(records: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while records[at : at + 1] == b"\x1c" and at + 5 <= len(records):
        record, dataset, length = struct.unpack_from(">BBH", records, at + 1)
        if length & 0x8000:  # an extended dataset: none of these is
            return
        yield record, dataset, records[at + 5 : at + 5 + length]
        at += 5 + length


def properties_of_texts(texts: Sequence[tuple[str, str]]) -> list[Property]:
    """What texts of customary keywords say, as XMP properties."""
    known = [(*TEXTS[keyword], [text]) for keyword, text in texts if keyword in TEXTS and text.strip()]
    return list({name: one for one in reversed(known) for name in [one[1]]}.values())
