"""The README's first picture: gray, coloured without hints, with ten hints at random places, and the truth.

    python -m tests.benchmarks.picture --output docs/colorized.png

Of photographs inside the scikit-image wheel, which the released weights were not trained on.
"""

import argparse

import numpy as np
from PIL import Image, ImageDraw
from skimage import data

import hybridvit
from hybridvit.data.transforms import center_square, to_gray
from hybridvit.hints.shapes import Point

NAMES = ("astronaut", "cat", "coffee", "rocket")
SIDE, HINTS, RADIUS = 256, 10, 4  # px


def row(colorizer: hybridvit.Colorizer, name: str, seed: int) -> np.ndarray:
    """The four pictures of one photograph side by side."""
    truth = center_square(Image.fromarray(getattr(data, name)()), SIDE)
    gray = to_gray(truth)[..., 0]
    places = np.random.default_rng(seed).integers(0, SIDE, (HINTS, 2))
    hints = [Point(int(x), int(y), "#{:02x}{:02x}{:02x}".format(*truth[y, x])) for x, y in places]
    hinted = Image.fromarray(colorizer.colorize(gray, hints).rgb)
    draw = ImageDraw.Draw(hinted)
    for x, y in places:
        draw.ellipse((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS), outline="white")
    free = colorizer.colorize(gray).rgb
    return np.concatenate([np.repeat(gray[..., None], 3, -1), free, np.asarray(hinted), truth], 1)


def main() -> None:
    """Draws and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--weights", default="pretrained")
    options = parser.parse_args()
    colorizer = hybridvit.load(options.weights)
    rows = [row(colorizer, name, seed) for seed, name in enumerate(NAMES)]
    Image.fromarray(np.concatenate(rows)).save(options.output)


if __name__ == "__main__":
    main()
