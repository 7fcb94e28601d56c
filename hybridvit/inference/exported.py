"""Models as files that other software runs: ONNX and StableHLO, the weights inside, for pictures of any size.

    luma [b, 16 h, 16 w, 1], hints [b, 16 h, 16 w, 3] -> chroma [b, 16 h, 16 w, 2], bins [b, 2 h, 2 w, 313]

All float32. `luma` is L / 50 - 1; `hints` are a / 110, b / 110 and 1 where a colour is known, else 0; `chroma` times
110 is the expected ab; `bins` are logarithms of the probabilities of the 313 colours, up to a constant for each cell of
8 px, calibrated. h * w is 8 at least. `About` is written into the file, and says all this (`INTERFACE`).

`.onnx` files have it among the model's metadata, under "hybridvit"; a `.stablehlo` file is a safetensors file with it
among the metadata and what `jax.export.deserialize` reads as the uint8 tensor "module". ONNX is written by
`onnx_graph`: jax2onnx loses track of symbolic sizes at a reshape, and no version of it that knows the JAX of today
installs beside the Orbax of today.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from jax import export
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference import decode
from hybridvit.inference.weights import PRETRAINED, Weights, load_weights
from hybridvit.models.generator import build_generator
from hybridvit.version import VERSION

FORMAT = "hybridvit-export-1"
KEY = "hybridvit"  # of the metadata
MODULE = "module"  # the tensor of a .stablehlo file
EXPORTED = "HybridConvViT"  # the generator whose sizes may be symbolic
MULTIPLE = 16  # px: heights and widths
LEAST = 8  # squares of 16 px: smaller pictures are padded
INPUTS, OUTPUTS = ("luma", "hints"), ("chroma", "bins")
PLATFORMS = ("cpu", "cuda", "tpu")
INTERFACE = {
    "color_space": "CIE Lab, D65",
    "luma": "L / 50 - 1",
    "hints": "a / 110, b / 110, known (1 or 0; ab 0 where it is 0)",
    "chroma": "times 110: the mean of ab, CIE units",
    "bins": "calibrated log-probabilities of bin_centres, for cells of 8 px, up to a constant for each",
    "sizes": f"multiples of {MULTIPLE} px, {LEAST} squares of {MULTIPLE} px at least",
}
VIVID = {
    **{"temperature": decode.TEMPERATURE, "rarity": decode.RARITY, "power": decode.POWER},
    **{"pivot": decode.PIVOT, "most": decode.MOST, "known": decode.KNOWN},
}


@dataclasses.dataclass(frozen=True)
class About:
    """What an exported file says of itself.

    `name` and `weights` (sha256 in hex) are of the weights, `model` is the config they were trained with, `log_rarity`
    as in `Weights`; `license` of the weights, if it is known.
    """

    name: str
    weights: str
    model: dict[str, Any]
    log_rarity: tuple[float, ...]
    license: str

    def to_json(self) -> str:
        """With the constants of the vivid decode (hybridvit/inference/decode.py), and what goes in and comes out."""
        extra = {"vivid": VIVID, "interface": INTERFACE, "bin_centres": BIN_CENTRES.tolist()}
        return json.dumps({"format": FORMAT, "software": VERSION, **dataclasses.asdict(self), **extra})


def about_from_json(text: str) -> About:
    """Raises ValueError, one line, for anything but what `to_json` writes."""
    try:
        read = json.loads(text)
        if read["format"] != FORMAT:
            raise ValueError(f"it is of another version ({read['format']!r:.40})")
        rarity = np.array(read["log_rarity"], np.float32)
        if rarity.shape != (len(BIN_CENTRES),) or not np.isfinite(rarity).all():
            raise ValueError("its log_rarity is not 313 numbers")
        texts = {name: read[name] for name in ("name", "weights", "license")}
        if not all(isinstance(said, str) and len(said) < 1000 for said in texts.values()):
            raise ValueError("its name, weights or license is no text")
        return About(**texts, model=dict(read["model"]), log_rarity=tuple(rarity.tolist()))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"its description lacks something or is none ({error})") from None


def save_onnx(weights: Weights, path: str | os.PathLike) -> None:
    """Writes an ONNX file. Raises ModuleNotFoundError without `onnx`, ValueError for a model that is not exported."""
    try:
        from hybridvit.inference.onnx_graph import OnnxGraph
        from hybridvit.inference.onnx_operators import OPERATORS
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f'ONNX files need {error.name}: pip install ".[onnx]"') from None
    network, specs = _network(weights)
    sizes = {"b": ("luma", 0, 1), "h": ("luma", 1, MULTIPLE), "w": ("luma", 2, MULTIPLE)}
    model = OnnxGraph(sizes, OPERATORS).convert(jax.make_jaxpr(network)(*specs), INPUTS, OUTPUTS)
    model.metadata_props.add(key=KEY, value=_about(weights).to_json())
    _write(path, lambda partial: partial.write_bytes(model.SerializeToString()))


def save_stablehlo(weights: Weights, path: str | os.PathLike) -> None:
    """Writes a StableHLO file. Raises ModuleNotFoundError, ValueError as `save_onnx`."""
    network, specs = _network(weights)
    try:
        module = export.export(jax.jit(network), platforms=PLATFORMS)(*specs).serialize()
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"StableHLO files need {error.name}: pip install {error.name}") from None
    tensors, about = {MODULE: np.frombuffer(module, np.uint8)}, {KEY: _about(weights).to_json()}
    _write(path, lambda partial: safetensors.numpy.save_file(tensors, partial, about))


SAVE: dict[str, Callable[[Weights, str | os.PathLike], None]] = {
    ".onnx": save_onnx,
    ".stablehlo": save_stablehlo,
}


def _network(weights: Weights) -> tuple[Callable, list[jax.ShapeDtypeStruct]]:
    """The function of luma and hints, and their shapes."""
    if weights.model.name != EXPORTED:
        raise ValueError(f"{weights.name} is a {weights.model.name}: only a {EXPORTED} can be exported")
    config = ConfigDict(weights.model.to_dict() | {"dtype": "float32", "remat": False})
    generate = build_generator(config).generate

    def network(
        luma: Float[Array, "b h w 1"], hints: Float[Array, "b h w 3"]
    ) -> tuple[Float[Array, "b h w 2"], Float[Array, "b h8 w8 313"]]:
        prediction = generate(weights.params, luma, hints)
        return prediction.chroma, prediction.bins - jnp.asarray(weights.log_rarity)

    b, h, w = export.symbolic_shape("b, h, w", constraints=[f"h*w >= {LEAST}"])
    sides = b, MULTIPLE * h, MULTIPLE * w
    return network, [jax.ShapeDtypeStruct((*sides, channels), np.float32) for channels in (1, 3)]


def _about(weights: Weights) -> About:
    ours = weights.digest == load_weights(PRETRAINED).digest
    return About(
        name=weights.name,
        weights=weights.digest,
        model=weights.model.to_dict(),
        log_rarity=tuple(weights.log_rarity.astype(float).tolist()),
        license="MIT" if ours else "not stated",
    )


def _write(path: str | os.PathLike, write: Callable[[pathlib.Path], Any]) -> None:
    partial = pathlib.Path(f"{path}.partial")
    write(partial)
    partial.replace(path)
