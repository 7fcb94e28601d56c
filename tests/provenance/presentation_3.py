"""Rules of the IIIF Presentation API 3.0 for what a manifest has to hold, by its text (sections 3, 4 and 5)."""

import re
from collections.abc import Iterator
from typing import Any

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
LANGUAGE = re.compile(r"none|[a-zA-Z]{2,3}(-[A-Za-z0-9]{2,8})*")
URI = re.compile(r"https?://[^\s/]+(/[^\s]*)?")
RIGHTS = re.compile(r"http://(creativecommons\.org|rightsstatements\.org)/")
MIME = re.compile(r"[a-z]+/[\w.+-]+")
KNOWN = {  # the properties that each class may have
    "Manifest": "@context id type label metadata summary requiredStatement rights provider thumbnail navDate "
    "placeholderCanvas accompanyingCanvas viewingDirection behavior homepage rendering service services seeAlso partOf "
    "start items structures annotations logo",
    "Canvas": "id type label metadata summary requiredStatement rights provider thumbnail navDate placeholderCanvas "
    "accompanyingCanvas height width duration behavior homepage rendering service seeAlso partOf items annotations",
    "AnnotationPage": "id type label items partOf",
    "Annotation": "id type motivation body target label timeMode",
}


def check_manifest(data: dict[str, Any]) -> None:
    """Raises AssertionError for the first rule that is not kept."""
    assert next(iter(data)) == "@context", "the context comes first"
    assert data["@context"] == CONTEXT
    ids = list(_ids(data))
    assert len(set(ids)) == len(ids), "each id is of one resource"
    _check_class(data, "Manifest")
    _check_language_map(data["label"])
    _check_descriptive(data)
    assert data["items"], "a manifest has one canvas or more"
    for canvas in data["items"]:
        _check_canvas(canvas)
    for one in data.get("seeAlso", ()):
        assert URI.fullmatch(one["id"])
        assert one["type"]
        assert MIME.fullmatch(one["format"])


def _ids(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if data.get("type") in KNOWN:
            yield data["id"]
        for value in data.values():
            yield from _ids(value)
    elif isinstance(data, list):
        for value in data:
            yield from _ids(value)


def _check_class(data: dict[str, Any], name: str) -> None:
    assert data["type"] == name
    assert URI.fullmatch(data["id"]), data["id"]
    assert set(data) <= set(KNOWN[name].split()), set(data) - set(KNOWN[name].split())


def _check_language_map(value: Any) -> None:
    assert isinstance(value, dict)
    assert value
    for language, texts in value.items():
        assert LANGUAGE.fullmatch(language), language
        assert isinstance(texts, list)
        assert texts
        assert all(isinstance(text, str) for text in texts)


def _check_pair(pair: Any) -> None:
    assert set(pair) == {"label", "value"}
    _check_language_map(pair["label"])
    _check_language_map(pair["value"])


def _check_descriptive(data: dict[str, Any]) -> None:
    for pair in data.get("metadata", ()):
        _check_pair(pair)
    if "summary" in data:
        _check_language_map(data["summary"])
    if "requiredStatement" in data:
        _check_pair(data["requiredStatement"])
    if "rights" in data:
        assert RIGHTS.match(data["rights"])


def _check_canvas(canvas: dict[str, Any]) -> None:
    _check_class(canvas, "Canvas")
    assert "#" not in canvas["id"]
    _check_descriptive(canvas)
    if "label" in canvas:
        _check_language_map(canvas["label"])
    for side in ("height", "width"):
        assert isinstance(canvas[side], int)
        assert canvas[side] > 0
    for page in canvas["items"]:
        _check_class(page, "AnnotationPage")
        for annotation in page["items"]:
            _check_class(annotation, "Annotation")
            assert annotation["motivation"] == "painting"
            assert annotation["target"].split("#")[0] == canvas["id"]
            _check_body(annotation["body"])


def _check_body(body: dict[str, Any]) -> None:
    if body["type"] == "Choice":
        assert len(body["items"]) > 1, "a choice of one is none"
        for one in body["items"]:
            _check_body(one)
            _check_language_map(one["label"])  # what a viewer names it by
        return
    if body["type"] == "SpecificResource":
        selector = body["selector"]
        assert selector["type"] == "ImageApiSelector"
        assert re.fullmatch(r"\d+,\d+,[1-9]\d*,[1-9]\d*", selector.get("region", "0,0,1,1"))
        assert selector.get("rotation", "0") in ("0", "90", "180", "270")
        _check_body(body["source"])
        return
    assert body["type"] == "Image"
    assert URI.fullmatch(body["id"]), body["id"]
    if "format" in body:
        assert MIME.fullmatch(body["format"])
    for side in ("height", "width"):
        assert isinstance(body.get(side, 1), int)
    for service in body.get("service", ()):
        modern = {"id", "type", "profile"} <= set(service)
        assert modern or {"@id", "@type", "profile"} <= set(service)
        assert isinstance(service["profile"], str)
