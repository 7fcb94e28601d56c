"""Released weights: a safetensors file that says what it is; and how a checkpoint becomes one.

    python -m hybridvit.inference.weights --checkpoint=runs/release-last --output=weights.safetensors

Kernels are stored as float16 under their paths ("blocks/block00/query/kernel"), vectors as float32; the file's metadata
hold the model's config and where the weights came from. Half precision changes predictions by less than 0.01 ab units.
"""

import argparse
import hashlib
import importlib.resources
import json
import os
import pathlib
import sys
from typing import Any, NamedTuple

import jax
import numpy as np
import safetensors
import safetensors.numpy
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Float
from ml_collections import ConfigDict

from hybridvit.color.bins import NUM_BINS, rebalancing_weights
from hybridvit.extras import needing
from hybridvit.inference.hub import WEIGHTS_FILE, checked_file, fetch_weights, is_on_hub
from hybridvit.models.generator import build_generator, join
from hybridvit.runtime.mesh import build_mesh, state_shardings

LOG_RARITY = "log_rarity"
FORMAT = "hybridvit-weights-1"
PRETRAINED = "pretrained"
PRETRAINED_FILE = "hybridvit-lite2.safetensors"


class Weights(NamedTuple):
    """`params` (float32 numpy leaves), the config's section `model`, a `name` and `digest`, sha256 in hex.

    `log_rarity` `[313]`: log of the weights of the bins in training. Taken off the logits, it gives back the bins'
    probabilities, in which training made rare colours likelier than they are. None: the bins were not trained.
    """

    params: Any
    log_rarity: Float[np.ndarray, "313"] | None
    model: ConfigDict
    name: str
    digest: str


def load_weights(path: str | os.PathLike) -> Weights:
    """Weights from "pretrained" (those that come with the package), a file, a hub, a folder, or a checkpoint's EMA.

    A file is .safetensors; a hub's address is hf://OWNER/NAME[@REVISION], a folder what `save_pretrained` wrote, both
    of which state a digest that is checked; a checkpoint is a work folder or one checkpoint in it. Raises OSError or
    ValueError, one line; ModuleNotFoundError for a hub's address without `pip install 'hybridvit[hub]'`, for a
    checkpoint without `hybridvit[train]`.
    """
    if is_on_hub(path):
        path = fetch_weights(str(path))
    elif str(path) == PRETRAINED:
        path = importlib.resources.files("hybridvit") / "pretrained" / PRETRAINED_FILE
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f"no weights at {path}: give a .safetensors file, a work folder (runs/x), hf://OWNER/NAME, or "
            f"{PRETRAINED!r}"
        )
    try:
        if (path / WEIGHTS_FILE).is_file():
            path = checked_file(path)
        weights = _from_checkpoint(path) if path.is_dir() else _from_file(path)
        # A place on the machine of the training, and of no use: the parameters hold what was there
        if "encoder_weights" in weights.model:
            weights.model.encoder_weights = ""
        return weights
    # Of JSON that is sound, but says other things than ours
    except (AttributeError, KeyError, RecursionError, TypeError, json.JSONDecodeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise ValueError(f"{path} does not say as it should what model it is of ({reason})") from None


def at_inference(model: ConfigDict) -> ConfigDict:
    """The model's config to compute with: in float32, whatever it was trained in.

    bfloat16 moves single pixels' chroma by more than 5 ab units, and is slower on a CPU.
    """
    return ConfigDict(model.to_dict() | {"dtype": "float32", "remat": False})


def save_weights(weights: Weights, path: str | os.PathLike) -> None:
    """Writes a .safetensors file by way of a temporary file: kernels as float16, vectors as float32.

    Vectors are few, and variances among them may be larger than float16 holds.
    """
    arrays = {
        name: np.asarray(x, np.float16 if np.ndim(x) > 1 else np.float32)
        for name, x in flatten_dict(weights.params, sep="/").items()
    }
    if weights.log_rarity is not None:
        arrays[LOG_RARITY] = weights.log_rarity
    about = {"format": FORMAT, "model": weights.model.to_json(), "name": weights.name}
    partial = pathlib.Path(f"{path}.partial")
    safetensors.numpy.save_file(arrays, partial, metadata=about)
    partial.replace(path)


def scale_chroma(weights: Weights, scale: float) -> Weights:
    """The weights of a HybridConvViT whose chroma is `scale` times as large; its distribution stays.

    A network that has seen its photographs often is surer of its colours than it may be of others: on photographs held
    out, less than 1 errs less, at any number of hints (which are met whatever the scale).
    """
    if weights.model.name != "HybridConvViT":
        raise ValueError(f"{weights.name}: the chroma of a {weights.model.name} cannot be scaled")
    params = flatten_dict(weights.params, sep="/")
    for name in params:
        if name.startswith(("offset/", "upsampling/gain/")):
            params[name] = params[name] * np.float32(scale)
    return weights._replace(params=unflatten_dict(params, sep="/"))


def _from_file(path: pathlib.Path) -> Weights:
    try:
        with safetensors.safe_open(path, "numpy") as file:
            about = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file: {' '.join(str(error).split()):.160}") from None
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{path} was not written by hybridvit, or by a newer one ({about.get('format')!r:.40})"
        )
    model = ConfigDict(json.loads(about["model"]))
    log_rarity = arrays.pop(LOG_RARITY, None)
    expected = {name: x.shape for name, x in flatten_dict(_abstract(model), sep="/").items()}
    found = {name: x.shape for name, x in arrays.items()}
    if found != expected or np.shape(log_rarity) not in ((NUM_BINS,), ()):
        wrong = sorted(name for name in expected if found.get(name) != expected[name])
        raise ValueError(
            f"{path} does not hold a whole {model.name} {model.variant}: {wrong[:1] or 'other arrays'}"
        )
    params = unflatten_dict({name: x.astype(np.float32) for name, x in arrays.items()}, sep="/")
    return Weights(params, log_rarity, model, about["name"], hashlib.sha256(path.read_bytes()).hexdigest())


