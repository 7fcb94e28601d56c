"""The colours of a shot, frame by frame: the model's of a few key frames, carried to all frames along the motion.

Each key frame's colours are the running mean of what the model says of it and of what is carried there from the key
frames before (MEMORY of them at most): so what flickers in the model's answers does not in the film. A shot's
beginning can wait for some key frames behind its first one (`ahead`), and what the model says of those is led back to
it. A frame between two key frames takes its colours from both, nearer ones first, as far as the flow is to be trusted;
what neither knows, the model is asked for, or, where it is little, it is filled from around. The next key frame comes
after `every` frames, or as soon as less than SEEN of the last one is to be seen.

Frames are given at the model's view, lightness 0..100; ab in CIE units. Behind a shot's beginning nothing is kept of a
frame beyond the next key frame, and of one shot nothing in the next.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import cv2
import numpy as np
from jaxtyping import Float

from hybridvit.film.flow import Match, Matcher, Small, enlarged, shrunk, warp

EVERY = 8  # frames from key frame to key frame, at most
MEMORY = 8.0  # key frames that the running mean is of
KEYS_AHEAD = 0  # key frames that a shot's beginning waits for: docs/film.md says what 4 do
SEEN = 0.6  # mean trust below which the next key frame is due
_KNOWN = 0.05  # of trust, below which nothing is known
_MOST_HELD = 2**26  # bytes of luma that wait for key frames, about
_MOST_FILLED = 0.02  # of a frame's pixels: for more unknown ones, the model is asked

T = TypeVar("T")
View = Float[np.ndarray, "h w"]
Chroma = Float[np.ndarray, "h w 2"]


def pace(frame: int) -> tuple[int, int]:
    """`every` and `ahead` of a `Carrier` that is to hold little memory, by the bytes of one frame's luma."""
    return int(np.clip(_MOST_HELD // frame, 1, EVERY)), int(
        np.clip(_MOST_HELD // (EVERY * frame), 0, KEYS_AHEAD)
    )


class Memory(NamedTuple):
    """The last key frame: small, its colours, of how many key frames' answers each is the mean, and the shift."""

    small: Small
    ab: Chroma
    count: View
    shift: Chroma  # by how much other shots change what the model says of this one


class Step(NamedTuple):
    """Frames up to a key frame, the last of them; their matches to the key frame before; and what the key frame is.

    `own` is what the model says of it, and the shift; `before` is the key frame before, None for a shot's first frame.
    """

    frames: list[tuple[Any, View, Small]]
    matches: list[Match]
    before: Memory | None
    key: Memory
    own: Chroma


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
        ahead: int = KEYS_AHEAD,
    ):
        self.memory: Memory | None = (
            None  # of where the last shot ended; given back, the shot goes on from there
        )
        self._predict, self._every, self._is_key, self._shift = predict, every, is_key, shift
        self._ahead = ahead
        self._match = Matcher()

    def shot(self, frames: Iterable[tuple[T, View]]) -> Iterator[tuple[T, Chroma]]:
        """The colours of each frame, in order; up to `every` frames are taken ahead of the one that is given, at the
        shot's beginning `every` times `ahead`.

        A shot is new unless `memory` was set before, or left so by the part of it that came before.
        """
        waiting: list[tuple[T, View, Small]] = []
        matches: list[Match] = []
        beginning: list[Step] = []
        for item, L in frames:
            small = shrunk(L)
            waiting.append((item, L, small))
            if self.memory is not None:
                matches.append(self._match(small, self.memory.small, matches[-1] if matches else None))
                due = len(waiting) >= self._every or matches[-1].trust.mean() < SEEN or self._is_key(item)
                if not due:
                    continue
            begins = self.memory is None or beginning
            steps = [self._step(waiting, matches)]
            waiting, matches = [], []
            if begins:
                beginning += steps
                steps = self._begun(beginning) if len(beginning) > self._ahead else []
            yield from self._colored(steps)
        if waiting:
            beginning.append(self._step(waiting, matches))
        yield from self._colored(self._begun(beginning))

    def _step(self, waiting: list[tuple[T, View, Small]], matches: list[Match]) -> Step:
        """Makes the last frame a key frame."""
        item, L, small = waiting[-1]
        before, ab, one = self.memory, self._predict(item, L), np.ones(L.shape, np.float32)
        if before is None:
            shift = self._shift(item, ab)
            own = ab if shift is None else ab + shift
            self.memory = Memory(small, own, one, np.zeros_like(ab) if shift is None else shift)
            return Step(waiting, matches, None, self.memory, own)
        match, trust, shift = matches[-1], _at(matches[-1].trust, L), before.shift
        if shift.any():  # all of it where the flow is half to be trusted: it is not to fade
            shift = warp(shift, match.there) * np.minimum(2 * trust, 1)[..., None]
        if self._is_key(item):
            own = ab
            self.memory = Memory(small, own, one, shift)
        else:
            own = ab + shift
            kept = warp(np.dstack([before.ab, before.count]), match.there)
            mean, count = _mean(own, kept[..., :2], kept[..., 2] * trust)
            self.memory = Memory(small, mean, np.minimum(count, MEMORY), shift)
        return Step(waiting, matches, before, self.memory, own)

    def _begun(self, beginning: list[Step]) -> list[Step]:
        """A shot's first steps, now that each key frame knows what those behind it say; takes them out of the list."""
        keys: list[Memory] = []
        behind: tuple[Chroma, View] | None = (
            None  # what they say, led to the key frame, and how many they are
        )
        for step in reversed(beginning):
            key = step.key
            if behind is not None and not self._is_key(step.frames[-1][0]):
                total = key.count + behind[1]
                share = (behind[1] / total)[..., None]
                key = key._replace(ab=key.ab + share * (behind[0] - key.ab), count=np.minimum(total, MEMORY))
            keys.append(key)
            if step.before is not None:
                said = (step.own, np.ones_like(key.count)) if behind is None else _mean(step.own, *behind)
                led = warp(np.dstack(said), step.matches[-1].back)
                behind = led[..., :2], led[..., 2] * _at(step.matches[-1].trust_back, key.count)
        keys.reverse()
        befores = [step.before for step in beginning[:1]] + keys[:-1]
        steps = [
            step._replace(before=before, key=key)
            for step, before, key in zip(beginning, befores, keys, strict=True)
        ]
        beginning.clear()
        return steps

    def _colored(self, steps: list[Step]) -> Iterator[tuple[T, Chroma]]:
        """The colours of all frames of the steps; nothing is kept of what has been given."""
        while steps:
            colored = self._backwards(steps.pop(0))
            while colored:
                yield colored.pop()

    def _backwards(self, step: Step) -> list[tuple[T, Chroma]]:
        """The colours of its frames, the last one first; takes them out of it."""
        frames, matches, before, after, _ = step
        near, colored = None, [(frames.pop()[0], after.ab)]
        while frames:
            item, L, small = frames.pop()
            near = self._match(small, after.small, near)
            share = (len(frames) + 1) / len(matches)
            ways = (before, matches[len(frames)], 1 - share), (after, near, share)
            colored.append((item, self._between(item, L, *ways)))
        return colored

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


def _mean(own: Chroma, other: Chroma, count: View) -> tuple[Chroma, View]:
    """Of one answer and of the mean of `count` others; and of how many it is."""
    return (own + count[..., None] * other) / (1 + count[..., None]), 1 + count


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
