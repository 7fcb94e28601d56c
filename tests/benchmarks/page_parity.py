"""How far the colours of the exported page are from Python's, on photographs, with and without hints.

    python -m tests.benchmarks.page_parity [--photos FOLDER] [--count 10] [--side 900]

The page is exported with the pretrained weights (or is at `--site`), its engine runs in Chromium by WebAssembly at the
default settings. CIEDE2000 is between its pictures and those of `Colorizer.open(photo).picture(recipe)`: at the 99th
percentile of a picture's pixels, and the most. Beside: the largest difference of the doubt map; whether the five
likeliest colours at a place and the places proposed next are the same; the time for new colours (the model and what is
made of it) and for the picture. Photographs are made gray, and at most `--side` px.
"""

import argparse
import contextlib
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
import skimage
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

import hybridvit
from hybridvit.export.web_page import save_web_page
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.suggestions import likely_colors
from hybridvit.inference.weights import load_weights
from hybridvit.photo.photo import photo_of
from tests.page_engine import BUNDLED, PLACE, PageEngine, hinted, recipe_of
from tests.static_site import serve
from tests.studio.browsing import open_browser


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--photos", type=pathlib.Path, help="a folder; scikit-image's own pictures without it"
    )
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--side", type=int, default=900, help="px")
    parser.add_argument("--site", type=pathlib.Path, help="an exported page, of the pretrained weights")
    options = parser.parse_args(arguments)
    colorizer = hybridvit.load()
    with contextlib.ExitStack() as stack:
        site = options.site
        if site is None:
            site = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()), "site")
            save_web_page(load_weights("pretrained"), site)
        browser = stack.enter_context(open_browser())
        engine = PageEngine(browser.new_page(), stack.enter_context(serve(site)).address)
        farthest = {}
        for path in photographs(options.photos, options.count):
            with Image.open(path) as opened:
                gray = opened.convert("L")
            gray.thumbnail((options.side, options.side))
            pixels = np.asarray(gray)[..., None]
            height, width, _ = pixels.shape
            canvas = colorizer.open(photo_of(pixels))
            for kind, said in (("without hints", {"hints": []}), ("with hints", hinted(width, height))):
                recipe = recipe_of(said, width, height)
                page = engine.run(pixels, said, asks=True)
                distance = deltaE_ciede2000(rgb2lab(page["picture"]), rgb2lab(canvas.picture(recipe)))
                p99 = float(np.percentile(distance, 99))
                likely = likely_colors(canvas, recipe, PLACE[0] * width, PLACE[1] * height)
                following = next_hints(canvas, recipe)
                doubt = np.abs(page["doubt"] - canvas.doubt(recipe)).max()
                same_colors = [one["color"] for one in page["likely"]] == [one.color for one in likely]
                places = [(round(one["x"]), round(one["y"])) for one in page["next"]]
                same_places = places == [(round(one.x), round(one.y)) for one in following]
                print(
                    f"{path.stem:24} {kind:13}  CIEDE2000 99 % {p99:.3f}, most {distance.max():.2f}; "
                    f"doubt {doubt:.4f}, likeliest {'same' if same_colors else 'OTHERS'}, "
                    f"next {'same' if same_places else 'OTHERS'}; "
                    f"colours {page['times'][0]:.0f} ms, picture {page['times'][1]:.0f} ms",
                    flush=True,
                )
                farthest.setdefault(kind, []).append((p99, page["times"]))
    for kind, found in farthest.items():
        times = np.median([times for _, times in found], axis=0)
        print(
            f"{len(found)} photographs {kind}: 99 % at most {max(p99 for p99, _ in found):.3f}, "
            f"median {times[0]:.0f} ms for the colours and {times[1]:.0f} ms for the picture"
        )


def photographs(folder: pathlib.Path | None, count: int) -> list[pathlib.Path]:
    """So many of a folder, or of those that come with scikit-image."""
    if folder is None:
        data = pathlib.Path(skimage.__file__).parent / "data"
        return [next(data.glob(f"{name}.*")) for name in BUNDLED[:count]]
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[
        :count
    ]


if __name__ == "__main__":
    main()
