"""What a decoding process tells of a photograph beside its pixels, as JSON: it may have been taken over by the file.

{"bits", "format", "icc", "metadata", "remarks", "pixels", "alpha"}; bytes are base64, the last two [shape, dtype].
"""

import base64
import json
import math
from typing import Any

import numpy as np

from hybridvit.photo.metadata import Metadata
from hybridvit.photo.photo import Photo
from hybridvit.photo.resources import Resource
from hybridvit.photo.tiff_tags import Directory, Tag, Tags

TYPES = ("|u1", "<u2", ">u2")


def to_text(photo: Photo) -> str:
    """All of it but the pixels themselves and the path."""
    metadata, exif = photo.metadata, photo.metadata.exif
    fields = {
        "bits": photo.bits,
        "format": photo.format,
        "icc": _text(photo.icc),
        "remarks": photo.remarks + _of_pages(photo),
        "xmp": _text(metadata.xmp),
        "iptc": _text(metadata.iptc),
        "dpi": metadata.dpi,
        "aspect": metadata.aspect,
        "resources": [
            [_text(one.signature), one.number, _text(one.name), _text(one.data)] for one in metadata.resources
        ],
        "texts": metadata.texts,
        "exif": exif and {"tags": _tags_to_json(exif.tags), "order": exif.order, "note_at": exif.note_at},
    }
    for name in ("pixels", "alpha"):
        array = getattr(photo, name)
        fields[name] = None if array is None else (array.shape, array.dtype.str)
    return json.dumps(fields)


def from_text(text: bytes) -> dict[str, Any]:
    """The fields for a `Photo`; `pixels` and `alpha` are (shape, dtype) or None. Raises ValueError for another text."""
    try:
        fields = json.loads(text)
        exif = fields.pop("exif")
        if exif is not None:
            note_at = None if exif["note_at"] is None else int(exif["note_at"])
            exif = Directory(_tags_of_json(exif["tags"]), str(exif["order"]), note_at)
        dpi, aspect = (_pair(fields.pop(name)) for name in ("dpi", "aspect"))
        resources = tuple(
            Resource(_some_bytes(signature), int(number), _some_bytes(name), _some_bytes(data))
            for signature, number, name, data in fields.pop("resources")
        )
        texts = tuple((str(keyword), str(text)) for keyword, text in fields.pop("texts"))
        xmp, iptc, icc = (_bytes(fields.pop(name)) for name in ("xmp", "iptc", "icc"))
        arrays = {name: _array(fields.pop(name)) for name in ("pixels", "alpha")}
        known = {
            "bits": int(fields.pop("bits")),
            "format": str(fields.pop("format")),
            "remarks": tuple(map(str, fields.pop("remarks"))),
        }
        if fields:
            raise ValueError(f"unknown fields {sorted(fields)}")
        metadata = Metadata(exif, xmp, iptc, dpi, aspect, resources, texts)
        return {**known, "icc": icc, "metadata": metadata, **arrays}
    except (ArithmeticError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"what its decoder says is no photograph ({type(error).__name__})") from None


def _pair(values: list | None) -> tuple[float, float] | None:
    if values is None:
        return None
    x, y = map(float, values)
    if not math.isfinite(x) or not math.isfinite(y) or min(x, y) <= 0:
        raise ValueError("no resolution")
    return x, y


def _of_pages(photo: Photo) -> tuple[str, ...]:
    if not photo.further:
        return ()
    return (f"the first of its {1 + len(photo.further)} pages is shown; all are coloured when it is saved",)


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _some_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _array(form: list | None) -> tuple[tuple[int, ...], str] | None:
    if form is None:
        return None
    shape, dtype = form
    if dtype not in TYPES or not all(isinstance(side, int) and side > 0 for side in shape):
        raise ValueError("no shape and type of pixels")
    return tuple(shape), np.dtype(dtype).str


def _tags_to_json(tags: Tags) -> dict[str, Any]:
    return {
        str(tag): [value.type, _text(value.value)] if isinstance(value, Tag) else _tags_to_json(value)
        for tag, value in tags.items()
    }


def _tags_of_json(tags: dict[str, Any]) -> Tags:
    return {
        int(tag): _tags_of_json(value)
        if isinstance(value, dict)
        else Tag(int(value[0]), _some_bytes(value[1]))
        for tag, value in tags.items()
    }
