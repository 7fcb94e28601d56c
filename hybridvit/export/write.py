"""Writes models as files that other software runs (`inference.exported`): ONNX and StableHLO, the weights inside.

ONNX is written by `onnx_graph`: jax2onnx loses track of symbolic sizes at a reshape, and no version of it that knows
the JAX of today installs beside the Orbax of today.
"""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from jax import export
from jaxtyping import Array, Float

from hybridvit.extras import needing
from hybridvit.inference.exported import INPUTS, KEY, MODULE, OUTPUTS, About, least_squares
from hybridvit.inference.weights import PRETRAINED, Weights, at_inference, load_weights
from hybridvit.models.generator import build_generator
from hybridvit.models.hybrid_conv_vit import VARIANTS

EXPORTED = "HybridConvViT"  # the generator whose sizes may be symbolic
CELL = 4  # px, of hint cells
PLATFORMS = ("cpu", "cuda", "tpu")


def save_onnx(weights: Weights, path: str | os.PathLike) -> None:
    """Writes an ONNX file. Raises ModuleNotFoundError without `onnx`, ValueError for a model that is not exported."""
    with needing("onnx", "ONNX files need"):
        from hybridvit.export.onnx_graph import OnnxGraph
        from hybridvit.export.onnx_operators import OPERATORS
    network, specs = _network(weights)
    graph = OnnxGraph(symbols(weights), OPERATORS)
    model = graph.convert(jax.make_jaxpr(network)(*specs), INPUTS, OUTPUTS)
    model.metadata_props.add(key=KEY, value=about(weights).to_json())
    _write(path, lambda partial: partial.write_bytes(model.SerializeToString()))


def save_stablehlo(weights: Weights, path: str | os.PathLike) -> None:
    """Writes a StableHLO file. Raises ModuleNotFoundError, ValueError as `save_onnx`."""
    network, specs = _network(weights)
    with needing("onnx", "StableHLO files need"):
        import flatbuffers  # noqa: F401  JAX asks for it when all is computed
    module = export.export(jax.jit(network), platforms=PLATFORMS)(*specs).serialize()
    tensors, said = {MODULE: np.frombuffer(module, np.uint8)}, {KEY: about(weights).to_json()}
    _write(path, lambda partial: safetensors.numpy.save_file(tensors, partial, said))


SAVE: dict[str, Callable[[Weights, str | os.PathLike], None]] = {
    ".onnx": save_onnx,
    ".stablehlo": save_stablehlo,
}


def check(weights: Weights) -> None:
    """Raises ValueError for a model that is not exported."""
    if weights.model.name != EXPORTED:
        raise ValueError(f"{weights.name} is a {weights.model.name}: only a {EXPORTED} can be exported")
    if weights.log_rarity is None:
        raise ValueError(f"{weights.name} was trained without the bins, which are exported with it")


def given(weights: Weights, channels: Sequence[int]) -> list[jax.ShapeDtypeStruct]:
    """Pictures of any size that the network takes."""
    multiple = _multiple(weights)
    b, h, w = export.symbolic_shape("b, h, w", constraints=[f"h*w >= {least_squares(multiple)}"])
    return _pictures((b, multiple * h, multiple * w), channels)


def given_with_room(weights: Weights, channels: Sequence[int]) -> list[jax.ShapeDtypeStruct]:
    """And a vector of as many numbers as there shall be hint cells (`hint_cells_at_most`)."""
    multiple = _multiple(weights)
    enough = f"h*w >= {least_squares(multiple)}", f"{(multiple // CELL) ** 2}*h*w >= k"
    b, h, w, k = export.symbolic_shape("b, h, w, k", constraints=enough)
    pictures = _pictures((b, multiple * h, multiple * w), channels)
    return [*pictures, jax.ShapeDtypeStruct((k,), np.float32)]


def _pictures(size: tuple, channels: Sequence[int]) -> list[jax.ShapeDtypeStruct]:
    return [jax.ShapeDtypeStruct((*size, count), np.float32) for count in channels]


def symbols(weights: Weights) -> dict[str, tuple[str, int, int]]:
    """What the sizes of `given` are, for an `OnnxGraph`."""
    multiple = _multiple(weights)
    return {"b": ("luma", 0, 1), "h": ("luma", 1, multiple), "w": ("luma", 2, multiple)}


def _network(weights: Weights) -> tuple[Callable, list[jax.ShapeDtypeStruct]]:
    """The function of luma and hints, and their shapes."""
    check(weights)
    generate = build_generator(at_inference(weights.model)).generate
    params = jax.tree.map(jnp.asarray, weights.params)

    def network(
        luma: Float[Array, "b h w 1"], hints: Float[Array, "b h w 3"]
    ) -> tuple[Float[Array, "b h w 2"], Float[Array, "b h8 w8 313"]]:
        prediction = generate(params, luma, hints)
        return prediction.chroma, prediction.bins - jnp.asarray(weights.log_rarity)

    return network, given(weights, (1, 3))


def _multiple(weights: Weights) -> int:
    return VARIANTS[weights.model.variant].stride


def about(weights: Weights) -> About:
    """What its files say of it."""
    ours = weights.digest == load_weights(PRETRAINED).digest
    return About(
        name=weights.name,
        weights=weights.digest,
        model=weights.model.to_dict(),
        log_rarity=tuple(weights.log_rarity.astype(float).tolist()),
        license="MIT AND Apache-2.0" if ours else "not stated",  # see NOTICE
        multiple=_multiple(weights),
    )


def _write(path: str | os.PathLike, write: Callable[[pathlib.Path], Any]) -> None:
    partial = pathlib.Path(f"{path}.partial")
    write(partial)
    partial.replace(path)
