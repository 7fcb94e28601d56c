"""The look through a folder of colour pictures before training: which are gray, which unreadable.

Grayscale scans hide in every collection; taught as colour they teach gray. They are judged by
`transforms.chroma_percentile`. So a toned print counts as colour (sepia: about 25 ab units; measures of "one tint" took
real photographs of fog and sand with them): such prints belong into gray_dir.

What was found is kept in a small file, keyed by path, size and time of change, so the next start is immediate.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np
from absl import logging
from jaxtyping import Int
from tqdm import tqdm

from hybridvit.data.decode import UnreadableImageError
from hybridvit.data.reading import map_in_order
from hybridvit.data.sources import FilePictures
from hybridvit.data.transforms import CHROMA_SIDE, chroma_percentile

VERSION = 1  # of the file's form and of the measure; another version is looked through anew
NAMED = 10  # unreadable pictures named in the log; the others are counted


@dataclasses.dataclass(frozen=True)
class Scan:
    """Indices into a `FilePictures`, sorted, disjoint, together all of it."""

    color: Int[np.ndarray, "_"]
    gray: Int[np.ndarray, "_"]
    unreadable: Int[np.ndarray, "_"]


def scan_folder(pictures: FilePictures, gray_chroma: float, cache_dir: str) -> Scan:
    """Judges every picture; unreadable ones are named in the log.

    Args:
      pictures: files of a folder tree.
      gray_chroma: ab units; below it a picture is gray.
      cache_dir: where to keep what was found ("~" is expanded); empty: nowhere.
    """
    cache = _cache_file(pictures.folder, cache_dir)
    known = _load(cache)
    stamps = [_stamp(os.path.join(pictures.folder, file)) for file in pictures.files]
    dated = zip(pictures.files, stamps, strict=True)
    found = {file: known[file] for file, stamp in dated if known.get(file, ())[:2] == stamp}
    new = [i for i, file in enumerate(pictures.files) if file not in found]
    reasons = {}
    try:
        threads = min(32, os.cpu_count() or 1)
        looks = map_in_order(lambda i: _look(pictures, i), new, threads)
        title = f"looking through {pictures.set_name}/"
        bar = tqdm(looks, title, len(new), unit="pictures", disable=None, leave=False)
        for i, chroma in zip(new, bar, strict=True):
            if isinstance(chroma, float):
                found[pictures.files[i]] = [*stamps[i], chroma]
            else:  # not kept: it may be mended, or the disk may have stuttered
                reasons[i] = chroma
    finally:  # an interrupted look is continued next time
        if len(new) > len(reasons) or found.keys() != known.keys():
            _store(cache, pictures.folder, found)
    _name(pictures, reasons)
    chroma = np.array([found[file][2] if file in found else np.nan for file in pictures.files])
    return Scan(
        color=np.flatnonzero(chroma >= gray_chroma),
        gray=np.flatnonzero(chroma < gray_chroma),
        unreadable=np.flatnonzero(np.isnan(chroma)),
    )


def _look(pictures: FilePictures, index: int) -> float | str:
    """The picture's chroma, or why it has none."""
    try:
        return round(chroma_percentile(pictures.read(index, CHROMA_SIDE)), 3)
    except UnreadableImageError as error:
        return str(error)


def _name(pictures: FilePictures, reasons: dict[int, str]) -> None:
    for i in list(reasons)[:NAMED]:
        logging.warning("unreadable picture %s (%s): left out", pictures.name(i), reasons[i])
    if len(reasons) > NAMED:
        logging.warning("and %d more unreadable pictures in %s", len(reasons) - NAMED, pictures.folder)


def _stamp(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:  # a dangling link: reading it says so
        return [-1, -1]
    return [status.st_size, status.st_mtime_ns]


def _cache_file(folder: str, cache_dir: str) -> Path | None:
    if not cache_dir:
        return None
    digest = hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:16]
    return Path(cache_dir).expanduser() / f"scan-{digest}.json"


def _load(cache: Path | None) -> dict[str, list]:
    """{file: [size, time of change in ns, chroma]}."""
    try:
        content = json.loads(cache.read_text()) if cache else {}
        return content["pictures"] if content.get("version") == VERSION else {}
    except (OSError, ValueError, KeyError, AttributeError):  # absent or damaged: look again
        return {}


def _store(cache: Path | None, folder: str, found: dict[str, list]) -> None:
    if cache is None:
        return
    content = json.dumps({"version": VERSION, "folder": folder, "pictures": found})
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, cache)  # whole or not at all: several processes may look at once
    except OSError as error:
        logging.warning("cannot keep what was found in %s (%s): the next start looks again", cache, error)
