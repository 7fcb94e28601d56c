"""A photograph in its frame: cropped and turned, with the metadata that still holds of it."""

import dataclasses
from xml.dom import minidom

from hybridvit.hints.frame import WHOLE, Frame
from hybridvit.photo import resources
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.metadata import Metadata
from hybridvit.photo.packets import RDF, parse_packet, serialised
from hybridvit.photo.photo import Photo

_SUBJECT = (0x9214, 0xA214)  # EXIF's SubjectArea and SubjectLocation, px
_MARKED = {  # XMP's regions: faces and the like, at places of the picture; what a panorama shows of the sphere
    ("http://www.metadataworkinggroup.com/schemas/regions/", "Regions"),
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "ImageRegion"),
    ("http://ns.microsoft.com/photo/1.2/", "RegionInfo"),
}
_PANORAMA = "http://ns.google.com/photos/1.0/panorama/"
LEFT_OUT = "it is cropped or turned: what was marked at places of it (paths, guides, faces) is left out"


def framed(photo: Photo, frame: Frame) -> tuple[Photo, tuple[str, ...]]:
    """The photograph as the frame has it, to be written like it, and remarks on what does not go with it."""
    if frame == WHOLE:
        return photo, ()
    metadata, remarks = _framed(photo.metadata, frame.turns % 2 == 1)
    alpha = None if photo.alpha is None else frame.apply(photo.alpha)
    return dataclasses.replace(
        photo, pixels=frame.apply(photo.pixels), alpha=alpha, metadata=metadata
    ), remarks


def _framed(metadata: Metadata, on_its_side: bool) -> tuple[Metadata, tuple[str, ...]]:
    dpi, aspect = metadata.dpi, metadata.aspect
    if on_its_side:
        dpi, aspect = (pair and (pair[1], pair[0]) for pair in (dpi, aspect))
    kept = tuple(one for one in metadata.resources if one.number not in resources.PLACED)
    exif = metadata.exif
    inner = exif.tags.get(tags.EXIF) if exif else None
    if exif and isinstance(inner, dict) and any(tag in inner for tag in _SUBJECT):
        inner = {tag: value for tag, value in inner.items() if tag not in _SUBJECT}
        exif = dataclasses.replace(exif, tags={**exif.tags, tags.EXIF: inner})
    xmp = metadata.xmp and _without_marks(metadata.xmp)
    changed = dataclasses.replace(metadata, exif=exif, xmp=xmp, dpi=dpi, aspect=aspect, resources=kept)
    lost = (exif, xmp, kept) != (metadata.exif, metadata.xmp, metadata.resources)
    return changed, (LEFT_OUT,) if lost else ()


def _without_marks(packet: bytes) -> bytes:
    """The packet without the properties of _MARKED; as it is where it has none."""
    document = parse_packet(packet)  # it was sound when it was read
    found = False
    for description in document.getElementsByTagNameNS(RDF, "Description"):
        for node in filter(_is_marked, list(description.childNodes)):
            description.removeChild(node)
            found = True
        for attribute in filter(_is_marked, list(description.attributes.values())):
            description.removeAttributeNode(attribute)
            found = True
    return serialised(document) if found else packet


def _is_marked(node: minidom.Node) -> bool:
    return (node.namespaceURI, node.localName) in _MARKED or node.namespaceURI == _PANORAMA
