"""Folders of scanned frames: each a file as `hybridvit colorize` reads and writes it, or DPX, in the order of names."""

import argparse
import contextlib
import dataclasses
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from hybridvit.film.decode import Frame, gray_of
from hybridvit.film.deflicker import Exposure, levelled
from hybridvit.film.geometry import Geometry
from hybridvit.film.levels import BT709, Levels
from hybridvit.film.look import look_at
from hybridvit.film.make import Shown, carrier_of, lightness_of
from hybridvit.film.scenes import Scenes, Start, over_cuts
from hybridvit.film.statement import sha256_of
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.sidecar import recipe_to_json
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.full_resolution import Painter
from hybridvit.photo.photo import Photo, photo_of, read_photo, write_photo
from hybridvit.photo.record import make_record, read_record
from hybridvit.version import VERSION

SUFFIXES = (".tif", ".tiff", ".png", ".dpx")


@dataclasses.dataclass(frozen=True, eq=False)
class Scanned(Frame):
    """A frame and the photograph that it is."""

    photo: Photo


@dataclasses.dataclass(frozen=True, eq=False)
class Folder:
    """Frames in files; as a `Film`, as far as it is looked at."""

    path: Path
    files: tuple[Path, ...]
    size: tuple[int, int]
    levels: Levels
    gains: Float[np.ndarray, " n"] | None = None  # as a `Film`'s

    def frames(self, first: int = 0) -> Iterator[Scanned]:
        """From the `first` on. Raises ValueError or OSError, one line, for a file that is no such frame."""
        for index, file in enumerate(self.files[first:], first):
            photo = read_frame(file)
            pixels = photo.pixels
            luma = pixels[..., 0] if pixels.shape[-1] == 1 else gray_of(pixels)
            if luma.shape != self.size or luma.dtype != self.levels.dtype:
                raise ValueError(f"{file}: it is of another size or depth than {self.files[0].name}")
            if self.gains is not None:
                luma = levelled(luma, self.levels, self.gains[index])
                photo = dataclasses.replace(photo, pixels=luma[..., None])
            yield Scanned(index, luma, index, 1, photo)


def read_frame(path: Path) -> Photo:
    """A frame's file. DPX is taken for what its numbers are, also if they are logarithms of density."""
    if path.suffix.lower() != ".dpx":
        return read_photo(path)
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
    except (av.error.FFmpegError, StopIteration):
        raise ValueError(f"{path}: no DPX, or a damaged one") from None
    deep = frame.format.components[0].bits > 8
    gray = frame.format.name.startswith("gray")
    form = ("gray16le" if deep else "gray") if gray else ("rgb48le" if deep else "rgb24")
    return dataclasses.replace(photo_of(frame.to_ndarray(format=form)), format="tiff", source=path)


def open_folder(path: Path) -> Folder:
    """Raises ValueError or OSError, one line, where it holds no frames."""
    files = sorted((file for file in path.iterdir() if file.suffix.lower() in SUFFIXES), key=_numbered)
    if not files:
        raise ValueError(f"{path}: no frames in it ({', '.join(SUFFIXES)})")
    pixels = read_frame(files[0]).pixels
    return Folder(path, tuple(files), pixels.shape[:2], Levels(8 * pixels.dtype.itemsize, True))


