"""Where results go: one file a result, never an input's, never another result's, the same at every run.

A result has its picture's name and its place below the output folder. Only where that would fall on an input or on
another result do all that meet there get longer names: with the picture's own suffix if the format changes
(photo.tif.png), then also below the name of the picture's folder (box1/photo.png): not by the order of the inputs.
"""

import dataclasses
import os
import pathlib
from collections import defaultdict
from collections.abc import Sequence

from hybridvit.inference.inputs import Source

BESIDE = "-colorized"  # in the name of a result that stands in the folder of its picture
HEAT_MAP = "-uncertainty.png"
FORMATS = ("png", "tiff", "jpeg", "webp", "avif", "heic")  # that are written
SUFFIX_OF = dict(zip(FORMATS, (".png", ".tif", ".jpg", ".webp", ".avif", ".heic"), strict=True))
KEPT = {  # suffixes that an input may lend to its result, and the format they stand for
    **{".png": "png", ".tif": "tiff", ".tiff": "tiff", ".webp": "webp", ".avif": "avif", ".heic": "heic"},
    **{".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".jfif": "jpeg", ".heif": "heic"},
}
LEVELS = 3


@dataclasses.dataclass(frozen=True)
class Job:
    """A picture and the files that are made of it."""

    source: pathlib.Path
    results: tuple[pathlib.Path, ...]  # one, or one for each sample
    heat_map: pathlib.Path | None
    format: str  # of the results: a key of SUFFIX_OF


def plan(
    sources: Sequence[Source],
    output: pathlib.Path,
    file_format: str | None = None,
    samples: int | None = None,
    heat_map: bool = False,
) -> list[Job]:
    """The job of each source, in order; nothing is read or made.

    Args:
      sources: all that will be coloured.
      output: folder.
      file_format: a key of SUFFIX_OF; None: the picture's own, PNG where that one is not written.
      samples: results a picture, photo-1.jpg and so on; None: one, photo.jpg.
      heat_map: whether photo-uncertainty.png is made too.

    Raises ValueError if two results would be one file under their longest names too, or would replace an input.
    """
    inputs = {_identity(source.path): source.path for source in sources}
    levels = [0] * len(sources)
    while True:
        jobs = [
            job_of(*pair, output, file_format, samples, heat_map)
            for pair in zip(sources, levels, strict=True)
        ]
        claims = defaultdict(set)  # of files: the jobs that would write them
        for i, job in enumerate(jobs):
            for target in (*job.results, *([job.heat_map] if job.heat_map else [])):
                claims[_identity(target)].add(i)
        crowded = {i for target, who in claims.items() if len(who) > 1 or target in inputs for i in who}
        if not crowded:
            return jobs
        stuck = [i for i in sorted(crowded) if levels[i] == LEVELS - 1]
        if stuck:
            first = jobs[stuck[0]]
            raise ValueError(
                f"{first.source}: its result {first.results[0]} would replace an input or another result: "
                "colour these pictures into different folders"
            )
        for i in crowded:
            levels[i] += 1


def job_of(
    source: Source,
    level: int,
    output: pathlib.Path,
    file_format: str | None,
    samples: int | None,
    heat_map: bool,
) -> Job:
    """The job of one source by names of that level, 0 the shortest; see `plan`."""
    suffix = source.relative.suffix
    file_format = file_format or KEPT.get(suffix.lower(), "png")
    stem, folder = source.relative.stem, output / source.relative.parent
    if KEPT.get(suffix.lower()) != file_format:
        suffix = SUFFIX_OF[file_format]
        stem = source.relative.name if level >= 1 else stem
    if level == 2:
        folder /= source.path.absolute().parent.name
    if os.path.realpath(folder) == os.path.realpath(source.path.parent):
        stem += BESIDE
    counted = [stem] if samples is None else [f"{stem}-{k}" for k in range(1, samples + 1)]
    return Job(
        source.path,
        tuple(folder / f"{name}{suffix}" for name in counted),
        folder / f"{stem}{HEAT_MAP}" if heat_map else None,
        file_format,
    )


def _identity(path: pathlib.Path) -> str:
    return os.path.realpath(path).casefold()  # disks of other systems do not tell A from a
