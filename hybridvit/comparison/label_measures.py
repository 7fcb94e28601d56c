"""What a run learnt, measured on pictures that it has not seen, as they are and aged.

The checkpoint with the best validation score speaks for the run. Two numbers are fitted on its validation pictures, so
that no run is punished for what a user would set right: a temperature of its distribution, and a scale of its chroma,
without which PSNR is won by being gray. Then, on the test pictures: the log-likelihood of the true bins, plain and
class-balanced (`likelihood`); PSNR, CIEDE2000 and colorfulness of the scaled chroma under the true luma, also where the
network was given an aged one, by training's ageing or by one that no run has seen; the calibration error
(`calibration`) before and after the temperature.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from ml_collections import ConfigDict
from scipy.optimize import minimize_scalar

from hybridvit.augment.degrade import degrade
from hybridvit.color.bins import pool
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.data.pipeline import EvalPictures, make_eval_pictures
from hybridvit.measures import metrics
from hybridvit.measures.calibration import fit_temperature, reliability
from hybridvit.measures.likelihood import LIKELIHOODS, Cells, score_cells, summarize, true_bins
from hybridvit.objectives.bin_cross_entropy import log_rarity
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.state import Networks, abstract_state, build_networks

CONDITIONS = ("clean", "aged", "unseen")  # unseen: an ageing with other parameters than training's
SCALES = (0.2, 3.0)  # of the chroma, to choose from


class Answers(NamedTuple):
    """Of a set of pictures, on the host."""

    luma: Float[np.ndarray, "n s s 1"]  # of the picture, also where the network was given another
    truth: Float[np.ndarray, "n s s 2"]
    chroma: Float[np.ndarray, "n s s 2"]
    logits: Float[np.ndarray, "n s8 s8 313"]  # without the weights of the bin loss

    @property
    def flat_logits(self) -> Float[np.ndarray, "cells 313"]:
        return self.logits.reshape(-1, self.logits.shape[-1])

    @property
    def cells_ab(self) -> Float[np.ndarray, "cells 2"]:
        """The true colour of each cell, CIE units."""
        return np.asarray(pool(jnp.asarray(self.truth))).reshape(-1, 2) * CHROMA_SCALE

    @property
    def cells_bin(self) -> Int[np.ndarray, "cells"]:
        return np.asarray(true_bins(jnp.asarray(self.truth))).ravel()


def measure_labels(config: ConfigDict, test: ConfigDict, folder: pathlib.Path) -> dict[str, Any]:
    """JSON of the run in `folder`, whose config is given; what it is measured on stands in `test`."""
    networks, mesh = build_networks(config), build_mesh(1, jax.devices()[:1])
    with Checkpoints(folder / "checkpoints", best_metric=config.train.best_metric) as checkpoints:
        step = checkpoints.best_step
        abstract = abstract_state(networks, mesh)
        variables, _ = checkpoints.restore_part(step, "ema", abstract.ema)
        prior, _ = checkpoints.restore_part(step, "bin_prior", abstract.bin_prior)
    answer = make_answer(networks, config, (variables, prior))
    validation = answer(make_eval_pictures(config.data, config.eval.image_size, config.eval.view))
    temperature = fit_temperature(validation.flat_logits, validation.cells_bin)
    scale = fit_scale(validation, networks)
    data = config.data.copy_and_resolve_references()
    data.update(test.data)
    pictures = make_eval_pictures(data, config.eval.image_size, config.eval.view)
    radius = config.consistency.radius
    ageings = {"clean": None, "aged": test.degrade, "unseen": test.unseen}
    measured = {
        condition: measure(answer(pictures, ageings[condition]), networks, temperature, scale, radius)
        for condition in CONDITIONS
    }
    return measured | {
        "step": step,
        "pictures": len(pictures),
        "temperature": temperature,
        "scale": scale,
    }


def make_answer(networks: Networks, config: ConfigDict, weights: tuple[Any, Any]) -> Any:
    """`answer(pictures, ageing=None) -> Answers`, without hints; the ageing of a picture depends on its place alone."""

    @jax.jit
    def examine(pictures: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        examined = networks.task.examine(jax.random.split(key, len(pictures)), pictures / 255)
        return examined.luma, examined.target

    @jax.jit
    def run(weights: tuple[Any, Any], given: jax.Array) -> tuple[jax.Array, jax.Array]:
        variables, prior = weights
        prediction = networks.generate(variables, given, None)
        return prediction.chroma, prediction.bins - log_rarity(prior, config.bins)

    def answer(pictures: EvalPictures, ageing: ConfigDict | None = None) -> Answers:
        age = jax.jit(functools.partial(degrade, config=ageing)) if ageing else lambda key, luma: luma
        parts, size = [], config.eval.batch_size
        for number, start in enumerate(range(0, len(pictures), size)):
            pixels = np.stack([pictures[i][1] for i in range(start, min(start + size, len(pictures)))])
            short = size - len(pixels)
            filled = np.concatenate([pixels, np.zeros((short, *pixels.shape[1:]), np.uint8)])
            key = jax.random.fold_in(jax.random.key(0), number)
            luma, truth = examine(filled.astype(np.float32), key)
            found = luma, truth, *run(weights, age(key, luma))
            parts.append([np.asarray(x)[: len(pixels)] for x in found])
        return Answers(*(np.concatenate(x) for x in zip(*parts, strict=True)))

    return answer


def fit_scale(answers: Answers, networks: Networks) -> float:
    """The factor of the chroma with the best mean PSNR."""
    draw = jax.jit(networks.task.draw)
    truth = metrics.to_uint8_grid(draw(answers.luma, answers.truth))

    def loss(scale: float) -> float:
        return -float(
            np.mean(metrics.psnr(metrics.to_uint8_grid(draw(answers.luma, scale * answers.chroma)), truth))
        )

    return float(minimize_scalar(loss, bounds=SCALES, method="bounded", options={"xatol": 0.01}).x)


def measure(
    answers: Answers, networks: Networks, temperature: float, scale: float, radius: float
) -> dict[str, float]:
    """Means over pictures, or cells, of one condition."""
    draw = jax.jit(networks.task.draw)
    rgb = metrics.to_uint8_grid(draw(answers.luma, scale * answers.chroma))
    truth = metrics.to_uint8_grid(draw(answers.luma, answers.truth))
    cells = score_cells(jnp.asarray(answers.logits) / temperature, jnp.asarray(answers.truth))
    found = {
        **dict(zip(LIKELIHOODS, summarize(Cells(*cells)).values(), strict=True)),
        "psnr": metrics.psnr(rgb, truth),
        "ciede2000": metrics.mean_ciede2000(rgb, truth),
        "colorfulness": metrics.colorfulness(rgb),
        "colorfulness_truth": metrics.colorfulness(truth),
    }
    errors = {
        name: reliability(answers.flat_logits, answers.cells_ab, radius, value).error
        for name, value in (("calibration_error_before", 1.0), ("calibration_error", temperature))
    }
    return {name: float(np.mean(value)) for name, value in found.items()} | errors
