"""Colours an album in one look: places that look alike get colours that agree, and what is known of one is for all.

    python -m hybridvit.album scans/ --output coloured/
    hybridvit album scans/ --output coloured/

Exit codes as of `hybridvit colorize`, whose options it has, and which writes its results.
"""

import argparse
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from hybridvit.colorize.command import SidecarOf, add_all_options, check, run_options
from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.naming import Job
from hybridvit.colorize.provenance_flags import check_provenance_options
from hybridvit.command_line import Parser, run_command

EXAMPLES = """\
examples:
  hybridvit album scans/ --output coloured
  hybridvit album scans/ --output coloured --references museum/     the same street and uniform in colour
  hybridvit album scans/ --output coloured --format jpeg --uncertainty

Colours that you gave one photograph (photo.hints.json beside it, as the studio writes it) go to the same coat, wall
and flag on all others; places that nothing is like stay as hybridvit colorize makes them. The same command goes on
after an interruption; what a new hint changes is made anew, and nothing else. What was seen is kept, in
coloured/.hybridvit-album.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = Parser(
        prog="hybridvit album",
        description="Colours photographs that belong together in one look; originals are never changed.",
        epilog=EXAMPLES,
    )
    add_all_options(parser)
    parser.add_argument(
        "--references",
        nargs="+",
        default=[],
        metavar="INPUT",
        help="photographs in colour, of the same things: pictures, folders, globs",
    )
    options = parser.parse_args(argv)
    check(parser, options)
    check_provenance_options(parser, options)
    if options.method is not None:
        parser.error(f"--method {options.method} does not see what is alike: use --weights")

    def know(
        colorizer: Any, jobs: Sequence[Job], sidecar_of: SidecarOf, settings: Mapping[str, Any]
    ) -> Callable[[pathlib.Path], Any]:
        return _know(options, colorizer, jobs, sidecar_of, settings)

    from hybridvit.runtime.blas import one_blas_thread

    with one_blas_thread():
        return run_options(options, know)


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)


def _know(
    options: argparse.Namespace,
    colorizer: Any,
    jobs: Sequence[Job],
    sidecar_of: SidecarOf,
    settings: Mapping[str, Any],
) -> Callable[[pathlib.Path], Any]:
    from hybridvit.album.know import FOLDER, Picture, know_album, picture_of
    from hybridvit.hints.recipe import Recipe
    from hybridvit.inference.places import Describer

    describer = Describer(colorizer.predictor)
    references = find_sources(options.references, options.output).sources if options.references else []
    pictures = [picture_of(job.source, sidecar_of, settings) for job in jobs]
    pictures += [Picture(source.path, Recipe(), True) for source in references]
    return know_album(colorizer, pictures, options.output / FOLDER, describer)
