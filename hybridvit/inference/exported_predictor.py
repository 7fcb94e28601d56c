"""Exported files (`exported`) in the place of weights: `Colorizer(load_exported("model.onnx"))`.

A file is untrusted. It is of bounded size; an ONNX file may not name other files, nor bring operators of its own or
inner graphs; a StableHLO one may call nothing of its host. What it computes is not judged.
"""

import hashlib
import os
import pathlib
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
import safetensors
from jax import export
from jaxtyping import Array, Float

from hybridvit.color.bins import NUM_BINS
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.extras import needing
from hybridvit.inference.decode import vivid_ab
from hybridvit.inference.exported import INPUTS, KEY, MODULE, OUTPUTS, SUFFIXES, About, about_from_json
from hybridvit.inference.predictor import STRIDE, Hints, Predicted, cropped, padded
from hybridvit.models.prediction import Prediction

MOST_BYTES = 2**31 - 1  # of a file: what ONNX files can hold
CALLS = {
    "shape_assertion",
    "stablehlo.dynamic_top_k",
    "stablehlo.dynamic_iota",
}  # that JAX's own export writes

Network = Callable[[np.ndarray, np.ndarray], tuple[Any, Any]]  # luma, hints -> chroma, bins


class ExportedPredictor:
    """A `Predict` of a file's network; may be called by several threads."""

    def __init__(self, about: About, digest: str, kind: str, network: Network):
        self.name, self.digest = about.name, digest
        self.provenance = {"model": about.name, "weights_sha256": about.weights, "exported": kind}
        self._network = network
        log_rarity = np.array(about.log_rarity, np.float32)

        def vivid(
            chroma: Float[Array, "b h w 2"], bins: Float[Array, "b h8 w8 313"]
        ) -> Float[Array, "b h w 2"]:
            return vivid_ab(Prediction(chroma, bins), log_rarity)

        self._vivid = jax.jit(vivid)

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted:
        """Colours pictures of any height and width at the model's own scale; L is 0..100."""
        height, width = L.shape[1:]
        L, given = padded(L, hints)
        ab, mask = given or (np.zeros((*L.shape, 2), np.float32), np.zeros(L.shape, bool))
        known = mask[..., None].astype(np.float32)
        planes = np.concatenate([ab / np.float32(CHROMA_SCALE) * known, known], -1)
        chroma, bins = (np.asarray(x) for x in self._network(L[..., None] / 50 - 1, planes))
        cells = tuple(size // STRIDE for size in L.shape[1:])
        if chroma.shape != (*L.shape, 2) or bins.shape != (len(L), *cells, NUM_BINS):
            raise ValueError(f"{self.name}: the file's network gives arrays of other sizes than it says")
        vivid = np.asarray(self._vivid(chroma, bins)) if hints is None else None
        return cropped(Predicted(chroma * np.float32(CHROMA_SCALE), vivid, bins), height, width)


def load_exported(path: str | os.PathLike) -> ExportedPredictor:
    """Of an .onnx or .stablehlo file. Raises FileNotFoundError, ModuleNotFoundError or ValueError, one line."""
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"no model at {path}: `hybridvit export` writes one")
    size, kind = path.stat().st_size, path.suffix.lower()
    if size > MOST_BYTES:
        raise ValueError(f"{path} has {size} bytes: at most {MOST_BYTES} are read")
    try:
        about, network = _LOAD[kind](path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedPredictor(about, digest, kind.removeprefix("."), network)


def is_exported(path: str | os.PathLike) -> bool:
    """Whether it is such a file, by its name."""
    return pathlib.Path(path).suffix.lower() in SUFFIXES


def _load_onnx(path: pathlib.Path) -> tuple[About, Network]:
    with needing("onnx", "ONNX files need"):
        import onnx
        import onnxruntime
        from google.protobuf.message import DecodeError
    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        raise ValueError("no ONNX file, or a damaged one") from None
    _check_onnx(model)
    about = _about({prop.key: prop.value for prop in model.metadata_props})
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong with the file is said below
    options.add_session_config_entry("session.set_denormal_as_zero", "1")  # as XLA does: they are slow
    # In threads of its own: the option stays set in those that call onnxruntime (findings/)
    threads = ThreadPoolExecutor(thread_name_prefix="onnxruntime")
    providers = ["CPUExecutionProvider"]
    try:
        session = threads.submit(onnxruntime.InferenceSession, data, options, providers=providers).result()
    except Exception as error:  # onnxruntime's own exceptions have no common class
        raise ValueError(f"onnxruntime refuses the graph: {_line(error)}") from None
    names = [x.name for x in session.get_inputs()], [x.name for x in session.get_outputs()]
    if names != (list(INPUTS), list(OUTPUTS)):
        raise ValueError(f"its inputs and outputs are not {', '.join((*INPUTS, *OUTPUTS))}")

    def network(luma: np.ndarray, hints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        try:
            given = dict(zip(INPUTS, (luma, hints), strict=True))
            return tuple(threads.submit(session.run, list(OUTPUTS), given).result())
        except Exception as error:
            raise ValueError(f"{about.name}: onnxruntime failed: {_line(error)}") from None

    return about, network


def _check_onnx(model: Any) -> None:
    """Raises ValueError if the file is more than a graph of standard operators with its constants inside."""
    if model.functions or len(model.training_info):
        raise ValueError("it defines operators of its own, which are not run")
    tensors = list(model.graph.initializer)
    for sparse in model.graph.sparse_initializer:
        tensors += [sparse.values, sparse.indices]
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise ValueError(f"it needs operators of {node.domain[:40]!r}, which are not run")
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                raise ValueError(f"{node.op_type[:40]} holds an inner graph, which is not run")
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise ValueError(f"{node.op_type[:40]} holds a sparse tensor, which is not read")
            tensors += [attribute.t, *attribute.tensors]
    if any(tensor.data_location or tensor.external_data for tensor in tensors):
        raise ValueError("its weights are in another file, which is not read")


def _load_stablehlo(path: pathlib.Path) -> tuple[About, Network]:
    with needing("onnx", "StableHLO files need"):
        import flatbuffers  # noqa: F401
    try:
        with safetensors.safe_open(path, "numpy") as file:
            said, module = file.metadata() or {}, file.get_tensor(MODULE)
    except safetensors.SafetensorError as error:
        raise ValueError(f"no file of `hybridvit export`, or a damaged one ({error})") from None
    about = _about(said)
    try:
        exported = export.deserialize(bytearray(module.tobytes()))
        text = exported.mlir_module()
    except Exception as error:  # whatever reading damaged bytes may raise
        raise ValueError(f"its program cannot be read: {_line(error)}") from None
    called = set(re.findall(r"custom_call\s*@\"?([\w.$-]+)", text))
    called |= set(re.findall(r"call_target_name\s*=\s*\"([^\"]*)\"", text))
    if called - CALLS:
        raise ValueError(f"its program calls {', '.join(sorted(called - CALLS))[:100]}, which is not allowed")
    return about, jax.jit(exported.call)


def _about(metadata: Mapping[str, str]) -> About:
    if KEY not in metadata:
        raise ValueError("it was not written by `hybridvit export`")
    return about_from_json(metadata[KEY])


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


_LOAD = {".onnx": _load_onnx, ".stablehlo": _load_stablehlo}
