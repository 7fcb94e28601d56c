"""What all requests share: the library, the open photographs, threads; and what takes a thread or must happen once."""

import asyncio
import dataclasses
import pathlib
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.exceptions import HTTPException

from hybridvit.colorize.summary import explain
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Mask, Stroke
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.giving_up import GivenUpError, given_up_when
from hybridvit.photo.photo import Photo
from hybridvit.studio.colored import Colored
from hybridvit.studio.entry import ID, Entry
from hybridvit.studio.films import Films
from hybridvit.studio.flights import Flights
from hybridvit.studio.library import Library
from hybridvit.studio.limits import AWAKE, OPEN, OPEN_BYTES, SMALL_BYTES
from hybridvit.studio.open_photo import OpenPhoto, open_photo
from hybridvit.studio.pyramid import Pixels, build_pyramid
from hybridvit.studio.recently_used import RecentlyUsed
from hybridvit.studio.review_list import ReviewList
from hybridvit.studio.small_pictures import SmallPictures
from hybridvit.studio.spread import Spread
from hybridvit.studio.workers import Workers

Result = TypeVar("Result")


@dataclasses.dataclass(eq=False)
class Turn:
    """Of colouring what nobody has asked for yet: the revision that is being coloured; whether to give that up."""

    revision: str | None = None
    over: bool = False


