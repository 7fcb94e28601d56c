"""IIIF manifests (Presentation API 2 and 3) as lists of pictures: what each canvas shows, and which file that is.

Nothing is fetched: a manifest is a local file, and its pictures lie in a folder, by the names in their addresses.
"""

import dataclasses
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Json = dict[str, Any]
CONTEXT_2, CONTEXT_3 = (f"http://iiif.io/api/presentation/{version}/context.json" for version in (2, 3))
LARGEST = 2**27  # bytes
# region/size/rotation/quality.format at the end of an address of the Image API
_REQUEST = re.compile(
    r"/(full|square|[\d.,]+|pct:[\d.,]+)/[^/]+/!?[\d.]+/(default|native|color|gray|bitonal)\.\w+$"
)
_RIGHTS = re.compile(r"https?://(creativecommons\.org|rightsstatements\.org)/")


@dataclasses.dataclass(frozen=True)
class Canvas:
    """A view of a manifest: its first picture, as Presentation 3 has it (`id`, `type`, `service`, ...).

    Attributes:
      picture: the painted image.
      said: what describes the canvas: label, metadata and the like, as Presentation 3 has it.
    """

    picture: Json
    said: Json


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A manifest: its address, what describes it, as Presentation 3 has it, and its canvases in their order."""

    id: str
    said: Json
    canvases: tuple[Canvas, ...]


def read_manifest(path: str | os.PathLike) -> Manifest:
    """Reads a manifest of a local file.

    Raises:
      OSError: it cannot be opened.
      ValueError: it is none, or no canvas has a picture; one line.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: no IIIF manifest: not JSON ({error})") from None
    kind = (data.get("type") or data.get("@type")) if isinstance(data, dict) else None
    if kind in ("Collection", "sc:Collection"):
        raise ValueError(f"{path}: a IIIF collection: name the manifests in it")
    if kind not in ("Manifest", "sc:Manifest"):
        raise ValueError(f"{path}: no IIIF manifest of Presentation 2 or 3")
    try:
        manifest = _of_version_3(data) if kind == "Manifest" else _of_version_2(data)
        _check(manifest)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{path}: a malformed IIIF manifest ({reason})") from None
    if not manifest.canvases:
        raise ValueError(f"{path}: no picture in this IIIF manifest")
    return manifest


class Files:
    """The pictures below a folder, by their names. `suffixes` are those of pictures, in lower case."""

    def __init__(self, folder: Path, suffixes: Sequence[str]):
        self._named: dict[str, list[Path]] = defaultdict(list)
        for parent, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                stem, suffix = os.path.splitext(name)
                if suffix.lower() in suffixes and not name.startswith("."):
                    for key in {name, stem}:
                        self._named[key].append(Path(parent, name))
        self._folder = folder

    def find(self, canvas: Canvas) -> Path:
        """The file of a canvas. Raises ValueError, one line, if there is none, or more than one."""
        for parts in names_of(canvas.picture):
            found = self._named.get(parts[-1], [])
            for count in range(2, len(parts) + 1):  # folders in the address tell namesakes apart
                nearer = [
                    path for path in found if path.with_suffix("").parts[-count:-1] == tuple(parts[-count:-1])
                ]
                found = nearer if len(found) > 1 and nearer else found
            if len(found) > 1:
                raise ValueError(f"{', '.join(map(str, found))} may each be it")
            if found:
                return found[0]
        named = " or ".join(dict.fromkeys(parts[-1] for parts in names_of(canvas.picture)))
        raise ValueError(f"no picture {named} in {self._folder}; --images says where they are")


def names_of(picture: Json) -> list[list[str]]:
    """The names that a picture's file may have, each with the folders in its address before it."""
    found = []
    for address in (
        picture["id"],
        *(service.get("id", service.get("@id")) for service in picture.get("service", ())),
    ):
        if not address:
            continue
        path = _REQUEST.sub("", urlsplit(address).path)
        parts = [part for part in unquote(path).split("/") if part]  # an identifier may hold slashes, escaped
        if parts:
            found.append(parts)
    return found


def _check(manifest: Manifest) -> None:
    """Raises TypeError where what is used later is of another kind than the specification has it."""
    addresses = [manifest.id, *(canvas.picture["id"] for canvas in manifest.canvases)]
    addresses += [
        one.get("id", one.get("@id"))
        for canvas in manifest.canvases
        for one in canvas.picture.get("service", ())
    ]
    if not all(isinstance(one, str) for one in addresses):
        raise TypeError("an address that is no text")
    for said in (manifest.said, *(canvas.said for canvas in manifest.canvases)):
        statement = said.get("requiredStatement", {"value": {}})
        for name, texts in (("label", said.get("label", {})), ("requiredStatement", statement["value"])):
            if not isinstance(texts, dict) or not all(isinstance(one, list) for one in texts.values()):
                raise TypeError(f"{name} is no texts by language")


