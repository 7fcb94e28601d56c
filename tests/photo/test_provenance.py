import json
import xml.etree.ElementTree as ET

import pytest

from hybridvit.photo.provenance import (
    METHOD_SOURCE_TYPE,
    NAMESPACE,
    SOURCE_TYPE,
    merge_provenance,
    provenance_of,
)

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SOURCE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
OWN = "{" + NAMESPACE + "}"
SAID = {
    "model": 'a <b> & "c" \u00e9',
    "weights_sha256": "ab" * 32,
    "settings": {"size": 256},
    "hints": [[1, 2]],
}


def properties(packet: bytes) -> dict[str, list[str]]:
    """Every property of every description, its text and its list items."""
    found: dict[str, list[str]] = {}
    for description in ET.fromstring(packet).iter(f"{RDF}Description"):
        for name, value in description.attrib.items():
            found.setdefault(name, []).append(value)
        for child in description:
            found.setdefault(child.tag, []).append("".join(child.itertext()).strip())
    return found


def test_a_new_packet():
    found = properties(merge_provenance(None, SAID))
    assert found[SOURCE] == [SOURCE_TYPE]
    assert found[OWN + "model"] == [SAID["model"]]
    assert json.loads(found[OWN + "settings"][0]) == SAID["settings"]
    assert json.loads(found[OWN + "hints"][0]) == SAID["hints"]
    assert merge_provenance(None, SAID) == merge_provenance(None, SAID)


def test_what_the_user_said_stays(xmp_packet: bytes):
    packet = merge_provenance(xmp_packet, SAID)
    found = properties(packet)
    assert found[DESCRIPTION] == ["Großmutter, Łódź 1944"]
    assert found["{http://example.org/my/}shelf"] == ["B 12 & C"]
    assert found[f"{RDF}about"] == ["uuid:1", "uuid:1"]
    assert "{http://ns.adobe.com/tiff/1.0/}Orientation" not in found  # the pixels are upright now
    assert packet.startswith(b"<?xpacket begin=")
    assert packet.endswith(b'<?xpacket end="w"?>')


def test_colouring_again_says_it_once(xmp_packet: bytes):
    once = merge_provenance(xmp_packet, SAID)
    twice = properties(merge_provenance(once, {"model": "another"}))
    assert twice[OWN + "model"] == ["another"]
    assert OWN + "settings" not in twice
    assert twice[SOURCE] == [SOURCE_TYPE]
    assert properties(merge_provenance(once, SAID)) == properties(once)


@pytest.mark.parametrize("as_attribute", [True, False])
def test_the_former_source_type_is_kept_under_another_name(xmp_packet: bytes, as_attribute: bool):
    namespace = b'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    if as_attribute:
        packet = xmp_packet.replace(
            b"rdf:about", namespace + b' Iptc4xmpExt:DigitalSourceType="film" rdf:about', 1
        )
    else:
        element = b"<Iptc4xmpExt:DigitalSourceType %s>film</Iptc4xmpExt:DigitalSourceType>" % namespace
        packet = xmp_packet.replace(b"<dc:desc", element + b"<dc:desc", 1)
    found = properties(merge_provenance(merge_provenance(packet, SAID), SAID))
    assert found[SOURCE] == [SOURCE_TYPE]
    assert found[OWN + "original_source_type"] == ["film"]


@pytest.mark.parametrize(
    "packet", [b"<a", b"no xml", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'], ids=str
)
def test_broken_packets(packet: bytes):
    with pytest.raises(ValueError, match="its XMP packet"):
        merge_provenance(packet, SAID)


def test_names_and_characters():
    with pytest.raises(ValueError, match="letters, digits"):
        merge_provenance(None, {"two words": 1})
    assert properties(merge_provenance(None, {"a": "x\x00\x0by"}))[OWN + "a"] == ["xy"]


def test_what_was_said_is_read_back(xmp_packet: bytes):
    said = provenance_of(merge_provenance(xmp_packet, SAID))
    assert said["model"] == SAID["model"]
    assert json.loads(said["settings"]) == SAID["settings"]
    assert provenance_of(xmp_packet) is None
    assert provenance_of(b"<broken") is None


def test_properties_are_added_where_there_are_none(xmp_packet: bytes):
    dc = "http://purl.org/dc/elements/1.1/"
    more = [(dc, "dc:description", "Alt", ["new"]), (dc, "dc:subject", "Bag", ["a", "b & c"])]
    found = properties(merge_provenance(xmp_packet, SAID, more))
    assert found[DESCRIPTION] == ["Großmutter, Łódź 1944"]
    assert found["{" + dc + "}subject"] == ["ab & c"]
    assert properties(merge_provenance(None, SAID, more))[DESCRIPTION] == ["new"]


def test_what_points_behind_the_old_picture_is_removed(xmp_packet: bytes):
    camera = b'xmlns:c="http://ns.google.com/photos/1.0/camera/" c:MotionPhoto="1" c:Mode="night" '
    gain = b'xmlns:g="http://ns.adobe.com/hdr-gain-map/1.0/" g:Version="1.0" '
    found = properties(
        merge_provenance(xmp_packet.replace(b"rdf:about", camera + gain + b"rdf:about", 1), SAID)
    )
    assert found["{http://ns.google.com/photos/1.0/camera/}Mode"] == ["night"]
    assert not [name for name in found if "MotionPhoto" in name or "gain-map" in name]


def test_a_method_is_no_trained_model():
    for said, kind in (({"model": "small"}, SOURCE_TYPE), ({"method": "levin"}, METHOD_SOURCE_TYPE)):
        assert kind.encode() in merge_provenance(None, said)


def test_what_others_have_edited_is_read_all_the_same():
    packet = merge_provenance(None, {"model": "one", "note": "two", "source_sha256": "three", "gone": "four"})
    edited = (
        packet.decode()
        .replace("<hybridvit:model>one<", "<hybridvit:model><!-- theirs --><![CDATA[one & all]]><")
        .replace("<hybridvit:note>two</hybridvit:note>", "")
        .replace("<rdf:Description ", '<rdf:Description hybridvit:note="two" ')
        .replace(">four<", "><rdf:Seq><rdf:li>four</rdf:li></rdf:Seq><")
    )
    assert provenance_of(edited.encode()) == {"model": "one & all", "note": "two", "source_sha256": "three"}


@pytest.mark.parametrize("written", ["><![CDATA[urn:scan]]></{0}>", ' rdf:resource="urn:scan"/>'])
def test_a_source_type_that_is_written_otherwise_is_kept(written: str):
    form = "<Iptc4xmpExt:DigitalSourceType>" + SOURCE_TYPE + "</Iptc4xmpExt:DigitalSourceType>"
    theirs = "<Iptc4xmpExt:DigitalSourceType" + written.format("Iptc4xmpExt:DigitalSourceType")
    packet = merge_provenance(None, {}).decode()
    assert form in packet
    found = provenance_of(merge_provenance(packet.replace(form, theirs).encode(), {}))
    assert found == {"original_source_type": "urn:scan"}