def _from_checkpoint(path: pathlib.Path) -> Weights:
    with needing("train", "reading a training's folder needs"):  # released weights do without
        from hybridvit.runtime.checkpoint import Checkpoints, resolve
    folder, step = resolve(path)
    with Checkpoints(folder) as checkpoints:
        run = checkpoints.read_run(step)
        model, task = ConfigDict(run["config"]["model"]), run["config"]["task"]
        space = run["config"]["color"]["space"]
        if (task, space) != ("colorize", "lab"):
            raise ValueError(
                f"{path} was trained to {task} in {space}: only models that colorize in lab are used here"
            )
        shapes = _abstract(model)
        shapes = {"ema": shapes, "bin_prior": jax.ShapeDtypeStruct((NUM_BINS,), np.float32)}
        abstract = jax.tree.map(
            lambda x, sharding: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
            shapes,
            state_shardings(shapes, build_mesh(1)),
        )
        params, _ = checkpoints.restore_part(step, "ema", abstract["ema"])
        prior, _ = checkpoints.restore_part(step, "bin_prior", abstract["bin_prior"])
    params = jax.tree.map(np.asarray, params)
    log_rarity = None
    if run["config"]["bins"]["weight"] > 0:
        log_rarity = np.log(np.asarray(rebalancing_weights(prior, run["config"]["bins"]["uniform_mix"])))
    digest = hashlib.sha256()
    for name, x in sorted(flatten_dict(params, sep="/").items()):
        digest.update(name.encode() + np.ascontiguousarray(x).tobytes())
    name = f"{run['config']['name']} at step {run['step']}"
    return Weights(params, log_rarity, model, name, digest.hexdigest())


def _abstract(model: ConfigDict) -> Any:
    return join(*build_generator(at_inference(model)).shapes)


def main() -> None:
    """Exports a checkpoint's EMA weights."""
    parser = argparse.ArgumentParser(
        prog="python -m hybridvit.inference.weights", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--checkpoint", required=True, help="a work folder, or one checkpoint in it")
    parser.add_argument("--output", required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--chroma-scale", type=float, default=1.0, help="of the chroma, see `scale_chroma` (1)"
    )
    arguments = parser.parse_args()
    try:
        weights = load_weights(arguments.checkpoint)
        if arguments.chroma_scale != 1:
            weights = scale_chroma(weights, arguments.chroma_scale)
        save_weights(weights, arguments.output)
    except (OSError, ValueError) as error:
        sys.exit(f"hybridvit: {error}")
    print(f"{arguments.output}: sha256 {load_weights(arguments.output).digest}")


if __name__ == "__main__":
    main()
