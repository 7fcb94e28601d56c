"""What a user may choose next, coloured while it is being looked at: then it is there at once.

Nobody waits for this: it ends as soon as anything else is to be coloured, or somebody looks at another place.
"""

import dataclasses
from collections.abc import Sequence

from hybridvit.hints.shapes import Point
from hybridvit.studio.open_photo import OpenPhoto
from hybridvit.studio.studio import Studio
from hybridvit.studio.tile_routes import begin_tiles


async def color_ahead(studio: Studio, photo: OpenPhoto, revision: str, points: Sequence[Point]) -> None:
    """Colours the photograph with each of these added to its hints, which are those of `revision`."""
    turn = studio.ahead = object()
    for point in points:
        if studio.ahead is not turn or photo.revision != revision or studio.workers.is_busy("coloring"):
            return
        recipe = dataclasses.replace(photo.recipe, hints=(*photo.recipe.hints, point))
        known = photo.revision_of(recipe)
        await studio.colored(photo, recipe, known)
        begin_tiles(studio, photo, recipe, known)
