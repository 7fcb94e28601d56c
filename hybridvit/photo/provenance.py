"""What was done to a picture, said in its XMP packet (ISO 16684-1): the user's own properties stay as they are.

Everything of the given mapping goes under a namespace of our own; beside it, IPTC's digital source type says that part
of the picture was made by a trained model, or by another method. Properties that describe the old file's pixels are
removed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.dom import minidom

from hybridvit.photo.iptc import Property
from hybridvit.photo.packets import (
    EXTENSION,
    NOTE,
    attributes_of,
    descriptions_of,
    elements_of,
    is_named,
    parse_packet,
    rdf_of,
    serialised,
    text_of,
)
from hybridvit.photo.packets import RDF as _RDF

NAMESPACE = "urn:hybridvit:colorization:1:"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
METHOD_SOURCE_TYPE = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"  # nothing is trained
)
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_PHOTOSHOP, _XMP = "http://ns.adobe.com/photoshop/1.0/", "http://ns.adobe.com/xap/1.0/"
_STALE = {  # what was true of the gray file's pixels alone
    *((_TIFF, f"Image{side}") for side in ("Width", "Length")),
    *(
        (_TIFF, name)
        for name in ("Orientation", "BitsPerSample", "SamplesPerPixel", "PhotometricInterpretation")
    ),
    *(
        (_TIFF, name)
        for name in ("Compression", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning")
    ),
    *((_EXIF, name) for name in ("PixelXDimension", "PixelYDimension", "ColorSpace")),
    *((_PHOTOSHOP, name) for name in ("ColorMode", "ICCProfile")),
    (_XMP, "Thumbnails"),
    (_IPTC, "DigitalSourceType"),
    (NOTE, EXTENSION),
    *((_CAMERA, name) for name in ("MotionPhoto", "MicroVideo", "MicroVideoOffset", "MicroVideoVersion")),
}
GAIN_MAPS = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/")
_STALE_NAMESPACES = {  # maps and films behind the gray picture; what an earlier colouring said
    "http://ns.google.com/photos/1.0/container/",
    *GAIN_MAPS,
    NAMESPACE,
}
ORIGINAL_SOURCE = "original_source_type"
_EMPTY = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def merge_provenance(
    packet: bytes | None, provenance: Mapping[str, Any], properties: Sequence[Property] = ()
) -> bytes:
    """The XMP packet with the provenance in it.

    Args:
      packet: the picture's own packet, UTF-8; None where it has none.
      provenance: names (letters, digits and _) -> texts, or anything that JSON can hold.
      properties: others, added where the packet does not have them.

    Raises:
      ValueError: the packet is not XMP, or a name is none.
    """
    document = parse_packet(packet) if packet else minidom.parseString(_EMPTY.encode())
    rdf = rdf_of(document)
    about, source = "", None
    for description in descriptions_of(document):
        about = description.getAttributeNS(_RDF, "about") or about
        first = _take(description, NAMESPACE, ORIGINAL_SOURCE)  # of an earlier colouring
        source = source or first or _take(description, _IPTC, "DigitalSourceType")
        _remove_stale(description)
        if not elements_of(description) and not attributes_of(description):
            rdf.removeChild(description)
    own = document.createElementNS(_RDF, "rdf:Description")
    own.setAttribute("xmlns:rdf", _RDF)
    own.setAttribute("xmlns:hybridvit", NAMESPACE)
    own.setAttribute("xmlns:Iptc4xmpExt", _IPTC)
    own.setAttribute("rdf:about", about)
    made_by = METHOD_SOURCE_TYPE if "method" in provenance else SOURCE_TYPE
    _add(document, own, "Iptc4xmpExt:DigitalSourceType", made_by)
    kept = {} if source in (None, SOURCE_TYPE) else {ORIGINAL_SOURCE: source}
    for name, value in {**provenance, **kept}.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise ValueError(f"provenance {name!r}: a name has letters, digits and _ only")
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        _add(document, own, f"hybridvit:{name}", text)
    _add_missing(document, own, properties)
    rdf.appendChild(own)
    rdf.appendChild(document.createTextNode("\n"))
    return serialised(document)


def provenance_of(packet: bytes) -> dict[str, str] | None:
    """What `merge_provenance` put into a packet, as texts; None where it has put nothing, or the packet is broken.

    Others who edit a file may write texts as attributes or as CDATA; what they have made of several parts is left out.
    """
    try:
        document = parse_packet(packet)
    except ValueError:
        return None
    found = {
        node.localName: text_of(node)
        for description in descriptions_of(document)
        for node in (*elements_of(description), *attributes_of(description))
        if node.namespaceURI == NAMESPACE
    }
    return {name: text for name, text in found.items() if text is not None} or None


def _take(description: minidom.Element, namespace: str, name: str) -> str | None:
    """Takes a property away, and gives its text."""
    found = [node for node in elements_of(description) if is_named(node, namespace, name)]
    texts = [text_of(node) for node in found]
    if description.hasAttributeNS(namespace, name):
        texts.append(description.getAttributeNS(namespace, name))
        description.removeAttributeNS(namespace, name)
    for node in found:
        description.removeChild(node)
    return next(filter(None, texts), None)


def _remove_stale(description: minidom.Element) -> None:
    def is_stale(node: minidom.Element | minidom.Attr) -> bool:
        return (node.namespaceURI, node.localName) in _STALE or node.namespaceURI in _STALE_NAMESPACES

    for node in filter(is_stale, elements_of(description)):
        description.removeChild(node)
    for attribute in filter(is_stale, attributes_of(description)):
        description.removeAttributeNode(attribute)


def _add_missing(document: minidom.Document, own: minidom.Element, properties: Sequence[Property]) -> None:
    rdf = rdf_of(document)
    for namespace, name, kind, texts in properties:
        local = name.split(":")[1]
        if rdf.getElementsByTagNameNS(namespace, local) or any(
            description.hasAttributeNS(namespace, local) for description in elements_of(rdf)
        ):
            continue
        own.setAttribute("xmlns:" + name.split(":")[0], namespace)
        if kind is None:
            _add(document, own, name, texts[0])
            continue
        element = document.createElement(name)
        items = document.createElement(f"rdf:{kind}")
        entries = [_add(document, items, "rdf:li", value) for value in texts]
        if kind == "Alt":
            entries[0].setAttribute("xml:lang", "x-default")
        element.appendChild(items)
        own.appendChild(element)


def _add(document: minidom.Document, parent: minidom.Element, name: str, value: str) -> minidom.Element:
    element = document.createElement(name)
    legal = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", value)
    element.appendChild(document.createTextNode(legal))
    parent.appendChild(element)
    return element
