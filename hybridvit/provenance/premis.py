"""How a result came about, as an event of PREMIS 3.0 (Preservation Metadata, Library of Congress), in XML.

The result is an object of its own that derives from the original; the event ("modification" in the vocabulary of
preservation events) names both, the software, and what it was told. All of it is read from the result itself.
"""

import datetime
import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from hybridvit.hints.frame import told as told_of_frame
from hybridvit.photo.photo import read_provenance
from hybridvit.photo.record import SOURCE
from hybridvit.provenance.claim import given_hints, mime_of

SUFFIX = ".premis.xml"
NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = f"{NAMESPACE} http://www.loc.gov/standards/premis/v3/premis.xsd"
_VOCABULARY = "http://id.loc.gov/vocabulary/preservation"
_EVENTS = uuid.UUID("6f0c3a1e-4a58-4d0e-9a2f-3c7b5f1d8e42")  # of the identifiers of our events
_LEFT = ("hints", "palette", "protected", "frame")  # said in words of their own


def document_of(results: Sequence[str | os.PathLike]) -> bytes:
    """One PREMIS document with the objects, events and agents of results.

    Raises:
      OSError: one cannot be read.
      ValueError: one does not say that it is a result of hybridvit.
    """
    ElementTree.register_namespace("premis", NAMESPACE)
    ElementTree.register_namespace("xsi", _XSI)
    root = ElementTree.Element(_q("premis"), {"version": "3.0", f"{{{_XSI}}}schemaLocation": _SCHEMA})
    objects, events, agents = [], [], {}
    for path in map(Path, results):
        said = read_provenance(path)
        if not said or SOURCE not in said:
            raise ValueError(f"{path}: it does not say how it came about, so there is no event to tell")
        with path.open("rb") as file:
            mime = mime_of(file.read(12))
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        software = said.get("software", "hybridvit")
        agents[software] = _agent(software)
        event = str(uuid.uuid5(_EVENTS, digest))
        objects.append(_object(path, digest, mime, said, event))
        events.append(_event(path, digest, said, event, software))
    root.extend([*objects, *events, *agents.values()])
    ElementTree.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def write_premis(result: Path) -> bool:
    """Writes photo.jpg.premis.xml beside photo.jpg, unless it says the same already; returns whether it wrote.

    Raises OSError; ValueError as `document_of`.
    """
    path = result.with_name(result.name + SUFFIX)
    document = document_of([result])
    if path.exists() and path.read_bytes() == document:
        return False
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        temporary.write_bytes(document)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _object(path: Path, digest: str, mime: str, said: dict[str, str], event: str) -> ElementTree.Element:
    element = ElementTree.Element(_q("object"), {f"{{{_XSI}}}type": "premis:file"})
    _identifier(element, "objectIdentifier", "SHA-256", digest)
    characteristics = _add(element, "objectCharacteristics")
    fixity = _add(characteristics, "fixity")
    _add(fixity, "messageDigestAlgorithm", "SHA-256")
    _add(fixity, "messageDigest", digest)
    _add(characteristics, "size", str(path.stat().st_size))
    _add(_add(_add(characteristics, "format"), "formatDesignation"), "formatName", mime)
    _add(element, "originalName", path.name)
    relationship = _add(element, "relationship")
    _term(relationship, "relationshipType", "derivation", "relationshipType")
    _term(relationship, "relationshipSubType", "has source", "relationshipSubType")
    _identifier(relationship, "relatedObjectIdentifier", "SHA-256", said[SOURCE])
    _identifier(relationship, "relatedEventIdentifier", "UUID", event)
    return element


def _event(path: Path, digest: str, said: dict[str, str], event: str, software: str) -> ElementTree.Element:
    element = ElementTree.Element(_q("event"))
    _identifier(element, "eventIdentifier", "UUID", event)
    _term(element, "eventType", "modification", "eventType")
    when = datetime.datetime.fromtimestamp(int(path.stat().st_mtime), datetime.UTC)
    _add(element, "eventDateTime", when.isoformat().replace("+00:00", "Z"))
    for detail in _details(said, software):
        _add(_add(element, "eventDetailInformation"), "eventDetail", detail)
    outcome = _add(element, "eventOutcomeInformation")
    _add(outcome, "eventOutcome", "success")
    note = "the colours are generated, but for those of the evidence; the lightness is the original's"
    _add(_add(outcome, "eventOutcomeDetail"), "eventOutcomeDetailNote", note)
    agent = _add(element, "linkingAgentIdentifier")
    _add(agent, "linkingAgentIdentifierType", "software")
    _add(agent, "linkingAgentIdentifierValue", software)
    _term(agent, "linkingAgentRole", "executing program", "eventRelatedAgentRole")
    for value, role in ((said[SOURCE], "source"), (digest, "outcome")):
        linked = _add(element, "linkingObjectIdentifier")
        _add(linked, "linkingObjectIdentifierType", "SHA-256")
        _add(linked, "linkingObjectIdentifierValue", value)
        _term(linked, "linkingObjectRole", role, "eventRelatedObjectRole")
    return element


def _details(said: dict[str, str], software: str) -> list[str]:
    """What was done, what was told, and each colour that a person gave, with its source."""
    by = f"the weights {said['model']}" if "model" in said else f"the method {said.get('method', 'unknown')}"
    details = [f"colourised by {software} with {by}, from {said.get('source', 'a file without a name')}"]
    details += [f"{name}: {value}" for name, value in sorted(said.items()) if name not in _LEFT]
    frame = _parsed(said.get("frame", "{}"))
    if isinstance(frame, dict) and frame:
        details.append(f"frame: {told_of_frame(frame)}, of the original as it is shown upright")
    for hint in given_hints({name: _parsed(value) for name, value in said.items()}):
        details.append("evidence: " + json.dumps(hint, ensure_ascii=False, sort_keys=True))
    return details


def _parsed(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _agent(software: str) -> ElementTree.Element:
    name, _, version = software.partition(" ")
    element = ElementTree.Element(_q("agent"))
    _identifier(element, "agentIdentifier", "software", software)
    _add(element, "agentName", name)
    _term(element, "agentType", "software", "agentType")
    if version:
        _add(element, "agentVersion", version)
    return element


def _identifier(parent: ElementTree.Element, name: str, kind: str, value: str) -> None:
    element = _add(parent, name)
    _add(element, f"{name}Type", kind)
    _add(element, f"{name}Value", value)


def _term(parent: ElementTree.Element, name: str, term: str, vocabulary: str) -> None:
    element = _add(parent, name, term)
    element.set("authority", vocabulary)
    element.set("authorityURI", f"{_VOCABULARY}/{vocabulary}")


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, _q(name))
    element.text = text
    return element


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
