"""Which places of photographs show things alike: what the encoder sees there, and how two photographs are matched.

A photograph is described at the model's view by a vector for each cell of 16 px, less the mean of such vectors over the
photographs that scikit-image brings, and of length 1: so the likeness of two places, their cosine, depends on nothing
but the two. Places of two photographs match that are most like each other, both ways (mutual nearest neighbours), and
like enough. LEAST was chosen on views of photographs with known geometry (crops, mirrored, relit): half of what two
views share is found, 87 % of it within a cell and a quarter of its place.
"""

import functools
import importlib.resources
import json
import pathlib
from typing import NamedTuple

import numpy as np
import skimage
from jaxtyping import Float, Int
from PIL import Image

from hybridvit.inference.composition import lightness
from hybridvit.inference.predictor import Predict, Predictor
from hybridvit.inference.weights import PRETRAINED, load_weights

CELL = 16  # px of the view
VIEW = 256  # px, the shorter side of the view in which places are compared
FEWEST = 3  # matched places of two photographs; with fewer they have nothing in common
MANY = 0.2  # of the smaller photograph's places: so many match of two that show the same
ENOUGH = 0.5  # of 1: the likeness from which on places match of two that have many
LEAST = 0.6  # of 1: the likeness from which on two places match

_TYPICAL = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "coins.png", "moon.png")

_KEPT = importlib.resources.files("hybridvit") / "pretrained" / "typical.json"


class Described(NamedTuple):
    """What is seen of a photograph: vectors of length 1; and what the model says of it, as a `Predictor` does."""

    places: Float[np.ndarray, "rows columns d"]
    mean: Float[np.ndarray, "h w 2"]
    logits: Float[np.ndarray, "h8 w8 313"]


class Matches(NamedTuple):
    """Places of two photographs, counted row by row, that match; and how like they are, LEAST..1."""

    first: Int[np.ndarray, " n"]
    second: Int[np.ndarray, " n"]
    likeness: Float[np.ndarray, " n"]


class Describer:
    """Describes views; raises ValueError if the weights have no encoder that sees things, or no distribution.

    With the programs of the predictor that colours them: none is compiled for this alone.
    """

    def __init__(self, predictor: Predict):
        if not (isinstance(predictor, Predictor) and predictor.describes and predictor.has_distribution):
            raise ValueError(
                f"{predictor.name} does not say what is alike and which colours are likely: "
                "use a HybridConvViT's weights"
            )
        self._predictor = predictor

    def __call__(self, L: Float[np.ndarray, "h w"]) -> Described:
        """Of a view, 0..100."""
        mean, _, logits = self._predictor(L[None])
        assert logits is not None
        return Described(unit(self._places(L) - self._typical), mean[0], logits[0])

    def _places(self, L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "rows columns d"]:
        height, width = L.shape
        return self._predictor.describe(L)[: -(-height // CELL), : -(-width // CELL)]

    @functools.cached_property
    def _typical(self) -> Float[np.ndarray, " d"]:
        kept = json.loads(_KEPT.read_bytes())
        if kept["weights_sha256"] != self._predictor.digest:
            return self.typical()
        return np.float32(kept["mean"])

    def typical(self) -> Float[np.ndarray, " d"]:
        """The mean of what is seen of the photographs that scikit-image brings."""
        return np.mean([self._places(L).mean((0, 1)) for L in map(_bundled, _TYPICAL)], 0)


def unit(x: Float[np.ndarray, "*n d"]) -> Float[np.ndarray, "*n d"]:
    """Vectors of length 1 of the same directions."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-6)


def pooled_logarithms(logits: Float[np.ndarray, "h8 w8 313"]) -> Float[np.ndarray, "rows columns 313"]:
    """Of the bins' mean probabilities in each cell of CELL px, from logits for cells of 8."""
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return np.log(np.maximum(pooled(exps / exps.sum(-1, keepdims=True)), 1e-9))


def pooled(x: Float[np.ndarray, "h w c"], factor: int = 2) -> Float[np.ndarray, "rows columns c"]:
    """Means over squares of `factor`, of which the last ones may be cut."""
    height, width, channels = x.shape
    x = np.pad(x, ((0, -height % factor), (0, -width % factor), (0, 0)), mode="edge")
    return x.reshape(len(x) // factor, factor, x.shape[1] // factor, factor, channels).mean((1, 3))


def match(first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "m d"]) -> tuple[int, Matches, Matches]:
    """Matching places of two photographs, of which `first` and `second` are the vectors; none if they are few.

    How many match both ways, and the matches as seen from either. Of photographs that have many, these are of all
    places of the one that something in the other is like enough: one may show larger what the other shows, too.
    """
    alike = first @ second.T
    there, back = alike.argmax(1), alike.argmax(0)
    own, other = np.arange(len(first)), np.arange(len(second))
    near, far = alike[own, there], alike[back, other]
    mutual = (back[there] == own) & (near >= LEAST)
    count = int(mutual.sum())
    if count < FEWEST:
        mutual[:], count = False, 0
    if count >= MANY * min(len(first), len(second)):
        here, from_there = np.flatnonzero(near >= ENOUGH), np.flatnonzero(far >= ENOUGH)
    else:
        here = np.flatnonzero(mutual)
        from_there = there[here]
    return (
        count,
        Matches(here, there[here], near[here]),
        Matches(from_there, back[from_there], far[from_there]),
    )


def summary(places: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """One vector of length 1 for all of a photograph: photographs alike in it are looked at place by place."""
    return unit(places.mean(0))


def _bundled(name: str) -> Float[np.ndarray, "h w"]:
    with Image.open(pathlib.Path(skimage.__file__).parent / "data" / name) as image:
        square = min(image.size)
        left, top = ((n - square) // 2 for n in image.size)
        rgb = image.convert("RGB").resize((VIEW, VIEW), box=(left, top, left + square, top + square))
    return np.asarray(lightness(np.asarray(rgb)))


if __name__ == "__main__":
    released = load_weights(PRETRAINED)
    mean = [round(float(x), 6) for x in Describer(Predictor(released)).typical()]
    pathlib.Path(str(_KEPT)).write_text(json.dumps({"weights_sha256": released.digest, "mean": mean}) + "\n")