def color_folder(options: argparse.Namespace, recipe: Recipe) -> int:
    """The command for a folder; what of a shot is there already, by the same recipe, is not made again."""
    given = {
        "codec": options.codec,
        "chroma": options.chroma,
        "crf": options.crf,
        "hints": options.hints,
        "still": options.still or None,
        "deinterlace": options.deinterlace or None,
    }
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"--{name}: frames in files have none: drop it")
    folder = open_folder(options.input)
    if options.output.suffix:
        raise ValueError(f"--output {options.output}: of a folder a folder is made: name one")
    from hybridvit.inference.colorizer import load
    from hybridvit.runtime.devices import start_devices

    print(f"hybridvit: computing on {start_devices()}", file=sys.stderr)
    colorizer = load(options.weights)
    with tqdm(total=len(folder.files), desc="looking", unit="frame", disable=None) as bar:
        exposure = Exposure(folder.levels)
        seen = look_at(folder, bar, exposure.add)
    if options.deflicker:
        folder = dataclasses.replace(folder, gains=exposure.gains(seen.shots))
    geometry = Geometry(folder.size, folder.levels, BT709, 0, Fraction(1), seen.inside, recipe.settings.size)
    make_scenes, remark = over_cuts(options.weights, colorizer, recipe, options.references)
    if len(seen.shots) == 1 and not options.references:
        make_scenes = None
    elif remark is not None:
        print(f"note: {options.input}: {remark}", file=sys.stderr)
    options.output.mkdir(parents=True, exist_ok=True)
    made = 0
    with (
        contextlib.ExitStack() as stack,
        tqdm(total=len(folder.files), desc="colouring", unit="frame", disable=None) as bar,
    ):
        scenes = None
        if make_scenes is not None:
            views = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hybridvit-film-")))
            scenes = make_scenes(_starts(folder, geometry, seen.shots), views)
        for start, stop in zip(seen.shots, [*seen.shots[1:], len(folder.files)], strict=True):
            made += _color_shot(colorizer, scenes, folder, geometry, recipe, (start, stop), options)
            bar.update(stop - start)
    done = len(folder.files) - made
    print(f"{options.output}: {made} frames coloured" + (f", {done} done already" if done else ""))
    return 0


def _color_shot(
    colorizer: Colorizer,
    scenes: Scenes | None,
    folder: Folder,
    geometry: Geometry,
    recipe: Recipe,
    span: tuple[int, int],
    options: argparse.Namespace,
) -> int:
    """How many frames were made."""
    start, stop = span
    shot = [sha256_of(file) for file in folder.files[start:stop]]
    predictor = (
        scenes and scenes.predictor(start)
    ) or colorizer.predictor  # its digest says what it was told
    told = {
        "weights": predictor.digest,
        "version": VERSION,
        "shot": [*shot, options.deflicker],
        "recipe": recipe_to_json(recipe),
    }
    targets = [options.output / file.with_suffix(_suffix(file)).name for file in folder.files[start:stop]]
    records = [make_record(digest, **told) for digest in shot]
    found = [read_record(target) if target.exists() else None for target in targets]
    for target, record in zip(targets, found, strict=True):
        if target.exists() and record is None and not options.overwrite:
            raise FileExistsError(
                f"{target} is there, and no result of this command: choose another --output, or --overwrite"
            )
    if found == records and not options.overwrite:
        return 0
    carrier = carrier_of(colorizer, recipe, scenes, folder.size, folder.levels)

    def views() -> Iterator[tuple[Shown, Any]]:
        for frame in folder.frames(start):
            view = geometry.view(frame.luma)
            yield Shown(frame, view, (), False), lightness_of(view)
            if frame.index == stop - 1:
                return

    for (shown, ab), target, record in zip(carrier.shot(views()), targets, records, strict=True):
        photo, inside = shown.frame.photo, geometry.inside
        rgb = Painter(photo.pixels, ab, lightness_of(shown.view), inside).tile(0, 0, *folder.size)
        name = folder.files[shown.frame.index].name
        said = {"software": f"hybridvit {VERSION}", **predictor.provenance, "source": name}
        write_photo(target, rgb, photo, said | record.provenance())
    return stop - start


def _starts(folder: Folder, geometry: Geometry, shots: Sequence[int]) -> Iterator[Start]:
    for index in shots:
        frame = next(folder.frames(index))
        yield Start(index, geometry.view(frame.luma), ())


def _suffix(file: Path) -> str:
    return ".tif" if file.suffix.lower() == ".dpx" else file.suffix


def _numbered(file: Path) -> list[tuple[int, str]]:
    """Frame 10 comes behind frame 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", file.name)]
