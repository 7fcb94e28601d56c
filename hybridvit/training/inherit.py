"""A run that begins with given weights: `config.init_from` names a run's folder, or what `load_weights` takes."""

import pathlib
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.color.bins import NUM_BINS
from hybridvit.inference.hub import WEIGHTS_FILE, is_on_hub
from hybridvit.inference.weights import PRETRAINED, load_weights
from hybridvit.runtime.checkpoint import Checkpoints, resolve
from hybridvit.training.state import TrainState

INHERITED = ("name", "variant", "hints")  # what of the section `model` a weights file decides


def inherit_model(config: ConfigDict) -> ConfigDict:
    """The config with the model that `config.init_from` holds, if that is a weights file; raises as `load_weights`."""
    if not is_weights_file(config.init_from):
        return config
    model = load_weights(config.init_from).model
    config = config.copy_and_resolve_references()
    config.model.update({name: model[name] for name in INHERITED})
    return config


def load_initial(config: ConfigDict, abstract: TrainState) -> tuple[Any, Array, str]:
    """(weights, bin prior, what they are) of `config.init_from`, placed as `abstract` says.

    Raises ValueError or FileNotFoundError, one line, if there is none, or of another model.
    """
    if not is_weights_file(config.init_from):
        folder, step = resolve(config.init_from)
        with Checkpoints(folder) as source:
            ema, run = source.restore_part(step, "ema", abstract.ema)
            prior, _ = source.restore_part(step, "bin_prior", abstract.bin_prior)
        return ema, prior, f"the EMA weights of {config.init_from} at step {run['step']}"
    weights = load_weights(config.init_from)
    prior = prior_of(weights.log_rarity, config.bins.uniform_mix)
    placed = jax.tree.map(
        lambda new, old: jax.device_put(new, old.sharding),
        (weights.params, prior),
        (abstract.ema, abstract.bin_prior),
    )
    return *placed, weights.name


def prior_of(log_rarity: Float[np.ndarray, "313"] | None, uniform_mix: float) -> Float[np.ndarray, "313"]:
    """The prior whose `rebalancing_weights` these are the logs of; uniform where nothing is said of it."""
    if log_rarity is None:
        return np.full(NUM_BINS, 1 / NUM_BINS, np.float32)
    mixed = np.exp(-log_rarity.astype(np.float64))
    mixed /= mixed.sum()
    prior = np.maximum(mixed - uniform_mix / NUM_BINS, 0) if uniform_mix < 1 else np.ones(NUM_BINS)
    return (prior / prior.sum()).astype(np.float32)


def is_weights_file(name: str) -> bool:
    """Whether it names weights rather than a run."""
    path = pathlib.Path(name)
    weights_folder = (path / WEIGHTS_FILE).is_file()
    return name == PRETRAINED or is_on_hub(name) or path.suffix == ".safetensors" or weights_folder
