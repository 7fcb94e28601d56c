"""Colours grayscale photographs: files in, coloured files out.

    python -m hybridvit.colorize scans/ --output coloured/
    hybridvit colorize scans/ --output coloured/

Exit codes: 0 all is coloured or was already; 1 some pictures failed (each is named); 2 a mistake in the command; 130
interrupted by Ctrl-C (143 by SIGTERM), after which the same command goes on where it stood.

This file is flags and messages; `colorize/inputs`, `naming` and `batch` do the work. What takes long to import is
imported when the command is known to make sense.
"""

import argparse
import math
import os
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from hybridvit.colorize.inputs import Found, describe, find_sources
from hybridvit.colorize.naming import FORMATS, Job, plan
from hybridvit.colorize.provenance_flags import add_provenance_options, check_provenance_options, signer_of
from hybridvit.colorize.summary import Summary, explain
from hybridvit.command_line import Parser, check_writable, fail, path, run_command

METHODS = ("levin", "welsh", "reinhard", "rules")  # those of hybridvit.classical.methods
REFERENCED = ("welsh", "reinhard")  # those that take all their colours from --reference

SidecarOf = Callable[[pathlib.Path], pathlib.Path | None]
# Colorizer, jobs, sidecars, settings -> what colours a picture
Know = Callable[[Any, Sequence[Job], SidecarOf, Mapping[str, Any]], Callable[[pathlib.Path], Any]]

EXAMPLES = """\
examples:
  hybridvit colorize portrait.tif --output coloured
  hybridvit colorize scans/ 'more/**/*.tif' --output coloured      folders keep their structure
  hybridvit colorize scans/ --output scans                         beside the originals, as photo-colorized.tif
  hybridvit colorize portrait.tif --output out --hints my.json     colours that you know
  hybridvit colorize portrait.tif --output out --samples 4         four possibilities, portrait-1.tif ...
  hybridvit colorize scans/ --output out --uncertainty             and photo-uncertainty.png: how sure the model is
  hybridvit colorize scans/ --output web --format jpeg --strength 0.8
  hybridvit colorize portrait.tif --output out --method levin      without a model: hints spread along edges

What is done already, with the same picture, hints, settings and weights, is skipped: run the same command again after
an interruption, or after adding photographs. Originals are never changed.

photo.hints.json beside photo.tif, as the studio writes it, holds colours and settings; what is said here goes over its
settings. Where photo.jpg lies beside photo.tif too, each has its own: photo.tif.hints.json.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run_options(_parse(argv))


def run_options(options: argparse.Namespace, know: Know | None = None) -> int:
    """Colours what the options say, with what `know` finds out first; returns the exit code."""
    try:
        return _run(options, know)
    except KeyboardInterrupt:
        print("hybridvit: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="hybridvit colorize",
        description="Colours grayscale photographs at their full size; originals are never changed.",
        epilog=EXAMPLES,
    )
    add_all_options(parser)
    options = parser.parse_args(argv)
    check(parser, options)
    check_provenance_options(parser, options)
    return options


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Inputs, output and all options of the command."""
    add = parser.add_argument
    add(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="a picture, a folder (to its depths), a glob, or a IIIF manifest",
    )
    add("--output", required=True, metavar="DIR", type=path, help="folder of the results; made if missing")
    hints = add_options(parser)
    hints.add_argument(
        "--hints", type=path, metavar="FILE", help="colours for one picture (photo.hints.json beside it)"
    )
    add_provenance_options(parser)


