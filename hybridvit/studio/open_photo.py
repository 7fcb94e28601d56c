"""A photograph in memory, with what was said of its colours."""

import asyncio
import dataclasses
import hashlib
import json
from collections import deque
from typing import Any

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import HintError
from hybridvit.hints.sidecar import Sidecar, pixels_digest, recipe_to_json
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import Photo
from hybridvit.studio.colored import Colored
from hybridvit.studio.decode import decode_photo
from hybridvit.studio.decode_film import decode_frame
from hybridvit.studio.entry import Entry, stamp_of
from hybridvit.studio.frame_file import FrameFile, check_for_film
from hybridvit.studio.limits import COLORED_BYTES, PIXELS, VIEW_PIXELS
from hybridvit.studio.pyramid import Box, Grid, Pixels
from hybridvit.studio.recently_used import RecentlyUsed
from hybridvit.studio.sidecar_file import SidecarFile

MOST_IN_SIGHT = 6  # tiles; a screen shows about as many


class OpenPhoto:
    """An open photograph. What changes in it changes in the event loop's thread, but for the sidecar's file.

    Attributes:
      entry: what it is.
      canvas: colours it.
      grid: its levels and tiles.
      sha256: of its pixels.
      recipe, revision: of its colours now.
      remarks: what a user should know of it, a line each.
      levels: its pyramid, once that is made.
      colored: what was painted last, by revision.
      rests: whether nothing is kept of its colours.
      changing: held while the recipe is changed.
      in_sight: level and place of the tiles last asked for in one revision's colours, the first ones first.
    """

    def __init__(self, entry: Entry, photo: Photo, colorizer: Colorizer, until: int | None = None):
        """`until` is when the next frame begins, where this is one of a film."""
        self.entry, self._colorizer = entry, colorizer
        self._stamp = stamp_of(entry.path)
        self.canvas: Canvas = colorizer.open(dataclasses.replace(photo, alpha=None))
        height, width, _ = photo.pixels.shape
        self.grid = Grid(width, height)
        self.sha256 = pixels_digest(photo.pixels)
        self.levels: tuple[Pixels, ...] | None = (photo.pixels,) if self.grid.levels == 1 else None
        self.colored: RecentlyUsed[Colored] = RecentlyUsed(COLORED_BYTES)
        self.rests = False
        self.changing = asyncio.Lock()
        self.in_sight: deque[tuple[int, Box]] = deque(maxlen=MOST_IN_SIGHT)
        self._seen_revision: str | None = None
        described = entry, width, height, self.sha256, self.check
        self.file = SidecarFile(*described) if entry.at is None else FrameFile(*described, until)
        self.read_sidecar()

    @property
    def pixels(self) -> Pixels:
        """At full resolution."""
        return self.canvas.photo.pixels

    @property
    def nbytes(self) -> int:
        """Of the pixels, and of the pyramid, made or not."""
        pyramid = self.pixels.size // 3 if self.grid.levels > 1 else 0
        return self.pixels.nbytes + pyramid

    @property
    def sidecar(self) -> Sidecar:
        """What decides its colours, as it is written down."""
        return self.sidecar_of(self.recipe)

    @property
    def is_stale(self) -> bool:
        """Whether its file is another one now; looks at the disk."""
        return stamp_of(self.entry.path) != self._stamp

    def rest(self) -> None:
        """Forgets what was computed of its colours: it is not looked at any more."""
        self.rests = True
        self.canvas = self._colorizer.open(self.canvas.photo)
        self.colored = RecentlyUsed(COLORED_BYTES)

    def sidecar_of(self, recipe: Recipe) -> Sidecar:
        """The sidecar with this recipe."""
        return Sidecar(self.grid.width, self.grid.height, self.sha256, recipe)

    def read_sidecar(self) -> None:
        """Takes over what lies on the disk."""
        sidecar = self.file.read()
        self.recipe = sidecar.recipe if sidecar else Recipe()
        self.revision = self.revision_of(self.recipe)
        self.remarks = self.canvas.photo.remarks + self.file.remarks

    def note_sight(self, revision: str, place: tuple[int, Box]) -> None:
        """A tile is asked for."""
        if revision != self._seen_revision:
            self._seen_revision = revision
            self.in_sight.clear()
        if place not in self.in_sight:
            self.in_sight.append(place)

    def check(self, recipe: Recipe) -> None:
        """Raises HintError if the model would have to see more of the picture at once than fits into memory, or if it
        is a film's and cannot be that.
        """
        if self.entry.is_film:
            check_for_film(recipe)
        for name, one in [
            ("", recipe),
            *((f"protected[{i}].", p.recipe) for i, p in enumerate(recipe.protected)),
        ]:
            height, width = self.canvas.view(one.settings)
            if height * width > VIEW_PIXELS:
                raise HintError(
                    f"{name}settings.size",
                    f"at {one.settings.size} px the model's view of this picture is {width} x {height} px, "
                    "too large for the studio: choose a smaller one",
                )

    def revision_of(self, recipe: Recipe) -> str:
        """A name for the picture in these colours: the same recipe has the same, of these pixels and weights."""
        said = json.dumps([self.sha256, self._colorizer.digest, recipe_to_json(recipe)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def described(self) -> dict[str, Any]:
        """Its size and depth, for the page."""
        photo = self.canvas.photo
        return {
            "id": self.entry.id,
            "name": self.entry.name,
            "source": self.entry.source,
            "width": self.grid.width,
            "height": self.grid.height,
            "bits": photo.bits,
            "gray": photo.pixels.shape[2] == 1,
            "levels": self.grid.levels,
            "film": None
            if self.entry.at is None
            else {"id": self.entry.id.partition("-")[0], "at": self.entry.at},
        }


def open_photo(entry: Entry, colorizer: Colorizer, until: int | None = None) -> OpenPhoto:
    """Reads a photograph and its sidecar; takes seconds for a large one. Raises ValueError or OSError, one line.

    `until` as for `OpenPhoto`.
    """
    if entry.at is not None:
        return OpenPhoto(entry, decode_frame(entry.path, entry.at), colorizer, until)
    return OpenPhoto(entry, decode_photo(entry.path, PIXELS), colorizer)
