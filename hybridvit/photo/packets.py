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
    rdf = rdf_of(main)
    known = {(name, space): _said(node) for name, space, node in _properties(main)}
    for other in others:
        new = {}
        for description in descriptions_of(other):
            copy = main.importNode(description, deep=True)
            for prefix, space in _prefixes(description).items():
                copy.setAttributeNS(XMLNS, prefix, space)
            for name, space, node in list(_properties_of(copy)):
                if (name, space) in known:
                    if known[name, space] != _said(node) and name != EXTENSION:
                        remarks.append(f"its XMP says {name} twice, and differently: the first is kept")
                    _remove(copy, node)
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
    about = next((node.getAttributeNS(RDF, "about") for node in descriptions_of(document)), "")
    elements = [(parent, node) for parent in descriptions_of(document) for node in elements_of(parent)]
    elements.sort(key=lambda one: -len(one[1].toxml()))
    moved, left = [], len(packet) + 200 - most
    for parent, node in elements:
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
    note = document.createElementNS(RDF, "rdf:Description")
    note.setAttribute("xmlns:rdf", RDF)
    note.setAttribute("rdf:about", about)
    note.setAttribute("xmlns:xmpNote", NOTE)
    note.setAttribute(f"xmpNote:{EXTENSION}", hashlib.md5(extension).hexdigest().upper())
    rdf_of(document).appendChild(note)
    return serialised(document), extension


def rdf_of(document: minidom.Document) -> minidom.Element:
    """Its rdf:RDF, of which `parse_packet` has seen that there is one."""
    (rdf,) = document.getElementsByTagNameNS(RDF, "RDF")
    return rdf


def descriptions_of(document: minidom.Document) -> list[minidom.Element]:
    """The elements that hold its properties."""
    return [node for node in elements_of(rdf_of(document)) if is_named(node, RDF, "Description")]


def elements_of(node: minidom.Element) -> list[minidom.Element]:
    """The elements directly within one; not texts, comments and instructions, which others may have put there."""
    return [child for child in node.childNodes if isinstance(child, minidom.Element)]


def attributes_of(description: minidom.Element) -> list[minidom.Attr]:
    """Its properties that are written as attributes."""
    return [one for one in description.attributes.values() if one.namespaceURI not in (RDF, XMLNS, None)]


def is_named(node: minidom.Element | minidom.Attr, space: str, name: str) -> bool:
    """Whether it is that property or element."""
    return (node.namespaceURI, node.localName) == (space, name)


def text_of(node: minidom.Element | minidom.Attr) -> str | None:
    """What a simple property says: its text, also as CDATA, or the address it names; None of one with parts."""
    if isinstance(node, minidom.Attr):
        return node.value
    if elements_of(node):
        return None
    texts = [
        child.data for child in node.childNodes if isinstance(child, minidom.Text)
    ]  # CDATA is one of them
    return "".join(texts) or node.getAttributeNS(RDF, "resource")


Property = tuple[str, str | None, minidom.Element | minidom.Attr]  # local name, namespace


def _properties(document: minidom.Document) -> Iterator[Property]:
    for description in descriptions_of(document):
        yield from _properties_of(description)


def _properties_of(description: minidom.Element) -> Iterator[Property]:
    for node in (*elements_of(description), *attributes_of(description)):
        yield node.localName, node.namespaceURI, node


def _remove(description: minidom.Element, node: minidom.Element | minidom.Attr) -> None:
    if isinstance(node, minidom.Attr):
        description.removeAttributeNode(node)
    else:
        description.removeChild(node)


def _said(node: minidom.Element | minidom.Attr) -> str:
    """What a property says, however it is written."""
    text = text_of(node)
    return "".join(child.toxml().strip() for child in node.childNodes) if text is None else text


def _prefixes(node: minidom.Element) -> dict[str, str]:
    """The namespaces in force at a node, as attributes."""
    found: dict[str, str] = {}
    within: minidom.Node | None = node
    while isinstance(within, minidom.Element):
        for attribute in within.attributes.values():
            if attribute.namespaceURI == XMLNS and attribute.name != "xmlns:rdf":
                found.setdefault(attribute.name, attribute.value)
        within = within.parentNode
    return found


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
