"""Saving a photograph: what `hybridvit colorize` would make of it and its sidecar, by the same code."""

import pathlib
import time
from typing import NamedTuple

from hybridvit.inference.batch import colorize_files
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.inputs import Source
from hybridvit.inference.naming import plan
from hybridvit.inference.summary import Summary
from hybridvit.studio.entry import Entry
from hybridvit.studio.library import Library
from hybridvit.studio.sidecar_file import sidecar_now


class Saved(NamedTuple):
    """The result's file, its sidecar's (None: there are no hints), and how long it took."""

    path: pathlib.Path
    sidecar: pathlib.Path | None
    seconds: float


def save(colorizer: Colorizer, library: Library, entry: Entry, file_format: str | None) -> Saved:
    """Colours the file at full resolution; what was saved before with the same recipe is left as it is.

    Raises ValueError, one line, if it cannot be; OSError if there is no room for it.
    """
    began = time.monotonic()
    sources, output = _plan(library, entry)
    jobs = plan(sources, output, file_format)
    job = next(job for job in jobs if job.source == entry.path)
    sidecar, summary = sidecar_now(entry), Summary(total=1)
    colorize_files(colorizer, [job], summary, sidecar_of=lambda _: sidecar)
    for reason in summary.failed.values():
        raise ValueError(reason)
    return Saved(job.results[0], sidecar, time.monotonic() - began)


def _plan(library: Library, entry: Entry) -> tuple[list[Source], pathlib.Path]:
    """Everything that has its result in the same folder, and that folder. No name comes from a request."""
    if entry.source == "upload" and library.output is None:
        return [Source(entry.path, pathlib.Path(entry.path.name))], library.uploads.results(entry)
    if entry.source == "upload":
        return [
            Source(entry.path, pathlib.Path(f"upload-{entry.id[:12]}{entry.path.suffix}"))
        ], library.output
    sources = library.folder.sources()
    if entry.path not in [source.path for source in sources]:
        raise ValueError("the file is not there any more")
    return sources, library.folder.output
