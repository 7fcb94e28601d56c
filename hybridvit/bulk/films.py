"""Films among a job's inputs: each coloured by the code of `hybridvit film`, on the disk of one worker."""

import argparse
import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from hybridvit.bulk.files import exists, fetch, is_remote, put
from hybridvit.bulk.found import Found
from hybridvit.extras import needing
from hybridvit.film.names import result_of
from hybridvit.hints.sidecar import sidecar_path
from hybridvit.inference.hub import is_on_hub

_OF_PICTURES = ("method", "samples", "format", "uncertainty")  # options that films do not have


class Colored(NamedTuple):
    """What became of a film: "coloured", "skipped" (done already) or "results" (it is one itself)."""

    counter: str
    written: int = 0
    remarks: tuple[str, ...] = ()


def target_of(found: Found, output: str) -> str:
    """The name of the coloured film."""
    return f"{output}/{result_of(found.relative)}"


def color(
    found: Found, options: argparse.Namespace, output: str, colorizer: Any, folder: pathlib.Path
) -> Colored:
    """Colours a film in `folder` of this machine, by the options of the job.

    Raises ValueError, OSError or ModuleNotFoundError, one line, if it cannot be coloured.
    """
    for name in _OF_PICTURES:
        if getattr(options, name):
            raise ValueError(f"--{name} is for photographs: colour films by a job without it")
    with needing("film", "films need"):
        from hybridvit.film.command import color_film
        from hybridvit.film.statement import statement_of
    source = folder / "in" / found.relative
    fetch(found.path, source)
    if statement_of(source) is not None:
        return Colored("results")
    remote = target_of(found, output)
    target = folder / "out" / result_of(found.relative)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not options.overwrite and exists(remote):
        fetch(remote, target)
    sidecar = sidecar_path(source)
    beside = f"{found.path.rpartition('/')[0]}/{sidecar.name}"
    if not options.no_hints and exists(beside):
        fetch(beside, sidecar)
    with _here(options.weights) as weights:
        said = {
            name: getattr(options, name) for name in ("strength", "decode", "size", "palette", "reference")
        }
        made = color_film(
            argparse.Namespace(
                input=source, output=target, weights=weights, no_hints=options.no_hints, overwrite=options.overwrite,
                hints=None, method=None, codec=None, chroma=None, crf=None, deinterlace=False, deflicker=False,
                references=(), still=(), **said,
            ),
            colorizer,
        )  # fmt: skip
    return Colored("coloured", put(target, remote), made.remarks) if made.now else Colored("skipped")


@contextlib.contextmanager
def _here(weights: str) -> Iterator[str]:
    """The weights' file on this machine."""
    if is_on_hub(weights) or not is_remote(weights):
        yield weights
        return
    with tempfile.TemporaryDirectory(prefix="hybridvit-bulk-") as folder:
        local = pathlib.Path(folder, weights.rpartition("/")[2])
        fetch(weights, local)
        yield str(local)
