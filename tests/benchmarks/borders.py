"""How near a photograph inside a border comes to the same without one, and how many are cut that have none.

    python -m tests.benchmarks.borders --photos FOLDER [--count 40]

Prints, for kinds and widths of borders: the share of photographs whose inside is found to 2 px, the mean CIEDE2000
between the photograph inside the border and the same coloured without it, and the mean chroma of the border; with
--borders off beside it. And from which photographs something is cut as they are.
"""

import argparse
import io
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.color import deltaE_ciede2000, rgb2lab

import hybridvit
from hybridvit.photo.borders import find_inside
from hybridvit.photo.photo import read_photo
from hybridvit.photo.profile import to_depth

WIDTHS = (
    0.05,
    0.1,
    0.2,
    0.3,
)  # of the photograph's height above and below, of its width on the left and right


def plain(gray: np.ndarray, share: float, tone: int) -> tuple[np.ndarray, tuple[int, int]]:
    """A border of one tone, and where the photograph lies in it."""
    down, across = (max(2, round(size * share)) for size in gray.shape)
    return np.pad(gray, ((down, down), (across, across)), constant_values=tone), (down, across)


def white(gray: np.ndarray, share: float) -> tuple[np.ndarray, tuple[int, int]]:
    return plain(gray, share, 245)


def black(gray: np.ndarray, share: float) -> tuple[np.ndarray, tuple[int, int]]:
    return plain(gray, share, 8)


def paper(gray: np.ndarray, share: float) -> tuple[np.ndarray, tuple[int, int]]:
    """With the paper's grain, saved as JPEG."""
    framed, place = plain(gray, share, 236)
    noisy = framed + np.random.default_rng(0).normal(0, 3, framed.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file)), place


def captioned(gray: np.ndarray, share: float) -> tuple[np.ndarray, tuple[int, int]]:
    """With a line of text below."""
    framed, place = plain(gray, max(share, 0.1), 245)
    image = Image.fromarray(framed)
    font = ImageFont.load_default(size=max(10, place[0] // 3))
    text = "The harbour from the north, 12 August 1931. No. 217"
    ImageDraw.Draw(image).text((place[1] + 5, place[0] + len(gray) + place[0] // 3), text, fill=25, font=font)
    return np.asarray(image), place


def mounted(gray: np.ndarray, share: float) -> tuple[np.ndarray, tuple[int, int]]:
    """A print with a narrow white border, on a gray mount."""
    framed, inner = plain(gray, 0.03, 250)
    mount, outer = plain(framed, share, 150)
    return mount, (inner[0] + outer[0], inner[1] + outer[1])


def film(gray: np.ndarray, share: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Between two rows of perforations."""
    down, across = round(len(gray) * 0.2), max(3, round(gray.shape[1] * 0.05))
    strip = np.pad(gray, ((down, down), (across, across)), constant_values=6)
    pitch = max(8, round(len(gray) * 0.19))
    for x in range(4, strip.shape[1] - pitch // 2, pitch):
        for y in (round(down * 0.3), len(strip) - round(down * 0.78)):
            strip[y : y + round(down * 0.48), x : x + round(pitch * 0.42)] = 250
    return strip, (down, across)


KINDS = (white, black, paper, captioned, mounted, film)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--weights", default="pretrained")
    options = parser.parse_args()
    paths = sorted(path for path in options.photos.iterdir() if path.suffix in (".jpg", ".png", ".tif"))
    found = {path: find_inside(to_depth(read_photo(path).pixels, np.dtype(np.uint8))) for path in paths}
    cut = {path.name: inside for path, inside in found.items() if inside}
    print(f"as they are: something is cut from {len(cut)} of {len(found)}: {', '.join(sorted(cut))}")
    colorizer = hybridvit.load(options.weights)
    chosen = [path for path in paths if found[path] is None]
    chosen = chosen[:: max(1, len(chosen) // options.count)][: options.count]
    for kind in KINDS:
        for share in WIDTHS if kind is not film else (0.2,):
            rows = [measure(colorizer, gray_of(path), kind, share) for path in chosen]
            exact, inside, border, off_inside, off_border = map(np.array, zip(*rows, strict=True))
            print(
                f"{kind.__name__:10} {share:4.0%}  found {exact.mean():6.1%}  CIEDE2000: mean {inside.mean():.2f}, "
                f"90 % {np.quantile(inside, 0.9):.2f}, most {inside.max():.2f}; chroma of the border: most "
                f"{border.max():.2f}  | off: inside {off_inside.mean():.2f}, border {off_border.mean():.2f}",
                flush=True,
            )


def gray_of(path: pathlib.Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


def measure(colorizer, gray, kind, share) -> tuple[bool, float, float, float, float]:
    """Found; CIEDE2000 inside and chroma of the border; the same two with borders off."""
    framed, (top, left) = kind(gray, share)
    height, width = gray.shape
    box = np.s_[top : top + height, left : left + width]
    alone = rgb2lab(colorizer.colorize(np.ascontiguousarray(framed[box])).rgb)
    inside = find_inside(framed[..., None])
    exact = inside is not None and max(
        abs(inside.top - top),
        abs(inside.left - left),
        abs(inside.top + inside.height - top - height),
        abs(inside.left + inside.width - left - width),
    ) <= 2  # fmt: skip
    measured = []
    for borders in ("auto", "off"):
        lab = rgb2lab(colorizer.colorize(framed, borders=borders).rgb)
        outside = np.ones(framed.shape, bool)
        outside[box] = False
        chroma = np.linalg.norm(lab[..., 1:], axis=-1)[outside].mean()
        measured += [deltaE_ciede2000(lab[box], alone).mean(), chroma]
    return exact, *measured


if __name__ == "__main__":
    main()
