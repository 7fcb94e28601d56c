"""What the model says to a user: likely colours, where a hint helps; colours taken from and to other pictures."""

import math
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import recipe_to_json
from hybridvit.inference.carry_over import carry_hints, preview_carry
from hybridvit.inference.composition import lightness
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.suggestions import likely_colors
from hybridvit.studio.ahead import color_ahead
from hybridvit.studio.answers import as_json
from hybridvit.studio.open_photo import OpenPhoto
from hybridvit.studio.openapi_schemas import NUMBER, OF_REVISION
from hybridvit.studio.operation import operation
from hybridvit.studio.parameters import json_object, number, whole
from hybridvit.studio.studio import Studio
from hybridvit.studio.tile_routes import photo_and_recipe

MOST_COLORS = 5
MOST_AHEAD = 2  # of them: more would push out what is needed
MOST_POINTS = 10
MOST_CARRIED = 1000  # photographs in a request

_AT_PLACE = {"x": (True, NUMBER), "y": (True, NUMBER), **OF_REVISION}
_AHEAD = {  # of the colours, with which the photograph is coloured in advance, as if each were chosen there
    "ahead": (False, {"type": "integer", "minimum": 0, "maximum": MOST_AHEAD, "default": 0})
}
_COUNT = {"count": (False, {"type": "integer", "minimum": 1, "maximum": MOST_POINTS, "default": 3})}


@operation(
    "GET /api/photos/{id}/colors",
    "The likeliest colours of a place",
    "Colors",
    (400, 404, 409, 410, 422),
    query={**_AT_PLACE, **_AHEAD},
)
async def get_colors(studio: Studio, request: Request) -> Response:
    """Some of which it begins to show."""
    photo, revision, recipe = await photo_and_recipe(studio, request)
    x, y = _point(photo, request)
    ahead = whole("ahead", request.query_params.get("ahead", "0"), 0, MOST_AHEAD)

    def think() -> dict[str, Any]:
        found = likely_colors(photo.canvas, recipe, x, y, MOST_COLORS)
        colors = [
            {"color": one.color, "ab": [float(v) for v in one.ab], "share": float(one.share)} for one in found
        ]
        return {"lightness": _lightness(photo, x, y), "colors": colors}

    answer = await studio.ask_model("coloring", photo, think)
    points = [Point(x, y, one["color"]) for one in answer["colors"][:ahead]]
    studio.flights.begin(("ahead", *points), lambda: color_ahead(studio, photo, revision, points))
    return as_json(answer)


@operation(
    "GET /api/photos/{id}/gamut",
    "A pixel's lightness; with a revision, its colour too",
    "Pixel",
    (400, 404, 409, 410, 422),
    query=_AT_PLACE,
)
async def get_gamut(studio: Studio, request: Request) -> Response:
    """What decides which colours a place can have."""
    photo, revision, recipe = await photo_and_recipe(studio, request)
    x, y = _point(photo, request)
    answer: dict[str, Any] = {"lightness": await studio.workers.run("painting", _lightness, photo, x, y)}
    if "revision" in request.query_params:
        colored = await studio.colored(photo, recipe, revision)
        place = math.floor(x), math.floor(y)
        answer["color"] = await studio.workers.run("painting", colored.pixel, (photo.pixels,), *place)
    return as_json(answer)


@operation(
    "GET /api/photos/{id}/next",
    "Where a hint would help most",
    "Points",
    (400, 404, 409, 410, 422),
    query={**OF_REVISION, **_COUNT},
)
async def get_next(studio: Studio, request: Request) -> Response:
    """Places, the best first."""
    count = whole("count", request.query_params.get("count", "3"), 1, MOST_POINTS)
    photo, _, recipe = await photo_and_recipe(studio, request)

    def think() -> list[dict[str, Any]]:
        points = []
        for point in next_hints(photo.canvas, recipe, count):
            likeliest = likely_colors(photo.canvas, recipe, point.x, point.y, MOST_COLORS)[0].color
            points.append(
                {"x": float(point.x), "y": float(point.y), "gain": float(point.gain), "color": likeliest}
            )
        return points

    return as_json({"points": await studio.ask_model("thinking", photo, think)})


