"""What the API's JSON looks like, as JSON schemas; the sidecar's own are those of `hints/schema.json`."""

import json
from importlib import resources
from typing import Any

from hybridvit.colorize.naming import FORMATS
from hybridvit.hints.review import STATES

Json = dict[str, Any]
PLACE = "#/components/schemas/"


def reference(name: str) -> Json:
    """A schema by its name."""
    return {"$ref": PLACE + name}


def _object(**fields: Json) -> Json:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _said(schema: Json, description: str) -> Json:
    return {**schema, "description": description}


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
WHOLE = {"type": "integer", "minimum": 0}
HEX = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
REVISION = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
FORMAT = {"type": "string", "enum": list(FORMATS)}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
LIGHTNESS = {"type": "number", "minimum": 0, "maximum": 100.01, "description": "CIE L of the pixel"}
OF_REVISION = {"revision": (False, REVISION)}  # a query: the present one without it
PAIR = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}

_PHOTO = {"id": TEXT, "name": TEXT, "source": {"type": "string", "enum": ["folder", "upload"]}}
_COLOR = _object(color=HEX, ab=PAIR, share=SHARE)
_GAIN = _said(NUMBER, "share of the expected squared error that a hint there removes")
_STATE = {"type": "string", "enum": list(STATES)}
_TIME = _said(WHOLE, "microseconds from the film's first frame")
_CELL = _object(at=_TIME, id=_said(TEXT, "of the frame, to open it"), clock=_said(TEXT, "the time in words"))
_POINT = _object(x=NUMBER, y=NUMBER, gain=_GAIN, color=_said(HEX, "the likeliest there"))

