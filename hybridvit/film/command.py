"""Colours films: a film in, a film of the same frames, times and sound out, its luma kept to the bit.

    hybridvit film reel.mkv --output reel-coloured.mp4

Exit codes: 0 it is coloured, or was already; 2 a mistake in the command, or a film that cannot be coloured; 130
interrupted by Ctrl-C, after which the same command goes on where it stood.
"""

import argparse
import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from hybridvit.colorize.command import palette_of
from hybridvit.colorize.summary import explain
from hybridvit.command_line import Parser, check_writable, fail, path, run_command

if TYPE_CHECKING:
    from hybridvit.inference.colorizer import Colorizer

EXAMPLES = """\
examples:
  hybridvit film reel.mkv --output coloured.mp4                 H.264, with the reel's sound
  hybridvit film reel.mkv --output coloured.mkv --codec ffv1    nothing is lost
  hybridvit film frames/ --output coloured/                     scanned frames: TIFF, PNG, DPX in; TIFF or PNG out
  hybridvit film tape.vob --output tape.mp4 --deinterlace

reel.hints.json beside reel.mkv holds colours that are known, each with the time of its frame.
The same command goes on after an interruption: finished parts are kept in coloured.mp4.parts until the film is whole.
"""
CODECS = ("h264", "h265", "av1", "ffv1", "prores")  # those of `encode`


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parse(argv)
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("hybridvit: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="hybridvit film",
        description="Colours a gray film without flicker; its luma is kept.",
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add(
        "input",
        type=path,
        metavar="INPUT",
        help="a film, or a folder of its frames in the order of their names",
    )
    add(
        "--output",
        required=True,
        type=path,
        metavar="FILE",
        help="a .mp4, .mov, .mkv or .webm; of a folder, a folder",
    )
    add("--overwrite", action="store_true", help="also where a file is")
    coded = parser.add_argument_group("how it is coded").add_argument
    coded("--codec", choices=CODECS, help="(h264; ffv1 loses nothing)")
    coded("--chroma", choices=("420", "422", "444"), help="the film's own, where the codec has it")
    coded(
        "--crf",
        type=int,
        choices=range(0, 52),
        metavar="N",
        help="quality of h264, h265, av1; 0 is best (18, 20, 24)",
    )
    coded("--deinterlace", action="store_true", help="makes full frames of an interlaced film's fields")
    coded("--deflicker", action="store_true", help="evens flicker of exposure; else the luma stays as it is")
    look = parser.add_argument_group("how it looks").add_argument
    look("--strength", type=float, help="of the colours; 0 is gray (1.0)")
    look(
        "--decode",
        choices=("vivid", "mean"),
        help="vivid: lively, likely colours; mean: careful, duller (vivid)",
    )
    look("--size", type=int, help="px, shorter side of what the model sees (256)")
    known = parser.add_argument_group("what is known")
    hints = known.add_mutually_exclusive_group()
    hints.add_argument(
        "--hints", type=path, metavar="FILE", help="colours by time (film.hints.json beside film.mp4)"
    )
    hints.add_argument("--no-hints", action="store_true", help="leaves that file unread")
    known.add_argument(
        "--still",
        action="append",
        default=[],
        metavar="SECONDS=FILE",
        help="a frame of the film that is in colour already; its colours go along the shot, as hints do",
    )
    palette = known.add_mutually_exclusive_group()
    palette.add_argument("--palette", metavar="COLORS", help="these only: '#6b4a2f,#2e6b3a,#d9c7a1'")
    palette.add_argument("--reference", type=path, metavar="FILE", help="the colours of this photograph")
    known.add_argument(
        "--references",
        nargs="+",
        default=(),
        type=path,
        metavar="FILE",
        help="photographs in colour of the same people, things, places: what matches takes theirs",
    )
    add("--weights", default="pretrained", help="a .safetensors file, a training's folder, or %(default)s")
    return parser.parse_args(argv)


def _run(options: argparse.Namespace) -> int:
    options.method = None  # as `palette_of` asks for it
    try:
        if not options.input.exists():
            raise FileNotFoundError(f"{options.input}: no such film or folder")
        if options.input.resolve() == options.output.resolve():
            raise ValueError(f"--output {options.output} is the film itself: choose another name")
        check_writable("output", options.output.parent)
        _check_references(options.references)
        if options.input.is_dir():
            from hybridvit.extras import needing

            with needing("film", "films need"):
                from hybridvit.film.folder import color_folder
            return color_folder(options, recipe_of(options))
        made = color_film(options)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(explain(error))
    for remark in made.remarks:
        print(f"note: {options.input}: {remark}", file=sys.stderr)
    print(made.line)
    return 0


def recipe_of(options: argparse.Namespace, recipe: Any = None) -> Any:
    """The recipe of all frames: what the command says goes over what the file of hints does."""
    from hybridvit.hints.recipe import Recipe

    recipe = recipe or Recipe()
    said = {name: getattr(options, name) for name in ("size", "strength", "decode")}
    settings = dataclasses.replace(recipe.settings, **{k: v for k, v in said.items() if v is not None})
    if settings.decode == "sample":
        raise ValueError("a film's colours are not drawn: choose decode 'vivid' or 'mean'")
    settings = dataclasses.replace(settings, borders="off")  # bars are found over all of the film
    return Recipe(palette=palette_of(options) or recipe.palette, settings=settings)


class Made(NamedTuple):
    """What became of a film: whether it was made now or was there, a line of it, and what to know of it."""

    now: bool
    line: str
    remarks: tuple[str, ...] = ()


def color_film(options: argparse.Namespace, colorizer: "Colorizer | None" = None) -> Made:
    """Colours a film by the command's options; `colorizer` is of its weights, and loaded from them where it is None.

    Raises ValueError, OSError or ModuleNotFoundError, one line, if it cannot be coloured.
    """
    from hybridvit.extras import needing

    with needing("film", "films need"):
        from hybridvit.film import decode, encode, geometry, join, look, make, recorded, scenes, tracks
        from hybridvit.film.deflicker import Exposure
    film = decode.open_film(options.input, options.deinterlace)
    form, remarks = encode.form_of(film, options.codec or "h264", options.chroma, options.crf)
    remarks += join.check_container(film, options.output, form)
    hints = _hints(options, film)
    recipe = recipe_of(options, hints and hints.recipe)
    if colorizer is None:
        from hybridvit.inference.colorizer import load
        from hybridvit.runtime.devices import start_devices

        print(f"hybridvit: computing on {start_devices()}", file=sys.stderr)
        colorizer = load(options.weights)
    record = recorded.record_of(options, form, recipe, hints, colorizer.predictor)
    if recorded.is_done(options, record):
        return Made(False, f"{options.output}: done already")
    exposure = Exposure(film.levels)
    with _bar("looking", film.frames_told or None) as bar:
        seen = look.look_at(film, bar, exposure.add)
    remarks += _damage(film)
    over_cuts = None
    if len(seen.shots) > 1 or options.references:
        over_cuts, remark = scenes.over_cuts(options.weights, colorizer, recipe, options.references)
        remarks += [remark] if remark else []
    if options.deflicker:
        film = dataclasses.replace(film, gains=exposure.gains(seen.shots))
    seen_by = geometry.Geometry(
        film.size, film.levels, film.matrix, film.turns, film.aspect, seen.inside, recipe.settings.size
    )
    hinted = _hinted(hints, film, seen, seen_by, options) if hints else {}
    moved = tracks.follow(film, seen_by, seen.shots, len(seen.times), hinted) if hinted else {}
    with _bar("colouring", len(seen.times)) as bar:
        there = make.make_film(
            film,
            seen,
            seen_by,
            form,
            options.output,
            colorizer=colorizer,
            recipe=recipe,
            tracks=moved,
            scenes=over_cuts,
            given=tuple(hinted),
            record=record,
            metadata={"comment": recorded.comment_of(options, film, record, colorizer.predictor, hints)},
            progress=bar,
        )
    shots = f"{len(seen.shots)} shot{'s' if len(seen.shots) > 1 else ''}"
    kept = f", {there} of them from an earlier try" if there else ""
    frames = f"{len(seen.times)} frame{'s' if len(seen.times) > 1 else ''}"
    line = f"{options.output}: {frames} in {shots} coloured{kept}"
    return Made(True, line, tuple(remarks))


def _check_references(paths: Sequence[Path]) -> None:
    if paths:
        from hybridvit.film.scenes import colored_photo

        for one in paths:
            colored_photo(one)


def _hints(options: argparse.Namespace, film: Any) -> Any:
    from hybridvit.film.hints import FilmHints, load_film_hints
    from hybridvit.film.stills import points_of, still_of
    from hybridvit.hints.sidecar import sidecar_path

    beside = sidecar_path(options.input)
    place = options.hints or (beside if beside.is_file() and not options.no_hints else None)
    height, width = film.size[:: -1 if film.turns % 2 else 1]
    stills = tuple((time, points_of(path, width, height)) for time, path in map(still_of, options.still))
    if place is None:
        return FilmHints(width, height, stills) if stills else None
    hints = load_film_hints(place)
    if (hints.width, hints.height) != (width, height):
        raise ValueError(
            f"{place}: film: the hints are for one of {hints.width} x {hints.height} px, "
            f"but this has {width} x {height}"
        )
    return dataclasses.replace(hints, frames=hints.frames + stills)


def _hinted(hints: Any, film: Any, seen: Any, geometry: Any, options: argparse.Namespace) -> dict[int, tuple]:
    from hybridvit.film.tracks import frames_at

    first = seen.times[0]
    times = [float((pts - first) * film.time_base) for pts in seen.times]
    end = times[-1] + float(1 / film.rate)
    hinted: dict[int, tuple] = {}
    for time, found in hints.frames:
        if time > end:
            raise ValueError(
                f"{options.hints or options.input}: frames: {time:g} s is behind the film's end at {end:.2f} s"
            )
        frame = frames_at(times, [time])[0]
        hinted[frame] = hinted.get(frame, ()) + found
    return hinted


def _damage(film: Any) -> list[str]:
    if not film.damaged:
        return []
    places = ", ".join(f"{at:.2f}" for at in film.damaged[:3])
    more = " and later" if len(film.damaged) > 3 else ""
    return [f"it is damaged; what cannot be decoded is passed over, at {places} s{more}"]


@contextlib.contextmanager
def _bar(what: str, total: int | None) -> Any:
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit="frame", disable=None, dynamic_ncols=True) as bar:
        yield bar
