"""Pictures that the server draws: tiles, the uncertainty, variants."""

import dataclasses
import functools
import itertools
import re
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.heat_map import draw_heat_map
from hybridvit.hints.frame import Frame
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import LARGEST_SEED
from hybridvit.studio import encoding
from hybridvit.studio.answers import FOREVER, tagged
from hybridvit.studio.colored import Colored
from hybridvit.studio.open_photo import MOST_IN_SIGHT, OpenPhoto
from hybridvit.studio.openapi_schemas import OF_REVISION
from hybridvit.studio.operation import operation
from hybridvit.studio.parameters import whole
from hybridvit.studio.pyramid import Box, Pixels, preview
from hybridvit.studio.studio import Studio

PREVIEW = 384  # px


@operation(
    "GET /api/photos/{id}/tiles/{what}/{level}/{row}/{column}",
    "A tile: PNG with the pixels that would be saved (8 bits of them) at level 0, JPEG above",
    ("image/png", "image/jpeg"),
    (400, 404, 409, 410, 422),
)
async def get_tile(studio: Studio, request: Request) -> Response:
    """Of the original, or in a revision's colours."""
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


@operation(
    "GET /api/photos/{id}/uncertainty",
    "How unsure the model is: probability that a colour is more than 10 ab units off, dark blue 0 to pale yellow 1",
    ("image/png",),
    (400, 404, 410, 422),
    query=OF_REVISION,
)
async def get_uncertainty(studio: Studio, request: Request) -> Response:
    """As a heat map."""
    photo, _, recipe = await photo_and_recipe(studio, request)

    def draw() -> bytes:
        doubt = photo.canvas.doubt(recipe)
        if doubt is None:
            raise HTTPException(404, "this model does not say how sure it is")
        return encoding.png(draw_heat_map(doubt.astype("float32"), photo.grid.height, photo.grid.width))

    return Response(
        await studio.workers.run("coloring", draw), headers=_kept(request), media_type="image/png"
    )


@operation(
    "GET /api/photos/{id}/preview",
    "The photograph in a revision's colours and frame, longer side 384 px",
    ("image/jpeg",),
    (400, 404, 409, 410, 422),
    query=OF_REVISION,
)
async def get_preview(studio: Studio, request: Request) -> Response:
    """Also of a revision that is none of its own yet, as one that `carry/preview` has named."""
    photo, revision, recipe = await photo_and_recipe(studio, request)
    data = await paint_preview(studio, photo, recipe, revision, PREVIEW)
    return Response(data, headers=_kept(request), media_type="image/jpeg")


@operation(
    "GET /api/photos/{id}/variants/{seed}",
    "Another possible colouring with these hints, longer side 384 px",
    ("image/jpeg",),
    (400, 404, 409, 410, 422),
    query=OF_REVISION,
)
async def get_variant(studio: Studio, request: Request) -> Response:
    """A sample."""
    seed = whole("seed", request.path_params["seed"], 0, LARGEST_SEED)
    photo, _, recipe = await photo_and_recipe(studio, request)
    settings = dataclasses.replace(recipe.settings, decode="sample", seed=seed)
    recipe = dataclasses.replace(recipe, settings=settings)
    revision = await studio.workers.run("files", photo.revision_of, recipe)
    data = await paint_preview(studio, photo, recipe, revision, PREVIEW)
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


async def draw_in_sight(
    studio: Studio, photo: OpenPhoto, recipe: Recipe, revision: str
) -> AsyncIterator[None]:
    """The same one after the other; yields after each."""
    for place in tuple(photo.in_sight):
        key = photo.sha256, revision, *place
        if studio.tiles.get(key) is None:
            draw = functools.partial(_draw, studio, photo, recipe, *key)
            await studio.flights.join(("tile", *key), draw)
        yield


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


async def draw_first_tiles(studio: Studio, photo: OpenPhoto, recipe: Recipe, revision: str) -> None:
    """Draws all of the levels that have few tiles, of the original and in a revision's colours."""
    for level in reversed(range(photo.grid.levels)):
        rows, columns = photo.grid.tiles(level)
        if rows * columns > MOST_IN_SIGHT:
            break
        for row, column in itertools.product(range(rows), range(columns)):
            box = photo.grid.box(level, row, column)
            for what, used in ((revision, recipe), ("original", None)):
                key = photo.sha256, what, level, box
                if studio.tiles.get(key) is None:
                    draw = functools.partial(_draw, studio, photo, used, *key)
                    await studio.flights.join(("tile", *key), draw)


async def paint_preview(
    studio: Studio, photo: OpenPhoto, recipe: Recipe, revision: str, longest: int
) -> bytes:
    """The photograph in a revision's colours and its frame, a JPEG of `longest` px at most."""
    colored, levels = await studio.colored(photo, recipe, revision), await studio.levels(photo)
    return await studio.workers.run("painting", _paint_small, colored, levels, recipe.frame, longest)


def _paint_small(colored: Colored, levels: tuple[Pixels, ...], frame: Frame, longest: int) -> bytes:
    boxes = [_box_of(frame, level, pixels) for level, pixels in enumerate(levels)]
    level = max((k for k, box in enumerate(boxes) if max(box.height, box.width) >= longest), default=0)
    part = colored.tile(levels, level, boxes[level])
    return encoding.jpeg(preview(Frame(frame.turns).apply(part), longest))


def _box_of(frame: Frame, level: int, pixels: Pixels) -> Box:
    """What the frame shows of a level, not yet turned."""
    height, width, _ = pixels.shape
    crop = frame.shrunk(2**level, width, height).crop
    return Box(crop.y, crop.x, crop.height, crop.width) if crop else Box(0, 0, height, width)