OWN = {
    "Error": _object(error=_said(TEXT, "one line for people")),
    "Info": _object(
        name=TEXT,
        version=TEXT,
        model=_object(name=TEXT, sha256=TEXT),
        folder=_or_null(_said(TEXT, "its name")),
        first=_or_null(_said(TEXT, "id of the photograph to begin with")),
        limits=_object(bytes=_said(WHOLE, "of an upload"), pixels=_said(WHOLE, "of a photograph")),
        formats=_list(FORMAT),
        settings=_said(reference("settings"), "those of a photograph that has no sidecar"),
        output=_or_null(_said(TEXT, "folder of the results; null: with the uploads")),
        films=_or_null(_said(TEXT, "what to install to open the folder's films; null: nothing")),
        home=_said(TEXT, "the user's home folder, below which results may go elsewhere"),
    ),
    "Photos": _object(
        photos=_list(
            _object(
                **_PHOTO,
                kind=_said({"type": "string", "enum": ["photo", "film"]}, "a film is opened by its frames"),
                hints=_or_null(_said(WHOLE, "in its sidecar")),
                approved={"type": "boolean"},
                saved=_said({"type": "boolean"}, "the result is there, and not older than the hints"),
                colored=_or_null(
                    _said(TEXT, "changes when its thumbnail in colour does; null: there is none")
                ),
            )
        )
    ),
    "Photo": _object(
        **_PHOTO,
        width=WHOLE,
        height=WHOLE,
        bits={"type": "integer", "enum": [8, 16]},
        gray={"type": "boolean"},
        levels=_said(
            {"type": "integer", "minimum": 1}, "level k is shrunk 2^k times; the last one is a single tile"
        ),
        tile=_said(WHOLE, "px, side of a tile"),
        film=_or_null(_said(_object(id=TEXT, at=_TIME), "whose frame it is")),
        sidecar=reference("Sidecar"),
        revision=REVISION,
        remarks=_list(_said(TEXT, "what a user should know")),
    ),
    "Queue": _object(
        photos=_list(
            _object(
                id=TEXT,
                name=TEXT,
                state=_STATE,
                by=TEXT,
                when=_said(TEXT, "ISO 8601, empty where nobody said anything"),
                revision=REVISION,
                colored=_or_null(_said(TEXT, "another one when the result's file changes; null: no result")),
                doubt=_or_null(SHARE),
                disagreement=_or_null(_said(NUMBER, "ab units, from places of other photographs that match")),
                hints=WHOLE,
                words=_said(TEXT, "what its metadata say of it: titles, descriptions, keywords; a line each"),
            )
        )
    ),
    "Exported": _object(file=TEXT, copied=_said({"type": "boolean"}, "false: it was there already")),
    "Review": _object(state=_STATE, by=_said(TEXT, "who says it")) | {"required": ["state"]},
    "Verdict": _object(state=_STATE, by=TEXT, when=TEXT, revision=REVISION),
    "Approval": _object(approved={"type": "boolean"}),
    "Revision": _object(revision=REVISION),
    "Colors": _object(lightness=LIGHTNESS, colors=_said(_list(_COLOR), "likeliest first")),
    "Pixel": _object(lightness=LIGHTNESS, color=_said(HEX, "in the revision that was asked for"))
    | {"required": ["lightness"]},
    "Points": _object(points=_list(_POINT)),
    "Reference": _object(id=TEXT, width=WHOLE, height=WHOLE, palette=reference("palette")),
    "Carry": _object(to=_said({**_list(TEXT), "maxItems": 1000}, "ids of photographs")),
    "Carried": _object(
        carried=_list(_object(id=TEXT, hints=_said(WHOLE, "added"))),
        skipped=_list(_object(id=TEXT, reason=TEXT)),
    ),
    "CarryPreviews": _object(
        previews=_list(
            _object(
                id=TEXT,
                before=_said(REVISION, "its colours now"),
                after=_said(REVISION, "the colours that it would get; its `preview` shows them"),
                hints=_said(_list(reference("hint")), "that would be added"),
                match=_said(SHARE, "how alike the hinted places are to those of the source"),
                sure=_said({"type": "boolean"}, "whether the match is strong enough to be taken unseen"),
                changed=_said(SHARE, "of the photograph, that moves by more than 5 ab units"),
            )
        ),
        skipped=_list(_object(id=TEXT, reason=TEXT)),
    ),
    "Film": _object(
        id=TEXT,
        name=TEXT,
        width=_said(WHOLE, "px of a frame as it is shown"),
        height=WHOLE,
        length=_said(WHOLE, "microseconds, about"),
        step=_said(WHOLE, "microseconds from cell to cell of its strip"),
        cells=_said(WHOLE, "how many there are"),
        hinted=_said(_list(WHOLE), "times that have hints, microseconds"),
        hints=_said(WHOLE, "how many there are"),
        begin=_said(TEXT, "id of a frame to begin with"),
        command=_said(TEXT, "what makes the coloured film"),
    ),
    "Cells": _object(cells=_list(_CELL)),
    "Cuts": _object(
        until=_said(WHOLE, "microseconds: where what was looked through ends"), cuts=_list(WHOLE)
    ),
    "Shot": _object(
        times=_said(_list(WHOLE), "of its frames, as far as hints go from the one that was asked for"),
        begins=_said({"type": "boolean"}, "whether its beginning is among them"),
        ends={"type": "boolean"},
        before=_or_null(_said(WHOLE, "the time of the frame before them; null: the film begins")),
        stop=_or_null(_said(WHOLE, "the time of the frame behind them; null: the film ends")),
        hinted=_said(_list(WHOLE), "those with hints"),
        picked=_said(_list(_CELL), "those to show"),
    ),
    "Spread": _object(
        tag=_or_null(_said(REVISION, "to ask for its pictures by; null: the shot has no hints")),
        total=_said(WHOLE, "how many frames there are to go through"),
        done=WHOLE,
        ready=_said(_list(WHOLE), "the times of the pictures that are there"),
        failure=_or_null(_said(TEXT, "why no more will come")),
    ),
    "Reach": _object(hint=reference("hint")),
    "Reached": _object(
        share=_said(SHARE, "of the photograph's inside, that the hint changes"),
        outline=_said(_list(_list(PAIR)), "closed polygons, full-resolution pixels"),
    ),
    "Save": _object(
        format=_or_null(_said(FORMAT, "null: the photograph's own")),
        place=_said(
            {"type": "string", "enum": ["folder", "studio", "download"]},
            "the folder of the results; the studio's own data; there for a while, until it is downloaded",
        ),
        folder=_or_null(_said(TEXT, "instead of the folder of the results: one below the user's home")),
    )
    | {"required": []},
    "Folder": _object(folder=_said(TEXT, "below the user's home; absolute, or within it")),
    "Saved": _object(file=TEXT, sidecar=_or_null(TEXT), seconds=NUMBER),
}


def all_schemas() -> dict[str, Json]:
    """By name; the sidecar's definitions are moved to where OpenAPI has them."""
    text = resources.files("hybridvit.hints").joinpath("schema.json").read_text(encoding="utf-8")
    sidecar = json.loads(text.replace("#/$defs/", PLACE))
    definitions = sidecar.pop("$defs")
    del sidecar["$schema"]
    return {**OWN, "Sidecar": sidecar, **definitions}
