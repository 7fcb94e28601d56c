"""PREMIS documents against the content model of its schema, version 3.0, for the elements that are written."""

import datetime
import hashlib
import os
import pathlib
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from skimage import data

from hybridvit.photo.photo import photo_of, read_photo, write_photo
from hybridvit.photo.record import make_record
from hybridvit.provenance.premis import SUFFIX, document_of, write_premis

P = "{http://www.loc.gov/premis/v3}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
HINT = {"type": "point", "x": 3.0, "y": 4.0, "color": "#2e6b3a", "source": "catalogue no. 12 & <13>"}
PAIR = "{0}Type {0}Value"
MODEL = {  # children in their order, as regular expressions over their names
    "premis": "(object )+(event )*(agent )*(rights )*",
    "object": "(objectIdentifier )+(preservationLevel )*(significantProperties )*(objectCharacteristics )+"
    "(originalName )?(storage )*(signatureInformation )*(relationship )*(linkingEventIdentifier )*",
    "objectCharacteristics": "(compositionLevel )?(fixity )*(size )?(format )+",
    "fixity": "messageDigestAlgorithm messageDigest (messageDigestOriginator )?",
    "format": "formatDesignation (formatRegistry )?(formatNote )*",
    "formatDesignation": "formatName (formatVersion )?",
    "relationship": "relationshipType relationshipSubType (relatedObjectIdentifier )+(relatedEventIdentifier )*",
    "event": "eventIdentifier eventType eventDateTime (eventDetailInformation )*(eventOutcomeInformation )*"
    "(linkingAgentIdentifier )*(linkingObjectIdentifier )*",
    "eventDetailInformation": "(eventDetail )?(eventDetailExtension )*",
    "eventOutcomeInformation": "eventOutcome (eventOutcomeDetail )*",
    "eventOutcomeDetail": "eventOutcomeDetailNote (eventOutcomeDetailExtension )*",
    "linkingAgentIdentifier": PAIR.format("linkingAgentIdentifier") + " (linkingAgentRole )*",
    "linkingObjectIdentifier": PAIR.format("linkingObjectIdentifier") + " (linkingObjectRole )*",
    "agent": "(agentIdentifier )+(agentName )*(agentType )?(agentVersion )?(agentNote )*",
    **{
        name: PAIR.format(name) + " "
        for name in ("objectIdentifier", "eventIdentifier", "agentIdentifier", "relatedObjectIdentifier")
    },
    "relatedEventIdentifier": PAIR.format("relatedEventIdentifier") + " ",
}


def check(element: ElementTree.Element) -> None:
    """Raises AssertionError for what the content model does not allow."""
    name = element.tag.removeprefix(P)
    children = "".join(child.tag.removeprefix(P) + " " for child in element)
    if name in MODEL:
        assert re.fullmatch(MODEL[name], children), f"{name}: {children}"
    else:
        assert not children, f"{name} is a text"
        assert element.text, f"{name} is empty"
        assert set(element.attrib) <= {"authority", "authorityURI", "valueURI"}
    for child in element:
        assert child.tag.startswith(P)
        check(child)


@pytest.fixture
def result(tmp_path) -> pathlib.Path:
    original, path = tmp_path / "scan.png", tmp_path / "out" / "scan.jpg"
    path.parent.mkdir()
    gray = np.asarray(Image.fromarray(data.coffee()).convert("L"))[:40, :60]
    Image.fromarray(gray).save(original)
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    said = {"software": "hybridvit 9", "model": "small", "weights_sha256": "5" * 64, "hints": [HINT]}
    said |= {"source": "scan.png", "settings": {"size": 256}} | make_record(digest).provenance()
    write_photo(path, np.repeat(gray[..., None], 3, -1), read_photo(original), said)
    os.utime(path, (1_700_000_000, 1_700_000_000.5))
    return path


def text(root: ElementTree.Element, path: str) -> list[str]:
    return [one.text for one in root.findall("/".join(P + step for step in path.split("/")))]


def test_an_event_says_what_was_made_of_what(result):
    root = ElementTree.fromstring(document_of([result]))
    check(root)
    assert root.attrib["version"] == "3.0"
    assert root.find(f"{P}object").attrib[TYPE] == "premis:file"
    digest = hashlib.sha256(result.read_bytes()).hexdigest()
    original = hashlib.sha256((result.parent.parent / "scan.png").read_bytes()).hexdigest()
    assert text(root, "object/objectCharacteristics/fixity/messageDigest") == [digest]
    assert text(root, "object/objectCharacteristics/size") == [str(result.stat().st_size)]
    assert text(root, "object/objectCharacteristics/format/formatDesignation/formatName") == ["image/jpeg"]
    assert text(root, "object/relationship/relatedObjectIdentifier/relatedObjectIdentifierValue") == [
        original
    ]
    assert text(root, "event/linkingObjectIdentifier/linkingObjectIdentifierValue") == [original, digest]
    assert text(root, "event/linkingObjectIdentifier/linkingObjectRole") == ["source", "outcome"]
    (when,) = text(root, "event/eventDateTime")
    assert datetime.datetime.fromisoformat(when) == datetime.datetime.fromtimestamp(
        1_700_000_000, datetime.UTC
    )
    details = text(root, "event/eventDetailInformation/eventDetail")
    assert details[0] == "colourised by hybridvit 9 with the weights small, from scan.png"
    assert any("catalogue no. 12 & <13>" in one for one in details if one.startswith("evidence: "))
    (event,) = text(root, "event/eventIdentifier/eventIdentifierValue")
    assert text(root, "object/relationship/relatedEventIdentifier/relatedEventIdentifierValue") == [event]
    assert text(root, "agent/agentIdentifier/agentIdentifierValue") == ["hybridvit 9"]
    assert text(root, "event/linkingAgentIdentifier/linkingAgentIdentifierValue") == ["hybridvit 9"]


def test_an_event_says_the_frame(result):
    said = {"source": "scan.png", "frame": {"turns": 2}} | make_record("7" * 64).provenance()
    write_photo(result, np.zeros((4, 5, 3), np.uint8), photo_of(np.zeros((4, 5), np.uint8)), said)
    root = ElementTree.fromstring(document_of([result]))
    details = text(root, "event/eventDetailInformation/eventDetail")
    assert "frame: turned clockwise by 180 degrees, of the original as it is shown upright" in details
    assert not any('"turns"' in one for one in details)


def test_a_report_of_many_is_one_document(result):
    other = result.with_name("other.jpg")
    other.write_bytes(result.read_bytes() + b"\0")
    root = ElementTree.fromstring(document_of([result, other]))
    check(root)
    assert [len(root.findall(P + name)) for name in ("object", "event", "agent")] == [2, 2, 1]
    events = text(root, "event/eventIdentifier/eventIdentifierValue")
    assert len(set(events)) == 2


def test_the_file_beside_a_result_is_written_once(result):
    path = result.with_name("scan.jpg" + SUFFIX)
    assert write_premis(result)
    check(ElementTree.fromstring(path.read_bytes()))
    assert not write_premis(result)
    path.write_text("an older one")
    assert write_premis(result)
    assert path.read_bytes() == document_of([result])
    assert sorted(one.name for one in result.parent.iterdir()) == ["scan.jpg", "scan.jpg.premis.xml"]


def test_what_is_no_result_has_no_event(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png: it does not say how it came about"):
        document_of([tmp_path / "a.png"])


def test_the_model_notices_a_wrong_order(result):
    root = ElementTree.fromstring(document_of([result]))
    event = root.find(f"{P}event")
    event.append(event[0])
    with pytest.raises(AssertionError, match="event: "):
        check(root)
