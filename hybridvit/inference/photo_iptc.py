"""IPTC records (IIM 4.2): in and out of the containers they come in, and what they say as XMP properties.

WebP, AVIF and HEIC have no place for the records; there their texts are kept as the XMP properties that IPTC's Photo
Metadata Standard names for them.
"""

import struct

HEAD = b"Photoshop 3.0\0"
RESOURCE = 0x0404  # among Photoshop's image resources
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
Property = tuple[str, str, str | None, list[str]]  # namespace, name with prefix, kind of list, texts


def records_of(data: bytes) -> bytes | None:
    """The records within JPEG's segment or Photoshop's image resources; `data` itself if it is records."""
    if data[:1] == b"\x1c":
        return data
    block, at = data.removeprefix(HEAD), 0
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        (kind,) = struct.unpack_from(">H", block, at + 4)
        at += 6 + (block[at + 6] + 2) // 2 * 2  # a name of even length, its length byte included
        if at + 4 > len(block):
            return None
        (length,) = struct.unpack_from(">I", block, at)
        if kind == RESOURCE:
            return block[at + 4 : at + 4 + length] or None
        at += 4 + length + length % 2
    return None


def records_of_raw_profile(text: str) -> bytes | None:
    """The records in PNG's text "Raw profile type iptc"."""
    try:
        data = bytes.fromhex("".join(text.split()[2:]))
    except ValueError:
        return None
    return records_of(data)


def segment_of(records: bytes) -> bytes:
    """The records as JPEG's segment holds them."""
    head = b"8BIM" + struct.pack(">HHI", RESOURCE, 0, len(records))
    return HEAD + head + records + b"\0" * (len(records) % 2)


def raw_profile_of(records: bytes) -> bytes:
    """The records as text, as ImageMagick and ExifTool write them into PNG files."""
    digits = records.hex()
    lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
    return "\n".join(["", "iptc", f"{len(records):8}", *lines, ""]).encode()


def properties_of(records: bytes) -> list[Property]:
    """What the records say, as XMP properties."""
    values: dict[int, list[bytes]] = {}
    at = 0
    while records[at : at + 1] == b"\x1c" and at + 5 <= len(records):
        record, dataset, length = struct.unpack_from(">BBH", records, at + 1)
        if length & 0x8000:  # an extended dataset: none of these is
            break
        if record == 2:
            values.setdefault(dataset, []).append(records[at + 5 : at + 5 + length])
        at += 5 + length
    found = []
    for dataset, (namespace, name, kind) in PROPERTIES.items():
        texts = [_decoded(value).strip("\0 ") for value in values.get(dataset, [])]
        if name == "photoshop:DateCreated":
            texts = [f"{text[:4]}-{text[4:6]}-{text[6:8]}" for text in texts if len(text) == 8]
        if any(texts):
            found.append((namespace, name, kind, texts if kind in ("Bag", "Seq") else texts[:1]))
    return found


def _decoded(value: bytes) -> str:
    try:
        return value.decode()  # whatever the records declare, or do not
    except UnicodeDecodeError:
        return value.decode("latin-1")
