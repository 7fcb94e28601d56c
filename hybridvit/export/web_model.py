"""The model of the page that colours by itself: an ONNX file with its weights in half precision, and what runs it.

Weights are kept as float16 and made float32 when the file is loaded: half the bytes, and the same arithmetic on all
machines. onnxruntime-web comes from its npm package, of one version, by npm.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

import numpy as np

from hybridvit.export.write import save_onnx
from hybridvit.extras import needing
from hybridvit.inference.exported import KEY
from hybridvit.inference.weights import Weights

RUNTIME = "onnxruntime-web@1.23.2"
RUNTIME_SHA256 = "0b8707d7efab9a2bea63564d66cad79e897cfd0bd627e5ae000488ffc1c45c7d"  # of npm's file
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
CACHE = "HYBRIDVIT_ONNXRUNTIME_WEB"  # environment: the package's file, where there is no npm
SMALLEST = 64  # numbers: smaller constants stay float32


def write_model(weights: Weights, folder: pathlib.Path) -> None:
    """Writes model.onnx, model.json and ort/ into the folder.

    Raises ModuleNotFoundError without `onnx`, ValueError for a model that is not exported, OSError without the runtime.
    """
    (folder / "ort").mkdir(exist_ok=True)
    _unpack_runtime(folder / "ort")
    about = write_half_onnx(weights, folder / "model.onnx")
    sizes = {
        "model": (folder / "model.onnx").stat().st_size,
        "runtime": (folder / "ort" / RUNTIME_FILES[-1]).stat().st_size,
    }
    said = {name: about[name] for name in ("name", "weights", "license", "log_rarity")}
    (folder / "model.json").write_text(json.dumps({**said, "bytes": sizes}), "utf-8")


def write_half_onnx(weights: Weights, path: pathlib.Path) -> dict:
    """Writes the file; returns what it says of itself. Raises ValueError for weights that float16 cannot hold."""
    with needing("onnx", "ONNX files need"):
        import onnx
        from onnx import helper, numpy_helper
    save_onnx(weights, path)
    model = onnx.load(path)
    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST:
            kept.append(tensor)
            continue
        half = values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"{weights.name}: its weights are too large for float16")
        name = f"{tensor.name}_half"
        kept.append(numpy_helper.from_array(half, name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    path.write_bytes(model.SerializeToString())
    return json.loads(next(prop.value for prop in model.metadata_props if prop.key == KEY))


def _unpack_runtime(folder: pathlib.Path) -> None:
    given = os.environ.get(CACHE)
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(given) if given else _fetch_runtime(pathlib.Path(scratch))
        if not file.is_file():
            raise FileNotFoundError(f"{CACHE}: no file {file}: give {RUNTIME} as `npm pack` fetches it")
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != RUNTIME_SHA256:
            raise ValueError(f"{file}: not {RUNTIME} as npm has it (SHA-256 {digest[:16]}...)")
        with tarfile.open(file) as archive:
            for name in RUNTIME_FILES:
                packed = archive.extractfile(f"package/dist/{name}")
                assert packed is not None  # the digest says so
                with packed, (folder / name).open("wb") as target:
                    shutil.copyfileobj(packed, target)


def _fetch_runtime(scratch: pathlib.Path) -> pathlib.Path:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(f"the page needs {RUNTIME}: install npm, or name its file in {CACHE}")
    done = subprocess.run(
        [npm, "pack", RUNTIME, "--silent", "--pack-destination", str(scratch)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = next(scratch.glob("*.tgz"), None)
    if done.returncode or found is None:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise OSError(f"npm cannot fetch {RUNTIME} ({reason}): name its file in {CACHE}")
    return found
