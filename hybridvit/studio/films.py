"""Films by parts: what is asked of them is asked once, of a child process, and kept for a while.

A film is looked through in stretches of STRETCH, those that somebody wants to see: a film of hours is not read to show
its strip. A time is that of a frame, microseconds from the first one.
"""

import bisect
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from starlette.exceptions import HTTPException

from hybridvit.colorize.summary import explain
from hybridvit.film.names import MISSING, films_can_be_read
from hybridvit.studio import encoding
from hybridvit.studio.decode_film import (
    About,
    Stretch,
    about_film,
    small_frames,
    stretch_of,
)
from hybridvit.studio.entry import Entry, stamp_of
from hybridvit.studio.flights import Flights
from hybridvit.studio.limits import SMALL_BYTES
from hybridvit.studio.recently_used import RecentlyUsed
from hybridvit.studio.workers import Workers

SECOND = 1_000_000
STRETCH = 10 * SECOND
FARTHEST = (
    1500  # frames before and behind one that its shot is looked for in: as far as hints go (film/tracks)
)
STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)  # s from cell to cell of a strip
MOST_CELLS = 240
PICKED = 12  # frames of a shot that are shown
THUMBNAIL = 192  # px

T = TypeVar("T")


class Shot(NamedTuple):
    """A shot.

    Attributes:
      times: of its frames.
      before, stop: the times of the frames before and behind it; None: the film begins, or ends, with it.
      begins, ends: whether these are its ends, or only as far away as hints go.
      lightest: as of the stretches that it lies in.
    """

    times: tuple[int, ...]
    before: int | None
    stop: int | None
    begins: bool
    ends: bool
    lightest: tuple[list[float], list[float]]

    def picked(self, also: Sequence[int] = ()) -> list[int]:
        """PICKED of its frames, evenly, and those of `also` that are in it."""
        last = len(self.times) - 1
        count = min(PICKED, len(self.times))
        evenly = {self.times[round(last * k / max(1, count - 1))] for k in range(count)}
        return sorted(evenly | set(also) & set(self.times))

    def frame_at(self, seconds: float) -> int | None:
        """The frame that is shown at a time of a sidecar; None: none of these."""
        at = seconds * SECOND + 100  # as `film.tracks.frames_at`
        k = bisect.bisect_right(self.times, at) - 1
        return None if k < 0 or (self.stop is not None and at >= self.stop) else self.times[k]


class Films:
    """For one event loop."""

    def __init__(self, workers: Workers, flights: Flights):
        self._workers, self._flights = workers, flights
        self._said: RecentlyUsed[Any] = RecentlyUsed(SMALL_BYTES)
        self._pictures: RecentlyUsed[bytes] = RecentlyUsed(SMALL_BYTES)

    async def about(self, entry: Entry) -> About:
        """What it is. All of these raise 422 if it cannot be read."""
        return await self._once(
            entry, "about", lambda: self._ask(entry, lambda: about_film(entry.path)), 1000
        )

    async def stretch(self, entry: Entry, number: int) -> Stretch:
        """The frames and cuts from STRETCH * `number` on."""
        start = number * STRETCH

        def look() -> Stretch:
            return stretch_of(entry.path, start, start + STRETCH)

        return await self._once(entry, ("stretch", number), lambda: self._ask(entry, look), 50_000)

    async def until(self, entry: Entry) -> int | None:
        """When the next frame begins, None if there is none; 404 if no frame begins at the entry's time."""
        assert entry.at is not None
        stretch = await self.stretch(entry, entry.at // STRETCH)
        if entry.at not in stretch.times:
            raise HTTPException(404, f"{entry.name}: no frame begins at this time")
        return next((time for time in stretch.times if time > entry.at), stretch.after)

    async def shot(self, entry: Entry, at: int) -> Shot:
        """The shot of a frame."""
        number = at // STRETCH
        here = await self.stretch(entry, number)
        if at not in here.times:
            raise HTTPException(404, f"{entry.name}: no frame begins at this time")
        known, k = [here], number
        while not (cuts := [cut for cut in known[0].cuts if cut <= at]) and k > 0:
            if sum(len(one.times) for one in known[:-1]) >= FARTHEST:
                break
            k -= 1
            known.insert(0, await self.stretch(entry, k))
        behind = len(known)
        while not (later := [cut for cut in known[-1].cuts if cut > at]) and known[-1].after is not None:
            if sum(len(one.times) for one in known[behind:]) > FARTHEST:
                break
            known.append(await self.stretch(entry, known[-1].after // STRETCH))
        times = [time for stretch in known for time in stretch.times]
        middle = times.index(at)
        start = cuts[-1] if cuts else times[max(0, middle - FARTHEST)]
        far = times[middle + FARTHEST + 1 :][:1]
        stop = (later or far or [known[-1].after])[0]
        within = tuple(time for time in times if start <= time and (stop is None or time < stop))
        rows, columns = (
            list(map(max, zip(*(one.lightest[axis] for one in known), strict=True))) for axis in (0, 1)
        )
        before = [time for time in times if time < start]
        if start > 0 and not before:
            before = (await self.stretch(entry, (start - 1) // STRETCH)).times
        return Shot(
            within,
            before[-1] if before else None,
            stop,
            bool(cuts),
            bool(later) or stop is None,
            (rows, columns),
        )

    async def cells(self, entry: Entry) -> tuple[int, int]:
        """Microseconds from cell to cell of a strip, and how many there are."""
        length = (await self.about(entry)).length
        step = next(
            (one for one in STEPS if length / SECOND / one <= MOST_CELLS), length / SECOND / MOST_CELLS
        )
        return round(step * SECOND), max(1, -(-length // round(step * SECOND)))

    async def frames(self, entry: Entry, times: Sequence[int]) -> list[int]:
        """The frames that are shown then; their pictures are ready to be asked for."""

        def look() -> list[tuple[int, bytes]]:
            found = small_frames(entry.path, times, THUMBNAIL)
            return [(at, encoding.jpeg(pixels[..., None])) for at, pixels in found]

        async def make() -> list[int]:
            found = await self._ask(entry, look)
            for at, data in found:
                self._pictures.put((entry.path, at, stamp_of(entry.path)), data, len(data))
            return [at for at, _ in found]

        return await self._once(entry, ("frames", *times), make, 50 * len(times))

    async def picture(self, entry: Entry, at: int) -> bytes:
        """The thumbnail of a frame, in gray: a JPEG."""
        key = entry.path, at, stamp_of(entry.path)
        if self._pictures.get(key) is None:
            self._said.drop(self._key(entry, ("frames", at)))
            await self.frames(entry, [at])
        data = self._pictures.get(key)
        if data is None:
            raise HTTPException(404, f"{entry.name}: no frame begins at this time")
        return data

    def _key(self, entry: Entry, what: Any) -> tuple:
        return entry.path, stamp_of(entry.path), what

    async def _once(
        self, entry: Entry, what: Any, make: Callable[[], Coroutine[Any, Any, T]], size: int
    ) -> T:
        key = self._key(entry, what)
        if (known := self._said.get(key)) is None:
            known = await self._flights.join(("film", *key), make)
            self._said.put(key, known, size)
        return known

    async def _ask(self, entry: Entry, work: Callable[[], T]) -> T:
        if not films_can_be_read():
            raise HTTPException(422, f"{entry.name}: {MISSING}")
        try:
            return await self._workers.run("previews", work)
        except FileNotFoundError:
            raise HTTPException(404, f"{entry.name}: the file is not there any more") from None
        except (ValueError, OSError, MemoryError) as error:
            raise HTTPException(422, f"{entry.name}: {explain(error, entry.path)}") from None
