"""What a user may choose next, coloured while it is being looked at: then it is there at once.

Nobody waits for this: it is given up between its steps as soon as anything else is to be coloured, or somebody looks at
another place, and it takes one core at most.
"""

import dataclasses
from collections.abc import Sequence

from hybridvit.hints.shapes import Point
from hybridvit.inference.giving_up import GivenUpError
from hybridvit.studio.open_photo import OpenPhoto
from hybridvit.studio.studio import Studio, Turn
from hybridvit.studio.tile_routes import draw_in_sight


async def color_ahead(studio: Studio, photo: OpenPhoto, revision: str, points: Sequence[Point]) -> None:
    """Colours the photograph with each of these added to its hints, which are those of `revision`."""
    studio.end_ahead()
    turn = studio.ahead = Turn()
    for point in points:
        if studio.ahead is not turn or photo.revision != revision or studio.workers.is_busy("coloring"):
            return
        recipe = dataclasses.replace(photo.recipe, hints=(*photo.recipe.hints, point))
        turn.revision = photo.revision_of(recipe)
        try:
            await studio.colored(photo, recipe, turn.revision, turn)
        except GivenUpError:
            return
        async for _ in draw_in_sight(studio, photo, recipe, turn.revision):
            if studio.ahead is not turn:
                return