class Studio:
    """One for an application; its functions run in the event loop."""

    def __init__(
        self,
        colorizer: Colorizer,
        library: Library,
        first: pathlib.Path | None = None,
        weights: str = "pretrained",
    ):
        """`first` is the photograph of the library to begin with; `weights` are the colorizer's, as for `load`."""
        self.colorizer, self.library, self.first, self.weights = colorizer, library, first, weights
        self.reviews, self.small_pictures = ReviewList(library), SmallPictures(library.uploads.data)
        self.workers, self.flights = Workers(), Flights()
        self.photos: RecentlyUsed[OpenPhoto] = RecentlyUsed(OPEN_BYTES, OPEN)
        self.recipes: RecentlyUsed[Recipe] = RecentlyUsed(SMALL_BYTES)  # by photograph and revision
        self.tiles: RecentlyUsed[bytes] = RecentlyUsed(SMALL_BYTES)
        self.previews: RecentlyUsed[bytes] = RecentlyUsed(SMALL_BYTES)
        self.films = Films(self.workers, self.flights)
        self.spreads: RecentlyUsed[Spread] = RecentlyUsed(SMALL_BYTES)  # by tag
        self.spreading: tuple[asyncio.Task[None], Spread] | None = None  # the one that is being made
        self.ahead: Turn | None = None  # whose it is to color_ahead
        # Also what is no longer kept open, but still in use: a photograph never is open twice
        self._alive: weakref.WeakValueDictionary[str, OpenPhoto] = weakref.WeakValueDictionary()

    async def entry(self, photo_id: str) -> Entry:
        """The photograph with this id; 404 if there is none."""
        entry = self.library.find(photo_id)
        if entry is None and ID.fullmatch(photo_id):
            await self.scan()
            entry = self.library.find(photo_id)
        if entry is None:
            raise HTTPException(
                404, "no such photograph: it was removed, or this page is of another studio; reload it"
            )
        return entry

    async def scan(self) -> list[dict]:
        """The photographs there are now, for the page; those who ask at once share the answer."""
        return await self.flights.join("scan", lambda: self.workers.run("files", self.library.listed))

    async def photo(self, photo_id: str) -> OpenPhoto:
        """The photograph, opened if it is not; 404, or 422 if it cannot be decoded."""
        photo = self.photos.get(photo_id)
        if photo is None:
            entry = await self.entry(photo_id)
            photo = await self._keep(entry, lambda: self._open(entry))
        photo.rests = False
        for other in self.photos.but_latest(AWAKE):
            if not other.rests:
                other.rest()
        return photo

    async def take(self, entry: Entry, decoded: Photo) -> OpenPhoto:
        """The photograph that was decoded already, open."""
        return await self._keep(
            entry, lambda: self.workers.run("opening", OpenPhoto, entry, decoded, self.colorizer)
        )

    def close(self, photo_id: str) -> None:
        """Closes a photograph, if it is open."""
        self.photos.drop(photo_id)
        self._alive.pop(photo_id, None)

    async def _keep(self, entry: Entry, make: Callable[[], Coroutine[Any, Any, OpenPhoto]]) -> OpenPhoto:
        photo = self._alive.get(entry.id) or await self.flights.join(("open", entry.id), make)
        photo = self._alive.setdefault(entry.id, photo)
        self.photos.put(entry.id, photo, photo.nbytes)
        return photo

    async def _open(self, entry: Entry) -> OpenPhoto:
        if entry.is_film and entry.at is None:
            raise HTTPException(422, f"{entry.name}: it is a film: open one of its frames")
        until = await self.films.until(entry) if entry.is_film else None
        try:
            return await self.workers.run("opening", open_photo, entry, self.colorizer, until)
        except FileNotFoundError:
            raise HTTPException(404, f"{entry.name}: the file is not there any more") from None
        except (ValueError, OSError, MemoryError) as error:
            raise HTTPException(422, f"{entry.name}: {explain(error, entry.path)}") from None

    def recipe(self, photo: OpenPhoto, revision: str | None) -> Recipe:
        """The recipe of a revision, the present one if None; 410 if it is not known any more."""
        if revision in (None, photo.revision):
            return photo.recipe
        recipe = self.recipes.get((photo.entry.id, revision))
        if recipe is None:
            raise HTTPException(410, "these colours are not known any more: send the sidecar again")
        return recipe

    def end_ahead(self, wanted: str | None = None) -> None:
        """Something is asked for: what is coloured ahead is given up, unless it is this revision."""
        if self.ahead is not None and self.ahead.revision != wanted:
            self.ahead.over = True
        self.ahead = None

    async def colored(
        self, photo: OpenPhoto, recipe: Recipe, revision: str, turn: Turn | None = None
    ) -> Colored:
        """The colours of a revision, computed once; with a `turn`, ahead: raises GivenUpError when it is over."""
        while True:
            colored = photo.colored.get(revision)
            if colored is not None:
                return colored
            if turn is None:
                self.end_ahead(revision)
            try:
                key = "color", photo.entry.id, revision
                return await self.flights.join(key, lambda: self._color(photo, recipe, revision, turn))
            except GivenUpError:  # when others had begun it, and left it before it was asked for
                if turn is not None:
                    raise

    async def _color(self, photo: OpenPhoto, recipe: Recipe, revision: str, turn: Turn | None) -> Colored:
        def color() -> Colored:
            canvas, settings = photo.canvas, recipe.settings
            with given_up_when(lambda: turn is not None and turn.over):
                return Colored(
                    recipe, canvas.chroma(recipe), canvas.lightness(settings), canvas.inside(settings)
                )

        colored = await self.ask_model("coloring", photo, color, turn)
        photo.colored.put(revision, colored, colored.nbytes)
        return colored

    async def ask_model(
        self, kind: str, photo: OpenPhoto, think: Callable[[], Result], turn: Turn | None = None
    ) -> Result:
        """What it says of a photograph; 409 where it cannot: without a distribution there are no likely colours."""
        if turn is None:
            self.end_ahead()
        try:
            return await self.workers.run(kind, think)
        except ValueError as error:
            raise HTTPException(409, f"{photo.entry.name}: {error}") from None

    async def levels(self, photo: OpenPhoto) -> tuple[Pixels, ...]:
        """The photograph's pyramid, made once."""
        if photo.levels is None:
            key = "pyramid", photo.entry.id
            photo.levels = await self.flights.join(
                key, lambda: self.workers.run("painting", build_pyramid, photo.pixels)
            )
        return photo.levels

    async def change(
        self, photo: OpenPhoto, recipe: Recipe, revision: str, expected: str | None = None
    ) -> None:
        """Gives it another recipe, which has been checked, and its revision; the sidecar is on the disk afterwards.

        409 if `expected` is not its revision now.
        """
        async with photo.changing:
            if expected not in (None, photo.revision):
                raise HTTPException(
                    409, "the hints of this photograph were changed elsewhere meanwhile: reload it"
                )
            try:
                await self.workers.run("files", photo.file.write, photo.sidecar_of(recipe))
            except FileNotFoundError:
                raise HTTPException(404, f"{photo.entry.name}: its folder is not there any more") from None
            self.remember(photo, photo.recipe, photo.revision)
            photo.recipe, photo.revision = recipe, revision
            self.remember(photo, recipe, revision)

    def remember(self, photo: OpenPhoto, recipe: Recipe, revision: str) -> None:
        """Keeps a recipe of the photograph for a while, to be asked for by its revision."""
        self.recipes.put((photo.entry.id, revision), recipe, _size(recipe))


def _size(recipe: Recipe) -> int:
    """About its bytes in memory."""
    shapes = [*recipe.hints, *(protected.region for protected in recipe.protected)]
    paths = (shape.points if isinstance(shape, Stroke) else getattr(shape, "area", ()) for shape in shapes)
    numbers = sum(len(path.runs if isinstance(path, Mask) else path) for path in paths)
    return (
        1000 * (1 + len(shapes))
        + 150 * numbers
        + sum(_size(protected.recipe) for protected in recipe.protected)
    )
