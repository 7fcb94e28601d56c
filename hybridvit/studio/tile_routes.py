"""Pictures that the server draws: tiles, the uncertainty, variants."""

import dataclasses
import functools
import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import LARGEST_SEED
from hybridvit.inference.heat_map import draw_heat_map
from hybridvit.studio import encoding
from hybridvit.studio.answers import FOREVER, tagged
from hybridvit.studio.colored import Colored
from hybridvit.studio.open_photo import OpenPhoto
from hybridvit.studio.parameters import whole
from hybridvit.studio.pyramid import Box, Pixels, preview
from hybridvit.studio.studio import Studio

VARIANT = 384  # px


async def get_tile(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}/tiles/{what}/{level}/{row}/{column}."""
    photo = await studio.photo(request.path_params["id"])
    what = request.path_params["what"]
    level, box = _place(photo, request)
    recipe, headers = None, FOREVER
    if what == "original":
        headers, unchanged = tagged(request, f"{photo.sha256[:16]}-{level}-{box.top}-{box.left}")
        if unchanged:
            return unchanged
    else:
        recipe = studio.recipe(photo, checked_revision(what))
        photo.note_sight(what, (level, box))
    key = photo.sha256, what, level, box
    data = studio.tiles.get(key) or await studio.flights.join(
        ("tile", *key), lambda: _draw(studio, photo, recipe, *key)
    )
    return Response(data, headers=headers, media_type="image/jpeg" if level else "image/png")


async def get_uncertainty(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}/uncertainty."""
    photo, _, recipe = await photo_and_recipe(studio, request)

    def draw() -> bytes:
        doubt = photo.canvas.doubt(recipe).astype("float32")
        return encoding.png(draw_heat_map(doubt, photo.grid.height, photo.grid.width))

    return Response(
        await studio.workers.run("coloring", draw), headers=_kept(request), media_type="image/png"
    )


async def get_variant(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}/variants/{seed}."""
    seed = whole("seed", request.path_params["seed"], 0, LARGEST_SEED)
    photo, _, recipe = await photo_and_recipe(studio, request)
    settings = dataclasses.replace(recipe.settings, decode="sample", seed=seed)
    recipe = dataclasses.replace(recipe, settings=settings)
    revision = await studio.workers.run("files", photo.revision_of, recipe)
    colored, levels = await studio.colored(photo, recipe, revision), await studio.levels(photo)
    data = await studio.workers.run("painting", _paint_small, colored, levels)
    return Response(data, headers=_kept(request), media_type="image/jpeg")


async def photo_and_recipe(studio: Studio, request: Request) -> tuple[OpenPhoto, str, Recipe]:
    """The photograph of a request's path, and the revision of its query (the present one if it names none)."""
    photo = await studio.photo(request.path_params["id"])
    revision = request.query_params.get("revision")
    if revision is not None:
        checked_revision(revision)
    return photo, revision or photo.revision, studio.recipe(photo, revision)


def checked_revision(text: str) -> str:
    """Raises 400 for what cannot be one."""
    if not re.fullmatch("[0-9a-f]{16}", text):
        raise HTTPException(400, "a revision has 16 hexadecimal digits, as PUT .../sidecar gives them")
    return text


def _place(photo: OpenPhoto, request: Request) -> tuple[int, Box]:
    level = whole("level", request.path_params["level"], 0, photo.grid.levels - 1)
    rows, columns = photo.grid.tiles(level)
    row = whole("row", request.path_params["row"], 0, rows - 1)
    column = whole("column", request.path_params["column"], 0, columns - 1)
    return level, photo.grid.box(level, row, column)


def _kept(request: Request) -> dict[str, str]:
    """What was asked for by its revision never changes; the present one does."""
    return FOREVER if "revision" in request.query_params else {"Cache-Control": "no-store"}


def begin_tiles(studio: Studio, photo: OpenPhoto, recipe: Recipe, revision: str) -> None:
    """Draws what is in sight in the colours of a new revision: its tiles are going to be asked for."""
    for place in photo.in_sight:
        key = photo.sha256, revision, *place
        if studio.tiles.get(key) is None:
            studio.flights.begin(("tile", *key), functools.partial(_draw, studio, photo, recipe, *key))


async def _draw(
    studio: Studio, photo: OpenPhoto, recipe: Recipe | None, sha256: str, what: str, level: int, box: Box
) -> bytes:
    """And keeps it."""
    colored = await studio.colored(photo, recipe, what) if recipe else None
    levels = await studio.levels(photo) if level else (photo.pixels,)

    def draw() -> bytes:
        pixels = colored.tile(levels, level, box) if colored else box.of(levels[level])
        return encoding.jpeg(pixels) if level else encoding.png(pixels)

    data = await studio.workers.run("painting", draw)
    studio.tiles.put((sha256, what, level, box), data, len(data))
    return data


def _paint_small(colored: Colored, levels: tuple[Pixels, ...]) -> bytes:
    level = max((k for k, pixels in enumerate(levels) if max(pixels.shape) >= VARIANT), default=0)
    height, width, _ = levels[level].shape
    return encoding.jpeg(preview(colored.tile(levels, level, Box(0, 0, height, width)), VARIANT))
