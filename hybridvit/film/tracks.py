"""Hints of one frame, moved to the frames before and behind it: along the flow, as long as it is to be trusted.

Frame after frame each corner of a hint goes where the flow leads from there. A hint whose corners' flow is trusted less
than TRUST on the mean (it is hidden, or leaves the frame) is lost from there on, and so at the shot's ends; at most
FARTHEST frames are gone either way, which bounds the memory.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float

from hybridvit.film.decode import Film
from hybridvit.film.flow import Match, Matcher, Small, shrunk
from hybridvit.film.geometry import Geometry
from hybridvit.hints.shapes import Hint, Point, Stroke
from hybridvit.inference.composition import lightness

TRUST = 0.3
FARTHEST = 1500  # frames

Tracks = dict[int, tuple[Hint, ...]]  # frame -> its hints, px of the view


def follow(
    film: Film, geometry: Geometry, shots: Sequence[int], count: int, hinted: Mapping[int, tuple[Hint, ...]]
) -> Tracks:
    """The hints of all frames of the shots that have some, moved; frames without are not in it.

    Args:
      film, geometry: what is coloured, and its view.
      shots: first frames of shots.
      count: of frames.
      hinted: frame -> its hints, px of the upright frame.
    """
    tracks: Tracks = {}
    spans = []
    for start, stop in zip(shots, [*shots[1:], count], strict=True):
        own = [frame for frame in hinted if start <= frame < stop]
        if own:
            spans.append((max(start, min(own) - FARTHEST), min(stop, max(own) + FARTHEST + 1), sorted(own)))
    if not spans:
        return tracks
    smalls: list[Small] = []
    for frame in film.frames():
        first, stop, own = spans[0]
        if frame.index >= first:
            smalls.append(shrunk(np.asarray(lightness(geometry.view(frame.luma)[..., None]))))
        if frame.index == stop - 1:
            view = geometry.lying[:: -1 if geometry.turns % 2 else 1]
            given = {k - first: tuple(moved(hint, geometry.to_view) for hint in hinted[k]) for k in own}
            for number, hints in spread(smalls, given, view).items():
                tracks[first + number] = hints
            smalls, spans = [], spans[1:]
            if not spans:
                break
    return tracks


def spread(smalls: Sequence[Small], given: Mapping[int, tuple[Hint, ...]], view: tuple[int, int]) -> Tracks:
    """The hints of each frame of a shot, given those of some, px of the view; `smalls` are as of `flow.shrunk`."""
    matches: dict[int, Match] = {}
    match = Matcher()

    def between(t: int) -> Match:
        """From frame t to t + 1."""
        if t not in matches:
            matches[t] = match(smalls[t], smalls[t + 1])
        return matches[t]

    tracks: dict[int, list[Hint]] = {}
    for frame, hints in given.items():
        tracks.setdefault(frame, []).extend(hints)
        for step in (1, -1):
            here, alive = frame, list(hints)
            while alive and 0 <= here + step < len(smalls) and abs(here - frame) < FARTHEST:
                flow = between(here) if step == 1 else between(here - 1).reversed()
                found = (_stepped(hint, flow, view) for hint in alive)
                alive = [hint for hint in found if hint is not None]
                here += step
                if here in given:  # what is said there counts, and goes on from there
                    break
                if alive:
                    tracks.setdefault(here, []).extend(alive)
    return {frame: tuple(hints) for frame, hints in tracks.items()}


def moved(hint: Hint, move: Callable[[float, float], tuple[float, float]]) -> Hint:
    """The hint with its corners moved, `move(x, y) -> (x, y)`; a stroke keeps its width as far as a corner's px do."""
    if isinstance(hint, Point):
        x, y = move(hint.x, hint.y)
        return dataclasses.replace(hint, x=x, y=y)
    if isinstance(hint, Stroke):
        (x0, y0), (x1, y1) = move(0, 0), move(1, 1)
        scale = np.sqrt(abs((x1 - x0) * (y1 - y0)))
        return dataclasses.replace(
            hint,
            points=tuple(move(*corner) for corner in hint.points),
            width=float(max(1.0, hint.width * scale)),
        )
    return dataclasses.replace(hint, area=tuple(move(*corner) for corner in hint.area))


def _stepped(hint: Hint, flow: Match, view: tuple[int, int]) -> Hint | None:
    corners = (
        [(hint.x, hint.y)]
        if isinstance(hint, Point)
        else hint.points
        if isinstance(hint, Stroke)
        else hint.area
    )
    corners = np.asarray(corners, np.float32)
    scale = np.array([flow.there.shape[1] / view[1], flow.there.shape[0] / view[0]], np.float32)
    places = corners * scale - 0.5
    trust = _sampled(flow.trust, places)
    if trust.mean() < TRUST:
        return None
    went = corners + np.stack([_sampled(flow.there[..., i], places) for i in (0, 1)], -1) / scale
    inside = (went >= 0).all(-1) & (went < [view[1], view[0]]).all(-1)
    if not (inside.all() if isinstance(hint, Point) else inside.any()):
        return None
    new = [tuple(map(float, corner)) for corner in went]
    if isinstance(hint, Point):
        return dataclasses.replace(hint, x=new[0][0], y=new[0][1])
    return dataclasses.replace(hint, **{"points" if isinstance(hint, Stroke) else "area": tuple(new)})


def _sampled(plane: Float[np.ndarray, "r c"], places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    plane = np.ascontiguousarray(plane)
    return cv2.remap(plane, places[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]


def frames_at(times: Iterable[float], wanted: Iterable[float]) -> list[int]:
    """The frame that is shown at each of the wanted times, s; `times` are the frames' own, rising."""
    rising = np.fromiter(times, float)
    return [max(0, int(np.searchsorted(rising, time + 1e-4, "right")) - 1) for time in wanted]