def _of_version_3(data: Json) -> Manifest:
    canvases = []
    for canvas in data["items"]:
        pictures = [
            picture
            for page in canvas.get("items", ())
            for annotation in page.get("items", ())
            if annotation.get("motivation") == "painting"
            for picture in _pictures_3(annotation["body"])
        ]
        if pictures:
            canvases.append(Canvas(pictures[0], _said_3(canvas)))
    return Manifest(data["id"], _said_3(data), tuple(canvases))


def _pictures_3(body: Any) -> Iterator[Json]:
    for one in body if isinstance(body, list) else [body]:
        if one.get("type") in ("Choice", "SpecificResource"):
            inner = one["items"] if one["type"] == "Choice" else one["source"]
            yield from _pictures_3(inner)
        elif one.get("type") == "Image":
            service = [_service(each) for each in _listed(one.get("service"))]
            yield {
                "id": one["id"],
                "type": "Image",
                **_kept(one),
                **({"service": service} if service else {}),
            }


def _said_3(data: Json) -> Json:
    names = ("label", "metadata", "summary", "requiredStatement", "rights", "provider", "homepage", "navDate")
    return {name: data[name] for name in names if name in data}


def _of_version_2(data: Json) -> Manifest:
    canvases = []
    for canvas in data["sequences"][0]["canvases"]:
        pictures = [
            picture for image in canvas.get("images", ()) for picture in _pictures_2(image["resource"])
        ]
        if pictures:
            canvases.append(Canvas(pictures[0], _said_2(canvas)))
    return Manifest(data["@id"], _said_2(data), tuple(canvases))


def _pictures_2(resource: Any) -> Iterator[Json]:
    if resource.get("@type") == "oa:Choice":
        yield from _pictures_2(resource["default"])
    elif resource.get("@type") == "oa:SpecificResource":
        yield from _pictures_2(resource["full"])
    else:
        service = [_service(each) for each in _listed(resource.get("service"))]
        yield {
            "id": resource["@id"],
            "type": "Image",
            **_kept(resource),
            **({"service": service} if service else {}),
        }


def _said_2(data: Json) -> Json:
    """By "Presentation API 3.0, Change Log": what was renamed, and texts as language maps."""
    said: Json = {}
    if data.get("label"):
        said["label"] = _texts(data["label"])
    pairs = [
        {"label": _texts(one["label"]), "value": _texts(one["value"])}
        for one in _listed(data.get("metadata"))
    ]
    if data.get("description"):
        said["summary"] = _texts(data["description"])
    if data.get("attribution"):
        said["requiredStatement"] = {"label": {"en": ["Attribution"]}, "value": _texts(data["attribution"])}
    for license_ in _listed(data.get("license")):
        if isinstance(license_, str) and _RIGHTS.match(license_) and "rights" not in said:
            said["rights"] = license_.replace("https://", "http://", 1)  # as both registries write it
        else:
            pairs.append({"label": {"en": ["License"]}, "value": _texts(license_)})
    return said | ({"metadata": pairs} if pairs else {})


def _texts(value: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in _listed(value):
        if isinstance(one, dict):
            found[one.get("@language", "none")].append(str(one.get("@value", one.get("@id", ""))))
        else:
            found["none"].append(str(one))
    return dict(found)


def _service(service: Any) -> Json:
    """A service with its address as `id`, whichever version it is of."""
    if isinstance(service, str):
        return {"id": service, "type": "ImageService2"}
    kept = {name: service[name] for name in ("type", "profile", "width", "height") if name in service}
    if "@id" in service:
        profile = service.get("profile", "")
        profile = profile[0] if isinstance(profile, list) and profile else profile
        version = 1 if "/1/" in str(service.get("@context", profile)) or "1.1" in str(profile) else 2
        # As Presentation 3 has services of older APIs
        return {"@id": service["@id"], "@type": f"ImageService{version}", **kept, "profile": profile}
    return {"id": service["id"], **kept}


def _kept(picture: Json) -> Json:
    return {name: picture[name] for name in ("format", "width", "height") if name in picture}


def _listed(value: Any) -> list:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
