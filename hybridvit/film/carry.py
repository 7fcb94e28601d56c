"""The colours of a shot, frame by frame: the model's of a few key frames, carried to all frames along the motion.

Each key frame's colours are the running mean of what the model says of it and of what is carried there from the key
frames before (MEMORY of them at most): so what flickers in the model's answers does not in the film. A frame between
two key frames takes its colours from both, nearer ones first, as far as the flow is to be trusted; what neither knows,
the model is asked for, or, where it is little, it is filled from around. The next key frame comes after `every` frames,
or as soon as less than SEEN of the last one is to be seen.

Frames are given at the model's view, lightness 0..100; ab in CIE units. Nothing is kept of a frame behind the next key
frame, and of one shot nothing in the next.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import cv2
import numpy as np
from jaxtyping import Float

from hybridvit.film.flow import Match, Matcher, Small, enlarged, shrunk, warp

EVERY = 8  # frames from key frame to key frame, at most
MEMORY = 8.0  # key frames that the running mean is of
SEEN = 0.6  # mean trust below which the next key frame is due
_KNOWN = 0.05  # of trust, below which nothing is known
_MOST_HELD = 2**26  # bytes of luma that wait for the next key frame, about
_MOST_FILLED = 0.02  # of a frame's pixels: for more unknown ones, the model is asked

T = TypeVar("T")
View = Float[np.ndarray, "h w"]
Chroma = Float[np.ndarray, "h w 2"]


def pace(frame: int) -> int:
    """`every` of a `Carrier` that is to hold little memory, by the bytes of one frame's luma."""
    return int(np.clip(_MOST_HELD // frame, 1, EVERY))


class Memory(NamedTuple):
    """The last key frame: small, its colours, of how many key frames' answers each is the mean, and the shift."""

    small: Small
    ab: Chroma
    count: View
    shift: Chroma  # by how much other shots change what the model says of this one


class Carrier(Generic[T]):
    """Colours shots. `predict` is the model: it is given what came with a frame, and the frame at the view.

    `is_key` says of what came with a frame that it has to be a key frame, whose colours are the model's alone. `shift`
    is asked of a shot's first frame, and told its colours by the model: by how much are they to be others; None: not at
    all. It goes along the shot with what it lies on, and is added to what the model says of later key frames.
    """

    def __init__(
        self,
        predict: Callable[[T, View], Chroma],
        every: int = EVERY,
        is_key: Callable[[T], bool] = lambda item: False,
        shift: Callable[[T, Chroma], Chroma | None] = lambda item, ab: None,
    ):
        self.memory: Memory | None = (
            None  # of where the last shot ended; given back, the shot goes on from there
        )
        self._predict, self._every, self._is_key, self._shift = predict, every, is_key, shift
        self._match = Matcher()

    def shot(self, frames: Iterable[tuple[T, View]]) -> Iterator[tuple[T, Chroma]]:
        """The colours of each frame, in order; up to `every` frames are taken ahead of the one that is given.

        A shot is new unless `memory` was set before, or left so by the part of it that came before.
        """
        waiting: list[tuple[T, View, Small]] = []
        matches: list[Match] = []
        for item, L in frames:
            small = shrunk(L)
            if self.memory is None:
                ab = self._predict(item, L)
                shift = self._shift(item, ab)
                shift = np.zeros_like(ab) if shift is None else shift
                self.memory = Memory(small, ab + shift, np.ones(L.shape, np.float32), shift)
                yield item, self.memory.ab
                continue
            waiting.append((item, L, small))
            matches.append(self._match(small, self.memory.small, matches[-1] if matches else None))
            due = len(waiting) >= self._every or matches[-1].trust.mean() < SEEN or self._is_key(item)
            if due:
                yield from self._to_key(waiting, matches)
                waiting, matches = [], []
        if waiting:
            yield from self._to_key(waiting, matches)

    def _to_key(self, waiting: list[tuple[T, View, Small]], matches: list[Match]) -> list[tuple[T, Chroma]]:
        """Makes the last one a key frame; the colours of all."""
        before = self.memory
        after = self.memory = self._key(*waiting[-1], matches[-1])
        colored = [(waiting[-1][0], after.ab)]
        near = None
        for i in reversed(range(len(waiting) - 1)):
            item, L, small = waiting[i]
            near = self._match(small, after.small, near)
            share = (i + 1) / len(waiting)
            colored.append(
                (item, self._between(item, L, (before, matches[i], 1 - share), (after, near, share)))
            )
        return colored[::-1]

    def _key(self, item: T, L: View, small: Small, match: Match) -> Memory:
        ab, trust = self._predict(item, L), _at(match.trust, L)
        shift = self.memory.shift
        if shift.any():  # all of it where the flow is half to be trusted: it is not to fade
            shift = warp(shift, match.there) * np.minimum(2 * trust, 1)[..., None]
        if self._is_key(item):
            return Memory(small, ab, np.ones(L.shape, np.float32), shift)
        kept = warp(np.dstack([self.memory.ab, self.memory.count]), match.there)
        count = kept[..., 2] * trust
        ab = (ab + shift + count[..., None] * kept[..., :2]) / (1 + count[..., None])
        return Memory(small, ab, np.minimum(count + 1, MEMORY), shift)

    def _between(self, item: T, L: View, *keys: tuple[Memory, Match, float]) -> Chroma:
        total, known = np.zeros((*L.shape, 2), np.float32), np.zeros(L.shape, np.float32)
        for memory, match, share in keys:
            weight = share * _at(match.trust, L)
            total += weight[..., None] * warp(memory.ab, match.there)
            known += weight
        ab = total / np.maximum(known, 1e-6)[..., None]
        lack = np.clip(1 - known / _KNOWN, 0, 1)
        if not lack.any():
            return ab
        many = (lack > 0).mean() > _MOST_FILLED
        filled = self._predict(item, L) if many else _spread(total, known)
        return ab + lack[..., None] * (filled - ab)


def _at(trust: Float[np.ndarray, "r c"], L: View) -> View:
    return enlarged(trust, *L.shape)


def _spread(total: Chroma, known: View) -> Chroma:
    """Weighted means of what is known around, the nearest counting most."""
    height, width = known.shape
    planes = np.dstack([total, known])
    for _ in range(2):
        size = max(1, width // 4), max(1, height // 4)
        small = cv2.resize(planes, size, interpolation=cv2.INTER_AREA)
        planes = planes + 0.02 * cv2.resize(
            cv2.GaussianBlur(small, (0, 0), 4), (width, height), interpolation=cv2.INTER_LINEAR
        )
    return planes[..., :2] / np.maximum(planes[..., 2:], 1e-6)
