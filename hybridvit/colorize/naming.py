"""Where results go: one file a result, never an input's, never another result's, the same at every run.

A result has its picture's name and its place below the output folder. Only where that would fall on an input or on
another result do all that meet there get longer names: with the picture's own suffix if the format changes
(photo.tif.png), then also below the name of the picture's folder (box1/photo.png): not by the order of the inputs.
Those that still meet are refused, and the others coloured.

Names that differ in case alone count as one, as disks of other systems do not tell A from a: but for pictures whose own
names do not differ otherwise, where the disk of the output folder keeps both.
"""

import dataclasses
import functools
import os
import pathlib
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from hybridvit.colorize.inputs import Source, folded

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


@dataclasses.dataclass(frozen=True)
class Plan:
    """What can be done, in the order of the sources, and why some cannot: a reason for each group of sources."""

    jobs: list[Job]
    refused: dict[tuple[pathlib.Path, ...], str]


def plan(
    sources: Sequence[Source],
    output: pathlib.Path,
    file_format: str | None = None,
    samples: int | None = None,
    heat_map: bool = False,
) -> Plan:
    """The job of each source.

    Nothing is read; a file is made in `output`, or above it, and removed, where names differ in case alone.

    Args:
      sources: all that will be coloured.
      output: folder.
      file_format: a key of SUFFIX_OF; None: the picture's own, PNG where that one is not written.
      samples: results a picture, photo-1.jpg and so on; None: one, photo.jpg.
      heat_map: whether photo-uncertainty.png is made too.

    Refused are those whose results would be one file under their longest names too, or would replace an input.
    """
    inputs = {_identity(source.path) for source in sources}
    keeps = functools.cache(lambda: keeps_case(output))
    levels = dict.fromkeys(range(len(sources)), 0)
    refused: dict[tuple[pathlib.Path, ...], str] = {}
    while True:
        jobs = {i: job_of(sources[i], levels[i], output, file_format, samples, heat_map) for i in levels}
        claims = defaultdict(dict)  # of files: the jobs that would write them, and how they spell it
        for i, job in jobs.items():
            for target in (*job.results, *([job.heat_map] if job.heat_map else [])):
                claims[_identity(target)][i] = target
        crowded = {
            target: who
            for target, who in claims.items()
            if target in inputs or (len(who) > 1 and not (_differ_in_case_alone(sources, who) and keeps()))
        }
        if not crowded:
            return Plan(list(jobs.values()), refused)
        longer = {i for who in crowded.values() for i in who if levels[i] < LEVELS - 1}
        for i in longer:
            levels[i] += 1
        if not longer:
            for group in _joined(crowded.values()):
                refused[tuple(sorted(jobs[i].source for i in group))] = _reason(
                    [jobs[i] for i in sorted(group)]
                )
                for i in group:
                    del levels[i]


def keeps_case(folder: pathlib.Path) -> bool:
    """Whether a folder, which need not be there yet, keeps two files whose names differ in case or accents alone."""
    there = next((one for one in (folder, *folder.absolute().parents) if one.is_dir()), folder)
    try:
        with tempfile.NamedTemporaryFile(
            prefix=".hybridvit-\N{LATIN SMALL LETTER E WITH ACUTE}", dir=there
        ) as file:
            path = pathlib.Path(file.name)
            others = (path.name.swapcase(), unicodedata.normalize("NFD", path.name))
            return not any(path.with_name(other).exists() for other in others)
    except (OSError, UnicodeError):  # nothing can be written there, which is said elsewhere
        return False


def _differ_in_case_alone(sources: Sequence[Source], who: dict[int, pathlib.Path]) -> bool:
    """Whether pictures and results do, each of which has a name of its own nevertheless."""
    one_name = {_identity(sources[i].path) for i in who}
    return len(one_name) == 1 and len({os.path.realpath(target) for target in who.values()}) == len(who)


def _joined(groups: Iterable[dict[int, pathlib.Path]]) -> list[set[int]]:
    """Sets of jobs, those that have one in common as one."""
    joined: list[set[int]] = []
    for group in map(set, groups):
        apart = [other for other in joined if not other & group]
        joined = [*apart, group.union(*(other for other in joined if other & group))]
    return joined


def _reason(jobs: Sequence[Job]) -> str:
    result = jobs[0].results[0]
    if len(jobs) == 1:
        return f"its result {result} would replace an input: colour it into another folder"
    return f"{result} would be the result of each, and an input is never replaced: colour them into different folders"


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
    return folded(os.path.realpath(path))
