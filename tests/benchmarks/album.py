"""What an album adds to its photographs' own colours, on colour photographs whose truth it does not see.

    python -m tests.benchmarks.album --photos FOLDER [--count 40] [--only groups,classes,hints,unrelated]

- groups: each photograph as three views (whole; a mirrored crop, lighter; another crop, darker), all views one album.
- classes: an album of all photographs that one `source_repo` of the folder's `manifest.csv` has, 14 or more.
- hints: the groups with three true hints on the first view, or with that in colour as reference: the two others' PSNR.
- unrelated: one view of each photograph, all of them one album: what it costs photographs that have little in common;
  and what it costs them when every fourth has three true hints.

For both decodes: PSNR and CIEDE2000 with the album less those without, of places that match (the mean over photographs
and its standard error); and how far apart, ab units, the colours are of places that match, and in groups of all that
correspond (known from how the views were cut). Views are of 256 px.
"""

import argparse
import csv
import dataclasses
import itertools
import pathlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

import hybridvit
from hybridvit.album.index import Index
from hybridvit.album.know import Album, Picture, describe
from hybridvit.data.transforms import center_square
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.hints.simulate import protocol_hints
from hybridvit.inference.places import CELL, Describer, pooled

SIZE = 256
DECODES = ("vivid", "mean")
FEWEST = 14  # photographs of a class
GAMMAS = (1.0, 0.75, 1.3)  # of the lightness of the three views
SIDES = (170, 215)  # px, of the crops


class View(NamedTuple):
    """A view's truth, Lab, and where in the photograph the middles of its cells are, px."""

    lab: np.ndarray
    at: np.ndarray


Pair = tuple[int, np.ndarray, int, np.ndarray]  # cells of one view, and of another


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument(
        "--count", type=int, default=40, help="of photographs, evenly from the folder's (classes: all)"
    )
    parser.add_argument("--only", default="groups,classes,hints,unrelated")
    options = parser.parse_args()
    files = sorted(options.photos.glob("*.jpg"))
    few = [files[i] for i in np.linspace(0, len(files) - 1, min(options.count, len(files))).astype(int)]
    rng = np.random.default_rng(0)
    groups = [make_views(path, rng) for path in few]
    colorizer = hybridvit.load()
    make = Maker(colorizer, Describer(colorizer.predictor))
    for section in options.only.split(","):
        start = time.process_time()
        if section == "groups":
            measure_groups(groups, make)
        elif section == "classes":
            measure_classes(files, make)
        elif section == "hints":
            measure_hints(groups, make)
        else:
            measure_unrelated(groups, make)
        print(f"{section}: {time.process_time() - start:.0f} CPU s\n", flush=True)


def make_views(path: pathlib.Path, rng: np.random.Generator) -> list[View]:
    """Three of a photograph."""
    with Image.open(path) as image:
        square = Image.fromarray(center_square(image.convert("RGB"), SIZE))
    middles = np.mgrid[CELL / 2 : SIZE : CELL, CELL / 2 : SIZE : CELL].transpose(1, 2, 0)
    views = []
    for k, gamma in enumerate(GAMMAS):
        side = SIZE if k == 0 else int(rng.integers(*SIDES))
        left, top = rng.integers(0, SIZE - side + 1, 2).tolist()
        box = (left, top, left + side, top + side)
        seen = square.crop(box).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        at = middles * side / SIZE + (top, left)
        if k == 1:
            seen, at = seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT), at[:, ::-1]
        lab = rgb2lab(np.asarray(seen)).astype(np.float32)
        lab[..., 0] = 100 * (lab[..., 0] / 100) ** gamma
        views.append(View(lab, at))
    return views


class Coloured(NamedTuple):
    """Each view's colours without and with the album, for each decode; its cells that match; the pairs that do."""

    plain: list[dict[str, np.ndarray]]
    told: list[dict[str, np.ndarray]]
    matched: list[np.ndarray]
    pairs: list[Pair]


