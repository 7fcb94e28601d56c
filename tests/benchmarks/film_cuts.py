"""What one look over the cuts gains: two shots of one scene, a reference of it, and shots that have nothing in common.

    python -m tests.benchmarks.film_cuts --photos FOLDER --count 24 --json docs/results/film_cuts.json

Of each photograph there are two frames that overlap: a wide one, and one nearer, elsewhere and darker, as over a cut.

- disagreement, ab units: between the two frames' colours of the same place, where both see it.
- PSNR, dB: of the nearer frame.
- reference: the same, with the wide frame's true colours given as a reference photograph, as `--references`.
- unrelated: each photograph beside the next one.
"""

import json
import pathlib
import tempfile

import cv2
import numpy as np
from absl import app, flags
from PIL import Image
from skimage.color import rgb2lab

import hybridvit
from hybridvit.film.scenes import Scenes, Start
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.composition import compose
from hybridvit.inference.places import Describer
from hybridvit.photo.photo import photo_of

PHOTOS = flags.DEFINE_string("photos", None, "Folder of colour photographs.", required=True)
COUNT = flags.DEFINE_integer("count", 24, "Photographs.", lower_bound=2)
JSON = flags.DEFINE_string("json", None, "A table of docs/results, `measured` left to be filled in.")

HEIGHT, WIDTH = 256, 448
AT, NEARER, DARKER = (
    0.2,
    1.25,
    0.85,
)  # of the nearer frame: its corner in the wide one's sides, its zoom, its exposure


def frames(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """The wide one and the nearer one, in colour."""
    photo = np.asarray(Image.open(path).convert("RGB"))
    scale = max(1.2 * HEIGHT / photo.shape[0], 1.2 * WIDTH / photo.shape[1])
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = round(AT * HEIGHT), round(AT * WIDTH)
    near = photo[top : top + round(HEIGHT / NEARER), left : left + round(WIDTH / NEARER)]
    near = cv2.resize(near, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return photo[:HEIGHT, :WIDTH], (near * DARKER).astype(np.uint8)


def gray_of(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257


def apart(wide: np.ndarray, near: np.ndarray) -> float:
    """Between the chroma of the two frames, where both see."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    x, y = x / NEARER + AT * WIDTH, y / NEARER + AT * HEIGHT
    led = cv2.remap(wide, x, y, cv2.INTER_LINEAR)
    both = (x < WIDTH - 1) & (y < HEIGHT - 1)
    return float(np.linalg.norm(led - near, axis=-1)[both].mean())


def psnr(rgb: np.ndarray, ab: np.ndarray) -> float:
    out = np.asarray(compose(rgb2lab(rgb)[..., 0].astype(np.float32), ab, np.uint8)).astype(float)
    return float(10 * np.log10(255**2 / np.square(out - rgb).mean()))


def main(_: list[str]) -> None:
    colorizer = hybridvit.load("pretrained")
    describer = Describer(colorizer.predictor)
    recipe = Recipe(settings=Settings(borders="off"))
    files = sorted(f for f in pathlib.Path(PHOTOS.value).iterdir() if f.suffix in {".jpg", ".png"})
    made = [frames(f) for f in files[:: max(1, len(files) // COUNT.value)][: COUNT.value]]
    plain = [
        [Canvas(colorizer.predictor, photo_of(gray_of(one))).chroma(recipe) for one in pair] for pair in made
    ]

    def told(pictures: list[np.ndarray], plain: list[np.ndarray], references: tuple = ()) -> list[np.ndarray]:
        views = [gray_of(one) for one in pictures]
        starts = [Start(i, view, ()) for i, view in enumerate(views)]
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, reference in enumerate(references):
                paths.append(pathlib.Path(folder, f"reference{i}.png"))
                Image.fromarray(reference).save(paths[-1])
            scenes = Scenes(colorizer, describer, paths, recipe, starts, pathlib.Path(folder))
            shifts = [
                scenes.shift(i, view, recipe, ab)
                for i, (view, ab) in enumerate(zip(views, plain, strict=True))
            ]
        return [ab if shift is None else ab + shift for ab, shift in zip(plain, shifts, strict=True)]

    rows = []
    for i, ((wide, near), (before_wide, before)) in enumerate(zip(made, plain, strict=True)):
        other, before_other = made[(i + 1) % len(made)][0], plain[(i + 1) % len(made)][0]
        both = told([wide, near], [before_wide, before])
        referred = told([near], [before], (wide,))[0]
        beside = told([near, other], [before, before_other])[0]
        rows.append(
            (
                apart(before_wide, before), apart(*both), psnr(near, before), psnr(near, both[1]),
                psnr(near, referred), psnr(near, beside), (beside != before).any(),
            )
        )  # fmt: skip
        print(i, *(f"{value:.2f}" for value in rows[-1]), flush=True)
    found = np.array(rows, float)
    gain = {name: found[:, k] - found[:, 2] for k, name in ((3, "scene"), (4, "reference"), (5, "unrelated"))}
    table = [
        ["disagreement over the cut, ab: each shot by itself", found[:, 0].mean()],
        ["the same, one look over the cut", found[:, 1].mean()],
        ["PSNR that the nearer frame gains, dB: by the other frame", mean_of(gain["scene"])],
        ["by the other frame in colour, as a reference", mean_of(gain["reference"])],
        ["by a frame of something else", mean_of(gain["unrelated"])],
        ["frames beside something else that change at all, %", 100 * found[:, 6].mean()],
    ]
    for name, value in table:
        print(f"{name}: {value}")
    if JSON.value:
        columns = [{"name": f"{len(rows)} photographs"}, {"name": "mean", "digits": 2}]
        said = {"measured": {}, "columns": columns, "rows": table}
        pathlib.Path(JSON.value).write_text(json.dumps(said, indent=1) + "\n")


def mean_of(values: np.ndarray) -> list[float]:
    """With its standard error."""
    return [float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))]


if __name__ == "__main__":
    app.run(main)
