"""The methods without learning under the same protocol: a method in the place of the network's forward pass.

Transfer needs a reference photograph: each picture is given the training picture whose gray thumbnail is most like its
own. Levin's colours nothing without hints, and is measured with them only.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8
from ml_collections import ConfigDict
from scipy.spatial.distance import cdist

from hybridvit.classical.methods import METHODS, REFERENCED
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.comparison.cost import Cost, median_milliseconds
from hybridvit.data.pipeline import make_eval_pictures
from hybridvit.data.splits import build_training_streams
from hybridvit.data.transforms import center_square
from hybridvit.evaluate import make_evaluate
from hybridvit.hints.simulate import protocol_hints, to_hints
from hybridvit.inference.view import view_lightness
from hybridvit.models.prediction import Prediction
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.state import build_networks

NEEDS_HINTS = ("levin",)
REFERENCES = 200  # training pictures to choose from, evenly spread
THUMBNAIL = 8  # px, side


def evaluate_method(
    name: str, config: ConfigDict, hint_counts: Sequence[int]
) -> tuple[dict, list[UInt8[np.ndarray, "h w 3"]]]:
    """Report and grid rows as those of `make_evaluate`, of a method of METHODS."""
    networks = dataclasses.replace(build_networks(config), generate=make_generate(name, config))
    evaluate = make_evaluate(networks, config, build_mesh(1, jax.devices()[:1]))
    pictures = make_eval_pictures(config.data, config.eval.image_size, config.eval.view)
    with jax.disable_jit():  # methods compute on the host, with values
        return evaluate(None, None, pictures, usable_counts(name, hint_counts))


def usable_counts(name: str, hint_counts: Sequence[int]) -> tuple[int, ...]:
    """Numbers of hints with which the method does anything."""
    counts = tuple(count for count in hint_counts if count > 0 or name not in NEEDS_HINTS)
    return counts or tuple(hint_counts)


def measure_method(name: str, config: ConfigDict, hint_count: int) -> Cost:
    """Of one held-out picture, with hints if the method needs them."""
    picture_name, pixels = make_eval_pictures(config.data, config.eval.image_size, config.eval.view)[0]
    task = build_networks(config).task
    examined = task.examine(
        jax.random.split(jax.random.key(0), 1), jnp.asarray(pixels[None] / np.float32(255))
    )
    count = hint_count if name in NEEDS_HINTS else 0
    known = protocol_hints(np.asarray(examined.target[0]) * CHROMA_SCALE, picture_name, count)
    generate = make_generate(name, config)
    run = functools.partial(generate, None, examined.luma, jnp.asarray(to_hints(*known)[None]))
    return Cost(None, None, median_milliseconds(run))


def make_generate(name: str, config: ConfigDict) -> Callable[[Any, jax.Array, jax.Array | None], Prediction]:
    """`generate(variables, luma, hints)` as a network's in Lab, not to be traced; the variables are not looked at."""
    choose = make_choice(read_references(config)) if name in REFERENCED else lambda L: None

    def generate(variables: Any, luma: jax.Array, hints: jax.Array | None) -> Prediction:
        light = 50 * (np.asarray(luma)[..., 0] + 1)
        known = np.asarray(hints)
        ab = [
            METHODS[name](choose(L)).predict_ab(
                L[None], one[None, ..., :2] * CHROMA_SCALE, one[None, ..., 2] > 0
            )[0]
            for L, one in zip(light, known, strict=True)
        ]
        return Prediction(jnp.asarray(np.stack(ab)) / CHROMA_SCALE)

    return generate


def read_references(config: ConfigDict) -> UInt8[np.ndarray, "n s s 3"]:
    """Some of the labeled training pictures, as squares of the evaluation's size."""
    labeled, _ = build_training_streams(config.data, config.seed)
    count = min(len(labeled), REFERENCES)
    chosen = [labeled[i * len(labeled) // count] for i in range(count)]
    return np.stack([center_square(picture.convert("RGB"), config.eval.image_size) for picture in chosen])


def make_choice(
    references: UInt8[np.ndarray, "n s s 3"],
) -> Callable[[Float[np.ndarray, "h w"]], UInt8[np.ndarray, "s s 3"]]:
    """Lightness, 0..100, of a picture to the reference whose thumbnail of lightness is most like its own."""
    side = references.shape[1]
    thumbnails = np.stack([_thumbnail(view_lightness(one, side, side)) for one in references])

    def choose(L: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "s s 3"]:
        return references[cdist(_thumbnail(L)[None], thumbnails).argmin()]

    return choose


def _thumbnail(L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "n"]:
    rows = [part.mean(0) for part in np.array_split(L, THUMBNAIL)]
    return np.stack([part.mean(1) for part in np.array_split(np.stack(rows), THUMBNAIL, axis=1)]).ravel()
