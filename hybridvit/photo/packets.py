"""XMP packets, several to one and one to several: JPEG's extension for what is longer than a segment, and duplicates.

ISO 16684-3, "Extended XMP in JPEG": the main packet names the extension, which holds further properties, by its MD5.
"""

import hashlib
from collections.abc import Iterator, Sequence
from xml.dom import minidom
from xml.parsers.expat import ExpatError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMLNS = "http://www.w3.org/2000/xmlns/"
NOTE = "http://ns.adobe.com/xmp/note/"
EXTENSION = "HasExtendedXMP"


def parse_packet(packet: bytes) -> minidom.Document:
    """The packet's document, which has one rdf:RDF. Raises ValueError, one line."""
    try:
        if b"<!DOCTYPE" in packet:
            raise ValueError("its XMP packet has a document type")
        document = minidom.parseString(packet.strip(b"\0 \t\r\n"))
    except ExpatError as error:
        raise ValueError(f"its XMP packet is broken ({error})") from error
    if len(document.getElementsByTagNameNS(RDF, "RDF")) != 1:
        raise ValueError("its XMP packet holds no properties")
    return document


def serialised(document: minidom.Document) -> bytes:
    """The packet of a document."""
    return "\n".join(node.toxml() for node in document.childNodes).encode()


def join_packets(packets: Sequence[bytes]) -> tuple[bytes | None, tuple[str, ...]]:
    """One packet with the properties of all, the first one's where several have one; and remarks on those left out."""
    if len(packets) < 2:
        return (packets[0] if packets else None), ()
    sound, remarks = [], []
    for packet in dict.fromkeys(packets):
        try:
            sound.append(parse_packet(packet))
        except ValueError as error:
            remarks.append(f"{error} and is left out")
    if not sound:
        return None, tuple(remarks)
    main, *others = sound
    (rdf,) = main.getElementsByTagNameNS(RDF, "RDF")
    known = {(name, space): _said(node) for _, name, space, node in _properties(main)}
    for other in others:
        new = {}
        for description in list(_descriptions(other)):
            copy = main.importNode(description, deep=True)
            for prefix, space in _prefixes(description).items():
                copy.setAttributeNS(XMLNS, prefix, space)
            for parent, name, space, node in list(_properties_of(copy)):
                if (name, space) in known:
                    if known[name, space] != _said(node) and name != EXTENSION:
                        remarks.append(f"its XMP says {name} twice, and differently: the first is kept")
                    _remove(parent, node)
                else:
                    new[name, space] = _said(node)
            if any(True for _ in _properties_of(copy)):
                rdf.appendChild(copy)
        known |= new
    return serialised(main), tuple(dict.fromkeys(remarks))


def split_packet(packet: bytes, most: int) -> tuple[bytes, bytes]:
    """A packet of at most `most` bytes, and the extension with its largest properties, empty where none is needed.

    The first may be longer nevertheless if single properties are few and small, which is for the caller to look at.
    """
    if len(packet) <= most:
        return packet, b""
    document = parse_packet(packet)
    about = next((node.getAttributeNS(RDF, "about") for node in _descriptions(document)), "")
    elements = [one for one in _properties(document) if one[3].nodeType == minidom.Node.ELEMENT_NODE]
    elements.sort(key=lambda one: -len(one[3].toxml()))
    moved, left = [], len(packet) + 200 - most
    for parent, _, _, node in elements:
        if left <= 0:
            break
        left -= len(node.toxml().encode())
        spaces = "".join(f' {prefix}="{_escaped(space)}"' for prefix, space in _prefixes(parent).items())
        moved.append(
            f'<rdf:Description rdf:about="{_escaped(about)}"{spaces}>{node.toxml()}</rdf:Description>'
        )
        parent.removeChild(node)
    extension = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">{"".join(moved)}</rdf:RDF></x:xmpmeta>'
    ).encode()
    (rdf,) = document.getElementsByTagNameNS(RDF, "RDF")
    note = document.createElementNS(RDF, "rdf:Description")
    note.setAttribute("xmlns:rdf", RDF)
    note.setAttribute("rdf:about", about)
    note.setAttribute("xmlns:xmpNote", NOTE)
    note.setAttribute(f"xmpNote:{EXTENSION}", hashlib.md5(extension).hexdigest().upper())
    rdf.appendChild(note)
    return serialised(document), extension


Property = tuple[
    minidom.Element, str, str, minidom.Node
]  # parent, local name, namespace, element or attribute


def _descriptions(document: minidom.Document) -> Iterator[minidom.Element]:
    (rdf,) = document.getElementsByTagNameNS(RDF, "RDF")
    for node in rdf.childNodes:
        if node.nodeType == node.ELEMENT_NODE and (node.namespaceURI, node.localName) == (RDF, "Description"):
            yield node


def _properties(document: minidom.Document) -> Iterator[Property]:
    for description in _descriptions(document):
        yield from _properties_of(description)


def _properties_of(description: minidom.Element) -> Iterator[Property]:
    for node in description.childNodes:
        if node.nodeType == node.ELEMENT_NODE:
            yield description, node.localName, node.namespaceURI, node
    for node in description.attributes.values():
        if node.namespaceURI not in (RDF, XMLNS, None):
            yield description, node.localName, node.namespaceURI, node


def _remove(parent: minidom.Element, node: minidom.Node) -> None:
    if node.nodeType == node.ATTRIBUTE_NODE:
        parent.removeAttributeNode(node)
    else:
        parent.removeChild(node)


def _said(node: minidom.Node) -> str:
    """What a property says, however it is written."""
    if node.nodeType == node.ATTRIBUTE_NODE:
        return node.value
    if all(child.nodeType == node.TEXT_NODE for child in node.childNodes):
        return "".join(child.data for child in node.childNodes)
    return "".join(child.toxml().strip() for child in node.childNodes)


def _prefixes(node: minidom.Node) -> dict[str, str]:
    """The namespaces in force at a node, as attributes."""
    found: dict[str, str] = {}
    while node is not None and node.nodeType == node.ELEMENT_NODE:
        for attribute in node.attributes.values():
            if attribute.namespaceURI == XMLNS and attribute.name != "xmlns:rdf":
                found.setdefault(attribute.name, attribute.value)
        node = node.parentNode
    return found


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
