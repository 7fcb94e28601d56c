"""Folders of scanned frames: each a file as `hybridvit colorize` reads and writes it, or DPX, in the order of names."""

import argparse
import dataclasses
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from tqdm import tqdm

from hybridvit.film.carry import Carrier
from hybridvit.film.decode import Frame, gray_of
from hybridvit.film.geometry import Geometry
from hybridvit.film.levels import BT709, Levels
from hybridvit.film.look import look_at
from hybridvit.film.make import Shown, lightness_of, predict_view
from hybridvit.film.statement import sha256_of
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.sidecar import recipe_to_json
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

    def frames(self, first: int = 0) -> Iterator[Scanned]:
        """From the `first` on. Raises ValueError or OSError, one line, for a file that is no such frame."""
        for index, file in enumerate(self.files[first:], first):
            photo = read_frame(file)
            pixels = photo.pixels
            luma = pixels[..., 0] if pixels.shape[-1] == 1 else gray_of(pixels)
            if luma.shape != self.size or luma.dtype != self.levels.dtype:
                raise ValueError(f"{file}: it is of another size or depth than {self.files[0].name}")
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
    given = {"codec": options.codec, "chroma": options.chroma, "crf": options.crf, "hints": options.hints}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"--{name}: frames in files have none: drop it")
    folder = open_folder(options.input)
    if options.output.suffix:
        raise ValueError(f"--output {options.output}: of a folder a folder is made: name one")
    from hybridvit.inference.colorizer import load

    colorizer = load(options.weights)
    with tqdm(total=len(folder.files), desc="looking", unit="frame", disable=None) as bar:
        seen = look_at(folder, bar)
    geometry = Geometry(folder.size, folder.levels, BT709, 0, Fraction(1), seen.inside, recipe.settings.size)
    options.output.mkdir(parents=True, exist_ok=True)
    made = 0
    with tqdm(total=len(folder.files), desc="colouring", unit="frame", disable=None) as bar:
        for start, stop in zip(seen.shots, [*seen.shots[1:], len(folder.files)], strict=True):
            made += _color_shot(colorizer, folder, geometry, recipe, (start, stop), options)
            bar.update(stop - start)
    done = len(folder.files) - made
    print(f"{options.output}: {made} frames coloured" + (f", {done} done already" if done else ""))
    return 0


def _color_shot(
    colorizer: Any,
    folder: Folder,
    geometry: Geometry,
    recipe: Recipe,
    span: tuple[int, int],
    options: argparse.Namespace,
) -> int:
    """How many frames were made."""
    start, stop = span
    shot = [sha256_of(file) for file in folder.files[start:stop]]
    told = {"weights": colorizer.digest, "version": VERSION, "shot": shot, "recipe": recipe_to_json(recipe)}
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
    carrier: Carrier[Shown] = Carrier(predict_view(colorizer.predictor, recipe))

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
        said = {"software": f"hybridvit {VERSION}", **colorizer.predictor.provenance, "source": name}
        write_photo(target, rgb, photo, said | record.provenance())
    return stop - start


def _suffix(file: Path) -> str:
    return ".tif" if file.suffix.lower() == ".dpx" else file.suffix


def _numbered(file: Path) -> list[tuple[int, str]]:
    """Frame 10 comes behind frame 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", file.name)]
