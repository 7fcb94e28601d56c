"""Clips whose colours and motion are known, made of photographs; for film.py beside this file."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import av
import cv2
import numpy as np

from hybridvit.film.flow import Matcher


class Clip(NamedTuple):
    """`rgb` is the truth, `gray` what is coloured; `there[t]` leads from frame t + 1 to frame t, where `seen[t]`."""

    name: str
    rgb: np.ndarray  # uint8 [t, h, w, 3]
    gray: np.ndarray  # uint8 [t, h, w]
    there: np.ndarray  # float32 [t - 1, h, w, 2], px
    seen: np.ndarray  # bool [t - 1, h, w]


def clips(photos: list[np.ndarray], height: int, width: int, frames: int) -> Iterator[Clip]:
    """Of each photograph, uint8 [h, w, 3], one clip: they pan, zoom, are walked through, and are old, in turns."""
    for number, photo in enumerate(photos):
        kind = ("pan", "zoom", "walk", "old")[number % 4]
        yield _clip(
            f"{kind} {number}", kind, photo, photos[(number + 1) % len(photos)], height, width, frames, number
        )


def clip_of(path: str, height: int, width: int, frames: int) -> Clip:
    """The first frames of a film in colour; its motion is what the flow of its grays finds, where that is sure."""
    with av.open(path) as container:
        decoded = (
            frame.to_ndarray(format="rgb24") for frame in itertools.islice(container.decode(video=0), frames)
        )
        rgb = np.stack([_fitted(frame, height, width) for frame in decoded])
    gray = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in rgb])
    match = Matcher()
    found = [match(after, before) for before, after in itertools.pairwise(gray)]
    sure = np.stack([one.trust > 0.5 for one in found])
    return Clip(path.rpartition("/")[2], rgb, gray, np.stack([one.there for one in found]), sure)


def _clip(
    name: str,
    kind: str,
    photo: np.ndarray,
    other: np.ndarray,
    height: int,
    width: int,
    frames: int,
    seed: int,
) -> Clip:
    rng = np.random.default_rng(seed)
    photo = _fitted(photo, int(height * 1.35), int(width * 1.35))
    slack = np.array([photo.shape[1] - width, photo.shape[0] - height])
    at = np.linspace(0, 1, frames)
    zoom = 1 + 0.25 * at if kind == "zoom" else np.ones(frames)
    left_top = slack * (
        0.5 + (0.35 if kind in ("pan", "old") else 0.1) * np.outer(np.sin(3 * at), rng.choice([-1, 1], 2))
    )
    if kind == "old":
        left_top = left_top + rng.uniform(-0.8, 0.8, left_top.shape)
    walker = _fitted(other, int(height * 0.7), int(width * 0.3)) if kind in ("walk", "old") else None
    steps = np.stack([np.linspace(-0.3 * width, width, frames), np.full(frames, 0.25 * height)], -1).round()
    rgb, layers = [], []
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    grid = np.stack([x, y], -1)
    for t in range(frames):
        places = (grid / zoom[t] + left_top[t]).astype(np.float32)
        frame = cv2.remap(photo, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        inside = np.zeros((height, width), bool)
        if walker is not None:
            local = (grid - steps[t]).astype(np.float32)
            h, w = walker.shape[:2]
            inside = (
                np.square((local[..., 0] - w / 2) / (w / 2)) + np.square((local[..., 1] - h / 2) / (h / 2))
            ) < 1
            frame[inside] = cv2.remap(walker, local, None, cv2.INTER_NEAREST)[inside]
        rgb.append(frame)
        layers.append(inside)
    there, seen = [], []
    for t in range(frames - 1):
        back = ((grid / zoom[t + 1] + left_top[t + 1]) - left_top[t]) * zoom[t]
        back = np.where(layers[t + 1][..., None], grid - (steps[t + 1] - steps[t]), back).astype(np.float32)
        layer = cv2.remap(layers[t].astype(np.float32), back, None, cv2.INTER_LINEAR, borderValue=-9)
        there.append(back - grid)
        seen.append(np.abs(layer - layers[t + 1]) < 0.01)
    clean = np.stack(rgb)
    gray = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clean])
    if kind == "old":
        gray = np.stack([_aged(frame, rng) for frame in gray])
    return Clip(name, clean, gray, np.stack(there), np.stack(seen))


def _aged(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure that flickers, scratches, dirt, grain."""
    height, width = gray.shape
    aged = gray * rng.uniform(0.85, 1.1) + rng.normal(0, 5, gray.shape)
    for _ in range(3):
        column = rng.integers(width)
        aged[:, column : column + 1] += rng.choice([-70, 70])
    for _ in range(6):
        middle = tuple(int(v) for v in (rng.integers(width), rng.integers(height)))
        aged = cv2.circle(
            np.ascontiguousarray(aged), middle, int(rng.integers(2, 7)), float(rng.choice([10, 245])), -1
        )
    return np.clip(aged, 0, 255).astype(np.uint8)


def _fitted(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Shrunk or enlarged, its aspect kept, to cover the size, and cut to it."""
    scale = max(height / photo.shape[0], width / photo.shape[1])
    size = max(width, round(photo.shape[1] * scale)), max(height, round(photo.shape[0] * scale))
    resized = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    top, left = (resized.shape[0] - height) // 2, (resized.shape[1] - width) // 2
    return resized[top : top + height, left : left + width]
