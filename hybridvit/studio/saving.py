"""Saving a photograph: what `hybridvit colorize` would make of it and its sidecar, by the same code."""

import os
import pathlib
import tempfile
import time
from typing import NamedTuple

from hybridvit.colorize.batch import colorize_files
from hybridvit.colorize.inputs import Source
from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.colorize.naming import plan
from hybridvit.colorize.summary import Summary
from hybridvit.inference.colorizer import Colorizer
from hybridvit.studio.entry import Entry
from hybridvit.studio.library import Library


class Saved(NamedTuple):
    """The result's file, its sidecar's (None: there are no hints), and how long it took."""

    path: pathlib.Path
    sidecar: pathlib.Path | None
    seconds: float


class NotWritableError(ValueError):
    """The folder of the results cannot be written."""


PLACES = ("folder", "studio", "download")  # where results go


def save(
    colorizer: Colorizer,
    library: Library,
    entry: Entry,
    file_format: str | None,
    place: str = "folder",
    another: pathlib.Path | None = None,
) -> Saved:
    """Colours the file at full resolution; what was saved before with the same recipe is left as it is.

    Args:
      colorizer: by what.
      library: of what is there.
      entry: the photograph.
      file_format: None: its own.
      place: "folder", where results belong; "studio", the studio's own data; "download", there too, for a while.
      another: a folder that results go to instead of where they belong.

    Raises:
      NotWritableError: the folder cannot be written.
      ValueError: it cannot be coloured; one line, as above.
      OSError: there is no room for it.
    """
    began = time.monotonic()
    sources, output = (
        _plan(library, entry, another) if place == "folder" else _plan_apart(library, entry, place)
    )
    if not is_writable(output):
        raise NotWritableError(f"{output} cannot be written: save it elsewhere, or download it")
    planned = plan(sources, output, file_format)
    for group, reason in planned.refused.items():
        if entry.path in group:
            raise ValueError(reason)
    job = next(job for job in planned.jobs if job.source == entry.path)
    sidecar = entry.spare if entry.spare.exists() else find_sidecar(entry.path, Neighbours())
    summary = Summary(total=1)
    colorize_files(colorizer, [job], summary, sidecar_of=lambda _: sidecar)
    for reason in summary.failed.values():
        raise ValueError(reason)
    if place != "download":
        library.marks.change(entry.id, saved=str(job.results[0]))
    return Saved(job.results[0], sidecar, time.monotonic() - began)


def take(colorizer: Colorizer, library: Library, entry: Entry, file_format: str | None) -> pathlib.Path:
    """The file of a download, in a folder of its own: it is given to nobody else, and who has it removes it.

    Raises what `save` raises.
    """
    while True:
        path = save(colorizer, library, entry, file_format, "download").path
        own = None
        try:
            own = pathlib.Path(tempfile.mkdtemp(dir=path.parent))
            return path.rename(own / path.name)
        except FileNotFoundError:  # another download of the photograph was faster: once more
            if own is not None:
                own.rmdir()


def is_writable(folder: pathlib.Path) -> bool:
    """Or can be made."""
    existing = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    return os.access(existing, os.W_OK)


def _plan_apart(library: Library, entry: Entry, place: str) -> tuple[list[Source], pathlib.Path]:
    """It alone, into a folder of the studio's data."""
    name = pathlib.Path(f"{entry.id[:12]}{entry.path.suffix}" if place == "download" else entry.path.name)
    if entry.source == "upload":
        name = pathlib.Path(f"upload-{entry.id[:12]}{entry.path.suffix}")
    return [Source(entry.path, name)], library.uploads.data / (
        "results" if place == "studio" else "downloads"
    ) / entry.id


def _plan(library: Library, entry: Entry, another: pathlib.Path | None) -> tuple[list[Source], pathlib.Path]:
    """Everything that has its result in the same folder, and that folder. No file's name comes from a request."""
    output = another or library.output
    if entry.source == "upload":
        if output is None:
            return [Source(entry.path, pathlib.Path(entry.path.name))], library.uploads.results(entry)
        return [Source(entry.path, pathlib.Path(f"upload-{entry.id[:12]}{entry.path.suffix}"))], output
    folder = library.folder
    assert folder is not None  # it is where the entry is from
    sources = folder.sources()
    if entry.path not in [source.path for source in sources]:
        raise ValueError("the file is not there any more")
    return sources, another or folder.output
