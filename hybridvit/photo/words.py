"""What a photograph's metadata say in words: titles, descriptions, keywords, places, who made it."""

import os
import pathlib
from collections.abc import Iterator

import pyvips

from hybridvit.photo import iptc
from hybridvit.photo.metadata import Metadata, read_metadata
from hybridvit.photo.packets import attributes_of, descriptions_of, elements_of, parse_packet
from hybridvit.photo.parts import decoded
from hybridvit.photo.tiff_tags import value_of

DESCRIPTION, ARTIST = 270, 315  # EXIF
SPACES = (iptc.DC, iptc.PHOTOSHOP)  # of XMP
MOST = 2000  # characters


def words_of(path: str | os.PathLike) -> str:
    """The texts in a file's EXIF, IPTC, XMP and PNG texts, a line each, without repetition; its pixels stay unread.

    Empty where there are none, or the file cannot be read.
    """
    try:
        image = pyvips.Image.new_from_file(os.fspath(path), access="sequential")
        found = list(_texts(read_metadata(image, pathlib.Path(path))))
    except (pyvips.Error, OSError, ValueError):
        return ""
    lines = dict.fromkeys(" ".join(text.split()) for text in found)
    return "\n".join(line for line in lines if line)[:MOST]


def _texts(metadata: Metadata) -> Iterator[str]:
    for tag in (DESCRIPTION, ARTIST) if metadata.exif else ():
        value = value_of(metadata.exif.tags, tag)
        if value is not None:
            yield decoded(value.value).strip("\0")
    if metadata.iptc:
        for *_, texts in iptc.properties_of(metadata.iptc):
            yield from texts
    if metadata.xmp:
        for description in descriptions_of(parse_packet(metadata.xmp)):
            yield from (one.value for one in attributes_of(description) if one.namespaceURI in SPACES)
            for node in elements_of(description):
                if node.namespaceURI in SPACES:
                    yield from _leaves(node)
    yield from (text for _, text in metadata.texts)


def _leaves(node) -> Iterator[str]:
    """Texts of an element without inner ones, and of those within it."""
    inner = elements_of(node)
    if inner:
        for one in inner:
            yield from _leaves(one)
    else:
        yield "".join(child.data for child in node.childNodes if hasattr(child, "data"))