def add_options(parser: argparse.ArgumentParser) -> Any:
    """The options of what is made of each picture; returns the group of those that say where hints come from."""
    add = parser.add_argument
    add("--format", choices=FORMATS, help="of the results (the picture's own; else png)")
    add("--overwrite", action="store_true", help="also what is done already, and files of the same name")

    look = parser.add_argument_group("how it looks")
    add = look.add_argument
    add("--strength", type=_number(float, 0, 10), help="of the colours; 0 is gray (1.0)")
    add(
        "--decode",
        choices=("vivid", "mean", "sample"),
        help="vivid: lively, likely colours; mean: careful, duller; sample: drawn by --seed (vivid)",
    )
    add(
        "--samples",
        type=_number(int, 1, 99),
        metavar="K",
        help="K drawn results a picture: photo-1, photo-2, ...",
    )
    add("--seed", type=_number(int, 0, 2**31 - 100), help="of the first sample (0)")
    add("--size", type=_number(int, 16, 4096), help="px, shorter side of what the model sees (256)")

    add(
        "--borders",
        choices=("auto", "off"),
        help="auto: borders and captions around the photograph stay gray; off: all of the file is coloured (auto)",
    )

    known = parser.add_argument_group("what is known")
    hints = known.add_mutually_exclusive_group()
    hints.add_argument("--no-hints", action="store_true", help="leaves photo.hints.json files unread")
    palette = known.add_mutually_exclusive_group()
    palette.add_argument("--palette", metavar="COLORS", help="these only: '#6b4a2f,#2e6b3a,#d9c7a1'")
    palette.add_argument("--reference", type=path, metavar="FILE", help="the colours of this photograph")

    more = parser.add_argument_group("more")
    more.add_argument(
        "--uncertainty",
        action="store_true",
        help="also photo-uncertainty.png: the chance that a colour is clearly off, dark blue 0 %%, pale yellow 100 %%",
    )
    model = more.add_mutually_exclusive_group()
    model.add_argument(
        "--weights",
        default="pretrained",
        help="a .safetensors file, a training's folder, what hybridvit export wrote, hf://OWNER/NAME[@REVISION], or "
        "%(default)s",
    )
    model.add_argument(
        "--method",
        choices=METHODS,
        help="instead of a model: levin spreads hints along edges (without hints all stays gray); welsh and reinhard "
        "transfer colours from --reference; rules tints what looks like sky, plants and skin",
    )
    return hints


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends in one line if options contradict one another; completes them."""
    if options.samples is not None:
        if options.decode not in (None, "sample"):
            parser.error(f"--samples draws its colours, --decode {options.decode} does not: drop one of them")
        options.decode = "sample"
    if options.method is not None:
        _check_method(parser, options)


def _check_method(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    name = options.method
    if options.uncertainty:
        parser.error(f"--uncertainty: {name} does not know how sure it is: drop one of them")
    if options.decode == "sample":
        parser.error(f"--method {name} draws no samples: drop --samples and --decode sample")
    if name in REFERENCED and options.reference is None:
        parser.error(f"--method {name} takes its colours from a photograph: name it with --reference")


def _run(options: argparse.Namespace, know: Know | None) -> int:
    try:
        found = find_sources(options.inputs, options.output, options.images)
        if options.hints is not None:
            if len(found.sources) > 1:
                raise ValueError(
                    f"--hints {options.hints} is for one picture, and these are {len(found.sources)}: "
                    "name one, or put photo.hints.json beside each"
                )
            if not options.hints.is_file():
                raise FileNotFoundError(f"--hints {options.hints}: no such file")
        # From here on it takes seconds
        from hybridvit.colorize.batch import colorize_files, leave_results
        from hybridvit.colorize.manifest import views_of, write_views

        settings, palette = settings_of(options), palette_of(options)
        if options.images is not None and not found.manifests:
            raise ValueError(f"--images {options.images} is of a IIIF manifest, and none is among the inputs")
        originals, results = leave_results(found.sources)
        check_writable("output", options.output)
        signer = signer_of(options)
        planned = plan(originals, options.output, options.format, options.samples, options.uncertainty)
        views = views_of(planned.jobs, originals, found, options) if options.iiif else {}
        if options.method is None:
            from hybridvit.runtime.devices import start_devices

            print(f"hybridvit: computing on {start_devices()}", file=sys.stderr)
        colorizer = build_colorizer(options)
        sidecar_of = _sidecar_of(options)
        colorizer_of = know and know(colorizer, planned.jobs, sidecar_of, settings)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(explain(error))
    summary = Summary(total=len(planned.jobs))
    try:
        colorize_files(
            colorizer,
            planned.jobs,
            summary,
            sidecar_of=sidecar_of,
            settings=settings,
            palette=palette,
            overwrite=options.overwrite,
            signer=signer,
            premis=options.premis,
            colorizer_of=colorizer_of,
        )
        if options.iiif:
            write_views(views, found, options, summary)
    finally:
        _report(summary, results, found, planned.refused, options.output, signer)
    return 1 if summary.failed or found.unreadable or planned.refused else 0


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of `Settings` that were said."""
    said = {name: getattr(options, name) for name in ("size", "strength", "decode", "seed", "borders")}
    return {name: value for name, value in said.items() if value is not None}


def build_colorizer(options: argparse.Namespace) -> Any:
    """The `Colorizer` asked for. Raises ValueError or OSError, one line."""
    if options.method is None:
        from hybridvit.inference.colorizer import load

        return load(options.weights)
    from hybridvit.classical.methods import load_method

    return load_method(options.method, _reference(options) if options.method in REFERENCED else None)


def _sidecar_of(options: argparse.Namespace) -> SidecarOf:
    from hybridvit.colorize.namesakes import Neighbours, find_sidecar

    if options.hints is not None or options.no_hints:
        return lambda picture: options.hints
    neighbours = Neighbours()
    return lambda picture: find_sidecar(picture, neighbours)


def palette_of(options: argparse.Namespace) -> tuple:
    """The colours asked for, given or of the reference. Raises ValueError or OSError, one line."""
    if options.palette is not None:
        from hybridvit.hints.shapes import PaletteColor

        try:
            return tuple(PaletteColor(color.strip()) for color in options.palette.split(","))
        except ValueError as error:
            raise ValueError(f"--palette: {error}") from None
    if options.reference is None or options.method in REFERENCED:
        return ()
    from hybridvit.inference import palette

    pixels = _reference(options)
    return palette.palette_of(pixels if pixels.dtype == "uint8" else (pixels >> 8).astype("uint8"))


def _reference(options: argparse.Namespace) -> Any:
    """Pixels of the reference photograph, sRGB of 8 or 16 bits."""
    from hybridvit.photo.photo import read_photo

    pixels = read_photo(options.reference).pixels
    if pixels.shape[2] == 1:
        raise ValueError(f"--reference {options.reference}: a gray picture has no colours to take")
    return pixels


def _report(
    summary: Summary,
    results: int,
    found: Found,
    refused: Mapping[tuple[pathlib.Path, ...], str],
    output: pathlib.Path,
    signer: Any = None,
) -> None:
    for line in summary.remarked():
        print(f"note: {line}", file=sys.stderr)
    together = {", ".join(map(os.fspath, group)): reason for group, reason in refused.items()}
    for name, reason in (found.unreadable | together | summary.failed).items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    if summary.stopped:
        print(f"stopped: {output}: {summary.stopped}; make room, and give the same command", file=sys.stderr)
    counted = summary.counted(len(found.unreadable) + sum(map(len, refused)))
    print(f"{output}: {counted}" + ("" if signer is None else f", signed by {signer.named}"))
    if results:
        print(f"left alone: {results} results of hybridvit among the inputs")
    if found.passed_over:
        print(f"left alone: files that are no pictures by their names: {describe(found.passed_over)}")


def _number(kind: type, least: int, most: int) -> Callable[[str], int | float]:
    """An option's type."""

    def parse(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {least} to {most}")
        return value

    return parse