class Maker:
    """Makes albums."""

    def __init__(self, colorizer, describer: Describer):
        self._colorizer, self._describer = colorizer, describer

    def __call__(self, views: Sequence[View], known: dict[int, Recipe | None] | None = None) -> Coloured:
        """Of the views one; those that are `known` have a recipe's hints, or are references (None)."""
        known = known or {}
        with tempfile.TemporaryDirectory() as folder:
            root, pictures = pathlib.Path(folder), []
            for i, view in enumerate(views):
                is_reference = i in known and known[i] is None
                path = save(view, root / f"{i}.png", not is_reference)
                recipe = dataclasses.replace(known.get(i) or Recipe(), settings=Settings(borders="off"))
                pictures.append(Picture(path, recipe, is_reference))
            index = Index(root / "index", {})
            album = Album(self._colorizer, index, describe(index, self._describer, pictures))
            plain = [self._colours(lambda path: self._colorizer, picture) for picture in pictures]
            told = [self._colours(album.colorizer_of, picture) for picture in pictures]
            nothing = np.zeros((SIZE // CELL) ** 2, bool)
            matched = [album.agreement.matched(i) if i in album.edges else nothing for i in range(len(views))]
            pairs = [
                (i, e.here, e.other, e.there) for i, es in album.edges.items() for e in es if e.other > i
            ]
            return Coloured(plain, told, matched, pairs)

    def _colours(self, colorizer_of: Callable, picture: Picture) -> dict[str, np.ndarray]:
        canvas = colorizer_of(picture.path).open(picture.path)
        settings = {decode: Settings(decode=decode, borders="off") for decode in DECODES}
        return {
            decode: canvas.chroma(dataclasses.replace(picture.recipe, settings=one))
            for decode, one in settings.items()
        }


def save(view: View, path: pathlib.Path, gray: bool = True) -> pathlib.Path:
    """As a picture."""
    lab = view.lab * np.float32([1, not gray, not gray])
    rgb = np.rint(np.clip(lab2rgb(lab), 0, 1) * 255).astype(np.uint8)
    Image.fromarray(rgb[..., 0] if gray else rgb).save(path)
    return path


def scores(view: View, ab: np.ndarray, where: np.ndarray | slice = slice(None)) -> np.ndarray:
    """PSNR, dB, and mean CIEDE2000 of the pixels `where`."""
    lab = np.dstack([view.lab[..., 0], ab])
    error = np.square(np.clip(lab2rgb(lab), 0, 1) - np.clip(lab2rgb(view.lab), 0, 1))[where].mean()
    return np.array([-10 * np.log10(max(error, 1e-5)), deltaE_ciede2000(view.lab, lab)[where].mean()])


def print_gains(views: Sequence[View], made: Coloured, of: Iterable[int], matched: bool) -> None:
    """Of photographs `of` the album, in both decodes: of their matching places, or of all that they show."""
    some = [i for i in of if not matched or made.matched[i].any()]
    for decode in DECODES:
        gains = []
        for i in some:
            cells = made.matched[i].reshape(SIZE // CELL, -1)
            where = np.kron(cells, np.ones((CELL, CELL), bool)) if matched else slice(None)
            gains.append(
                np.subtract(*(scores(views[i], one[i][decode], where) for one in (made.told, made.plain)))
            )
        psnr, ciede = zip(*gains, strict=True)
        places = "places that match" if matched else "all of them"
        print(f"  {decode}, {places} of {len(some)}: PSNR {mean(psnr)} dB, CIEDE2000 {mean(ciede)}")


def print_apart(name: str, made: Coloured, pairs: Sequence[Pair]) -> None:
    """How far apart the colours of pairs of places are."""
    for decode in DECODES:
        far = []
        for all_of_them in (made.plain, made.told):
            cells = [pooled(ab[decode], CELL).reshape(-1, 2) for ab in all_of_them]
            each = [
                np.linalg.norm(cells[i][here] - cells[j][there], axis=-1).mean()
                for i, here, j, there in pairs
            ]
            far.append(np.mean(each))
        change = 100 * (far[1] / far[0] - 1)
        print(f"  {decode}, {name}: {far[0]:.2f} ab apart without, {far[1]:.2f} with ({change:+.0f} %)")


def corresponding(views: Sequence[View], i: int, j: int) -> Pair:
    """Cells of the one and the nearest of the other, less than half a cell away."""
    far = np.linalg.norm(views[i].at.reshape(-1, 1, 2) - views[j].at.reshape(1, -1, 2), axis=-1)
    here = np.flatnonzero(far.min(1) < CELL / 2)
    return i, here, j, far.argmin(1)[here]


def measure_groups(groups: list[list[View]], make: Maker) -> None:
    """Gains where places match; disagreement."""
    views = list(itertools.chain(*groups))
    made = make(views)
    print(f"groups: {len(views)} views of {len(groups)} photographs")
    print_gains(views, made, range(len(views)), matched=True)
    ends = [(g + a, g + b) for g in range(0, len(views), 3) for a, b in ((0, 1), (0, 2), (1, 2))]
    pairs = [corresponding(views, *one) for one in ends]
    print_apart("all places that correspond", made, [pair for pair in pairs if len(pair[1])])
    print_apart("places that match", made, made.pairs)


def measure_classes(files: list[pathlib.Path], make: Maker) -> None:
    """An album a class."""
    with open(files[0].parent / "manifest.csv", newline="") as table:
        repo_of = {row["file"]: row["source_repo"] for row in csv.DictReader(table)}
    rng = np.random.default_rng(0)
    for repo, count in Counter(repo_of[path.name] for path in files).most_common():
        if count < FEWEST:
            continue
        views = [make_views(path, rng)[0] for path in files if repo_of[path.name] == repo]
        made = make(views)
        print(
            f"class {repo}: {count} photographs, {sum(not one.any() for one in made.matched)} match nothing"
        )
        print_gains(views, made, range(count), matched=True)
        print_gains(views, made, range(count), matched=False)
        print_apart("places that match", made, made.pairs)


def measure_hints(groups: list[list[View]], make: Maker) -> None:
    """The two other views, where the first is known."""
    views = list(itertools.chain(*groups))
    first = range(0, len(views), 3)
    others = [i for i in range(len(views)) if i % 3]
    print(f"hints: {len(others)} views whose photograph's first view is known")
    known = {
        "nothing": {},
        "three hints": {i: with_hints(views[i], i) for i in first},
        "colour": dict.fromkeys(first),
    }
    for name, one in known.items():
        made = make(views, one)
        for decode in DECODES:
            gains = np.array([scores(views[i], made.told[i][decode])[0] for i in others])
            plain = np.array([scores(views[i], made.plain[i][decode])[0] for i in others])
            print(
                f"  {decode}, {name} known: {gains.mean():.2f} dB, {mean(gains - plain)} to each alone",
                flush=True,
            )


def measure_unrelated(groups: list[list[View]], make: Maker) -> None:
    """One view of each."""
    views = [some[0] for some in groups]
    made = make(views)
    print(f"unrelated: {len(views)} photographs, {sum(not one.any() for one in made.matched)} match nothing")
    print_gains(views, made, range(len(views)), matched=False)
    hinted = {i: with_hints(views[i], i) for i in range(0, len(views), 4)}
    made = make(views, hinted)
    print("  with three hints on every fourth, the others:")
    print_gains(views, made, [i for i in range(len(views)) if i not in hinted], matched=False)


def with_hints(view: View, number: int) -> Recipe:
    """Three true ones."""
    hint_ab, mask = protocol_hints(view.lab[..., 1:], f"album/{number}", 3)
    points = np.argwhere(mask[::2, ::2])
    return Recipe(
        tuple(Point(2 * x + 1, 2 * y + 1, tuple(hint_ab[2 * y, 2 * x].tolist())) for y, x in points)
    )


def mean(values: Iterable[float]) -> str:
    """With its standard error."""
    values = np.array(list(values))
    return f"{values.mean():+.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


if __name__ == "__main__":
    main()
