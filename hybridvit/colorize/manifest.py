"""The IIIF manifest of a command's results: planned before the first picture is coloured, written after the last."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybridvit.colorize.inputs import Found, Source
from hybridvit.colorize.naming import Job
from hybridvit.colorize.summary import Summary
from hybridvit.provenance.claim import mime_of
from hybridvit.provenance.iiif_write import NAME, SHOWN, View, manifest_of, may_write, view_of, write_manifest


def views_of(
    jobs: Sequence[Job], originals: Sequence[Source], found: Found, options: argparse.Namespace
) -> dict[Path, View]:
    """Originals -> the views that they will have.

    Raises ValueError or FileExistsError, one line, where an original has no address, or another manifest is there.
    """
    path = options.output / NAME
    if not options.overwrite and not may_write(path):
        raise FileExistsError(
            f"{path} is there, and not of this command: choose another --output, or --overwrite"
        )
    relative = {source.path: source.relative for source in originals}
    return {
        job.source: view_of(
            job.results,
            relative[job.source],
            found.canvases.get(job.source),
            options.originals,
            _mime_of(job.source),
        )
        for job in jobs
    }


def write_views(
    views: Mapping[Path, View], found: Found, options: argparse.Namespace, summary: Summary
) -> None:
    """Writes the manifest of the results that are there; says what viewers will not show."""
    there = {
        source: view
        for source, view in views.items()
        if str(source) not in summary.failed and all(path.exists() for path in view.results)
    }
    if not there:
        return
    manifest = manifest_of(
        list(there.values()), options.output, options.iiif, found.manifests, options.output.name
    )
    write_manifest(options.output / NAME, manifest)
    for source, canvas in zip(there, manifest["items"], strict=True):
        shown = canvas["items"][0]["items"][0]["body"]["items"][0]["format"]
        if shown not in SHOWN:
            remark = (
                f"browsers show no {shown}, so viewers of {NAME} need an image server: or use --format jpeg"
            )
            summary.remarks.setdefault(remark, []).append(str(source))


def _mime_of(path: Path) -> str | None:
    """The type of a file; None of one that cannot be read (it fails when it is coloured) or is of no known type."""
    try:
        with path.open("rb") as file:
            mime = mime_of(file.read(12))
    except OSError:
        return None
    return None if mime == "application/octet-stream" else mime
