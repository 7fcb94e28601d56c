"""How far a hint would reach, before it is given."""

from typing import Any

import numpy as np
from jaxtyping import Float
from skimage.measure import approximate_polygon, find_contours
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.hints.raster import Window
from hybridvit.hints.shapes import HintError, check_within
from hybridvit.hints.sidecar import hint_from_json
from hybridvit.studio.answers import as_json
from hybridvit.studio.openapi_schemas import OF_REVISION
from hybridvit.studio.operation import operation
from hybridvit.studio.parameters import json_object
from hybridvit.studio.studio import Studio
from hybridvit.studio.tile_routes import photo_and_recipe

_SIMPLER = 0.3  # px of the view: how far an outline may be off


@operation(
    "POST /api/photos/{id}/reach",
    "How far a hint would reach, before it is given",
    "Reached",
    (400, 404, 410, 413, 422),
    query=OF_REVISION,
    body="Reach",
)
async def post_reach(studio: Studio, request: Request) -> Response:
    """Fast enough to be asked while a slider moves."""
    photo, _, recipe = await photo_and_recipe(studio, request)
    said = await json_object(request, ("hint",))
    try:
        hint = hint_from_json(said.get("hint"))
        check_within(hint, photo.grid.width, photo.grid.height)
    except HintError as error:
        raise HTTPException(400, str(error.within("hint"))) from None

    def think() -> dict[str, Any]:
        weight = photo.canvas.reach_of(hint, recipe.settings)
        inside = photo.canvas.inside(recipe.settings)
        return {"share": float((weight > hint.strength / 2).mean()), "outline": outlines(weight, inside)}

    return as_json(await studio.workers.run("coloring", think))


def outlines(weight: Float[np.ndarray, "h w"], inside: Window) -> list[list[list[float]]]:
    """Closed polygons, x and y in pixels of the picture, around where there is more than half of the most."""
    half = max(float(weight.max()), 1e-3) / 2
    framed = np.pad(weight, 1)
    scale = np.array([inside.height, inside.width]) / weight.shape
    found = []
    for line in find_contours(framed, half):
        corners = approximate_polygon(line, _SIMPLER) - 0.5  # of the frame, a pixel; and of pixels' middles
        placed = np.add(np.clip(corners * scale, 0, inside[2:]), inside[:2])
        found.append(np.round(placed[:, ::-1], 1).tolist())
    return found