@operation(
    "POST /api/photos/{id}/carry/preview",
    "What `carry` would change in other photographs, and how sure that is; nothing is changed",
    "CarryPreviews",
    (400, 404, 413, 422),
    body="Carry",
)
async def preview_carry_over(studio: Studio, request: Request) -> Response:
    """One after the other; each is opened for it."""
    wanted = _ids((await json_object(request, ("to",))).get("to"))
    photo = await studio.photo(request.path_params["id"])
    recipe, previews, skipped = photo.recipe, [], []
    for photo_id in wanted:
        try:
            previews.append(await _preview(studio, photo, recipe, photo_id))
        except (HTTPException, ValueError) as error:
            reason = error.detail if isinstance(error, HTTPException) else str(error)
            skipped.append({"id": photo_id, "reason": reason})
    return as_json({"previews": previews, "skipped": skipped})


async def _preview(studio: Studio, source: OpenPhoto, recipe: Recipe, photo_id: str) -> dict[str, Any]:
    if photo_id == source.entry.id:
        raise ValueError("these are its own colours")
    target = await studio.photo(photo_id)
    before, now = target.recipe, target.revision
    found = await studio.workers.run(
        "thinking", preview_carry, source.canvas, recipe, target.canvas, before, source.entry.name
    )
    hints = recipe_to_json(found.recipe)["hints"][len(before.hints) :]
    if not hints:
        raise ValueError("nothing in it is surely the same")
    then = await studio.workers.run("files", target.revision_of, found.recipe)
    for recipe_then, revision in ((before, now), (found.recipe, then)):
        studio.remember(target, recipe_then, revision)
    return {
        "id": photo_id,
        "before": now,
        "after": then,
        "hints": hints,
        "match": found.match,
        "sure": found.is_sure,
        "changed": found.changed,
    }


@operation(
    "POST /api/photos/{id}/carry",
    "Give other photographs these colours, as hints in their sidecars",
    "Carried",
    (400, 404, 413, 422),
    body="Carry",
)
async def carry(studio: Studio, request: Request) -> Response:
    """One after the other."""
    wanted = _ids((await json_object(request, ("to",))).get("to"))
    photo = await studio.photo(request.path_params["id"])
    recipe, carried, skipped = photo.recipe, [], []
    for photo_id in wanted:
        try:
            added = await _carry_to(studio, photo, recipe, photo_id)
        except (HTTPException, ValueError) as error:
            reason = error.detail if isinstance(error, HTTPException) else str(error)
            skipped.append({"id": photo_id, "reason": reason})
        else:
            carried.append({"id": photo_id, "hints": added})
    return as_json({"carried": carried, "skipped": skipped})


async def _carry_to(studio: Studio, source: OpenPhoto, recipe: Recipe, photo_id: str) -> int:
    """Returns how many hints were added."""
    if photo_id == source.entry.id:
        raise ValueError("these are its own colours")
    target = await studio.photo(photo_id)
    for _ in range(3):
        before, revision = target.recipe, target.revision
        after = await studio.workers.run(
            "thinking", carry_hints, source.canvas, recipe, target.canvas, before, source.entry.name
        )
        added = len(after.hints) - len(before.hints)
        if added == 0:
            raise ValueError("nothing in it is surely the same")
        try:
            await studio.change(target, after, target.revision_of(after), revision)
        except HTTPException as error:
            if error.status_code != 409:
                raise
        else:
            return added
    raise ValueError("it is being changed in another window")


def _lightness(photo: OpenPhoto, x: float, y: float) -> float:
    row, column = math.floor(y), math.floor(x)
    found = float(np.asarray(lightness(photo.pixels[row : row + 1, column : column + 1])).item())
    return max(0.0, found)  # of black it is -6e-8


def _point(photo: OpenPhoto, request: Request) -> tuple[float, float]:
    return number(request, "x", 0, photo.grid.width), number(request, "y", 0, photo.grid.height)


def _ids(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise HTTPException(400, "to: give a list of photographs' ids")
    if len(given) > MOST_CARRIED:
        raise HTTPException(
            400, f"to: these are {len(given)} photographs, at most {MOST_CARRIED} are taken at once"
        )
    return list(dict.fromkeys(given))
