"""Reading that never stops a run: a `Reader` remembers what its source cannot give, a `Stream` takes the next.

Both are deterministic: what is read depends on the files alone, not on order, threads or processes.
"""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from absl import logging
from jaxtyping import Int
from PIL import Image

from hybridvit.data.decode import UnreadableImageError
from hybridvit.data.sources import PictureSource
from hybridvit.data.transforms import chroma_percentile

T, R = TypeVar("T"), TypeVar("R")

UNKNOWN, COLOR, GRAY = 0, 1, 2


class Reader:
    """A source, and what is known of its pictures: which are unreadable, which gray.

    An unreadable picture is named in the log once (by each worker process), with the count so far.

    Args:
      source: anything of `sources` and `bundled`.
      gray_chroma: ab units; a picture whose `chroma_percentile` is below this is gray. 0: the source is known to be
        all colour, nothing is judged.
    """

    def __init__(self, source: PictureSource, gray_chroma: float = 0.0):
        self.source = source
        self.unreadable: dict[int, str] = {}
        self._named: dict[int, object] = {}
        self._gray_chroma = gray_chroma
        self._tone = np.full(len(source), COLOR if gray_chroma == 0 else UNKNOWN, np.int8)

    def read(self, index: int, min_side: int = 0, color: bool = False) -> Image.Image | None:
        """The picture; None if it is unreadable, or if `color` is asked for and it is gray."""
        if index in self.unreadable or (color and self._tone[index] == GRAY):
            return None
        try:
            image = self.source.read(index, min_side)
        except UnreadableImageError as error:
            self.unreadable[index] = str(error)
            # setdefault is atomic: of several threads, one finds its own token there, and speaks
            token = object()
            if self._named.setdefault(index, token) is token:
                name, count = self.source.name(index), len(self._named)
                logging.warning("unreadable picture %s (%s): passed over, %d so far", name, error, count)
            return None
        if color and self._tone[index] == UNKNOWN:
            self._tone[index] = GRAY if chroma_percentile(image) < self._gray_chroma else COLOR
        return None if color and self._tone[index] == GRAY else image


class Stream:
    """A choice of pictures from several readers; for one that is unreadable, the next good one stands in.

    Args:
      parts: pairs of a reader and the indices chosen from it.
      color: gray pictures are passed over too.
      min_side: px, see `decode.read_picture`.
    """

    def __init__(self, parts: Sequence[tuple[Reader, Int[np.ndarray, "_"]]], color: bool, min_side: int):
        self._parts = tuple(parts)
        self._starts = np.cumsum([0] + [len(indices) for _, indices in parts])
        self._color = color
        self._min_side = min_side

    def __len__(self) -> int:
        return int(self._starts[-1])

    def locate(self, index: int) -> tuple[Reader, int]:
        """The reader of a picture of this stream, and the picture's index there."""
        part = int(np.searchsorted(self._starts, index, side="right")) - 1
        reader, indices = self._parts[part]
        return reader, int(indices[index - self._starts[part]])

    def __getitem__(self, index: int) -> Image.Image:
        """The picture; else the first good one after it, cyclically.

        Raises:
          ValueError: there is no good one.
        """
        for step in range(len(self)):
            reader, chosen = self.locate((index + step) % len(self))
            image = reader.read(chosen, self._min_side, self._color)
            if image is not None:
                return image
        reader, chosen = self.locate(index)
        kind = "a readable colour picture" if self._color else "readable"
        why = reader.unreadable.get(chosen, "it is grayscale")
        raise ValueError(f"none of {len(self):,} pictures is {kind}; {reader.source.name(chosen)}: {why}")


def map_in_order(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """`map` in threads: results in the order of the items, few of them in memory at once."""
    pending: collections.deque = collections.deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 4 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
