"""The engine of the page that colours by itself, run in a browser on pictures and recipes as Python has them."""

import base64
import json
import os
import pathlib
import shutil
from typing import Any

import numpy as np
import pytest

from hybridvit.export.web_model import write_model
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.sidecar import parse_hints
from hybridvit.inference.weights import Weights, load_weights, save_weights
from hybridvit.studio.static_files import STATIC

BUNDLED = (  # photographs that scikit-image brings, gray and in colour
    "astronaut",
    "chelsea",
    "coffee",
    "rocket",
    "camera",
    "motorcycle_left",
    "clock_motion",
    "coins",
    "ihc",
    "moon",
)
PLACE = (0.45, 0.35)  # of the width and the height: whose likeliest colours are asked for
_RUN = """async ({ data, width, height, channels, recipe, asks }) => {
    const { createEngine, createPainter } = await import("/js/local/engine.js");
    const { recipeOf } = await import("/js/recipe.js");
    window.engine ??= await createEngine({ base: new URL("/", location.href), onProgress() {}, onChange() {} });
    const pixels = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const base64 = (values) => {
        const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        let text = "";
        for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
        return btoa(text);
    };
    const canvas = window.engine.open({ width, height, channels, pixels });
    const said = recipeOf(recipe);
    const begun = performance.now();
    const { ab, ...view } = await canvas.chroma(said);
    const colored = performance.now();
    const small = { ab, L: canvas.lightness(said.settings), ...view };
    const levels = [{ width, height, channels, data: pixels }];
    const painter = createPainter(levels, 0, said, small, canvas.inside(said.settings));
    const picture = painter.tile(0, 0, height, width);
    const times = [colored - begun, performance.now() - colored];
    const answer = { picture: base64(picture), times };
    if (!asks) return answer;
    const doubt = await canvas.doubt(said);
    const [hint] = said.hints;
    const reach = hint && (await canvas.reachOf(hint, said.settings));
    return {
        ...answer,
        likely: await canvas.likelyColors(said, asks.x, asks.y, 5),
        next: await canvas.nextHints(said, 3),
        doubt: [base64(doubt.doubt), doubt.height, doubt.width],
        reach: reach && [base64(reach.weight), reach.height, reach.width],
    };
}"""


def hinted(width: int, height: int) -> dict[str, Any]:
    """A recipe as a sidecar says it, with hints of all forms, reaches and strengths."""
    w, h = width, height
    return {
        "hints": [
            {"type": "point", "x": 0.3 * w, "y": 0.4 * h, "color": "#b03020"},
            {
                "type": "stroke",
                "points": [[0.6 * w, 0.6 * h], [0.8 * w, 0.7 * h]],
                "width": w / 40,
                "color": "#2050a0",
            },
            {
                "type": "region",
                "polygon": [[0.1 * w, 0.1 * h], [0.3 * w, 0.1 * h], [0.2 * w, 0.25 * h]],
                "color": "#40a040",
                "strength": 0.6,
                "reach": 0.3,
            },
            {"type": "point", "x": 0.7 * w, "y": 0.2 * h, "color": "#8098c0", "reach": 1},
        ]
    }


def recipe_of(said: dict[str, Any], width: int, height: int) -> Recipe:
    """The same as Python reads it."""
    sidecar = {"version": 2, "picture": {"width": width, "height": height}, **said}
    return parse_hints(json.dumps(sidecar)).recipe


def as_released(weights: Weights, folder: pathlib.Path) -> Weights:
    """The same by way of a file of weights, whose kernels are float16, as they are in the page's."""
    save_weights(weights, folder / "weights.safetensors")
    return load_weights(folder / "weights.safetensors")


class PageEngine:
    """On a browser's page at the address of an exported folder."""

    def __init__(self, page: Any, address: str):
        self._page = page
        page.goto(f"{address}model.json")

    def runs_on(self) -> dict[str, Any]:
        """What runs the model, and why it is not the graphics processor."""
        return self._page.evaluate("window.engine.runsOn")

    def run(self, pixels: np.ndarray, said: dict[str, Any], asks: bool = False) -> dict[str, Any]:
        """Colours uint8 [h, w, c] by a sidecar's recipe.

        Returns `picture`, uint8 [h, w, 3]; `times`, ms for the colours and for the picture of them; and if `asks`, what
        the page shows beside: `likely` and `next` as JSON, `doubt` and `reach` (of the first hint) as float32 [rows,
        columns].
        """
        height, width, channels = pixels.shape
        given = {"width": width, "height": height, "channels": channels, "recipe": said}
        given["data"] = base64.b64encode(pixels.tobytes()).decode()
        given["asks"] = {"x": PLACE[0] * width, "y": PLACE[1] * height} if asks else None
        got = self._page.evaluate(_RUN, given)
        rgba = np.frombuffer(base64.b64decode(got["picture"]), np.uint8).reshape(height, width, 4)
        for name in ("doubt", "reach"):
            if got.get(name):
                data, *shape = got[name]
                got[name] = np.frombuffer(base64.b64decode(data), np.float32).reshape(shape)
        return {**got, "picture": rgba[..., :3]}


def write_scripts(weights: Weights, folder: pathlib.Path) -> None:
    """The page's scripts with this model; skips the test where onnxruntime-web cannot be had."""
    if not (os.environ.get("HYBRIDVIT_ONNXRUNTIME_WEB") or shutil.which("npm")):
        pytest.skip("no onnxruntime-web: install npm, or name its file in HYBRIDVIT_ONNXRUNTIME_WEB")
    shutil.copytree(STATIC / "js", folder / "js")
    try:
        write_model(weights, folder)
    except OSError as error:
        pytest.skip(str(error))
