"""The model of the page that colours by itself: its graphs, what is said of it, and what runs it.

onnxruntime-web comes from its npm package, of one version, by npm.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

import jax
import numpy as np

from hybridvit.export.web_graphs import write_graphs
from hybridvit.export.write import about
from hybridvit.inference.weights import Weights, at_inference
from hybridvit.models.generator import build_generator

RUNTIME = "onnxruntime-web@1.23.2"
RUNTIME_SHA256 = "0b8707d7efab9a2bea63564d66cad79e897cfd0bd627e5ae000488ffc1c45c7d"  # of npm's file
BUILDS = {  # by what it runs on: the script, and the program with what starts it
    "wasm": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgpu": (
        "ort.webgpu.min.mjs",
        "ort-wasm-simd-threaded.asyncify.mjs",
        "ort-wasm-simd-threaded.asyncify.wasm",
    ),
}
RUNTIME_FILES = tuple(name for names in BUILDS.values() for name in names)
PROBE = 64  # px of the picture by which a page finds whether a graphics processor computes as it should
PROBE_EVERY = 61  # of its numbers
CACHE = "HYBRIDVIT_ONNXRUNTIME_WEB"  # environment: the package's file, where there is no npm


def write_model(weights: Weights, folder: pathlib.Path) -> None:
    """Writes the model's graphs, model.json and ort/ into the folder.

    Raises ModuleNotFoundError without `onnx`, ValueError for a model that is not exported, OSError without the runtime.
    """
    (folder / "ort").mkdir(exist_ok=True)
    _unpack_runtime(folder / "ort")
    files = [*write_graphs(weights, folder), *(f"ort/{name}" for name in RUNTIME_FILES)]
    said = about(weights)
    model = {
        "name": said.name,
        "weights": said.weights,
        "license": said.license,
        "log_rarity": said.log_rarity,
        "probe": {"every": PROBE_EVERY, "values": _probe(weights)},
        "bytes": {name: (folder / name).stat().st_size for name in files},
    }
    (folder / "model.json").write_text(json.dumps(model), "utf-8")


def _probe(weights: Weights) -> list[float]:
    """Some of the chroma of a small picture with a hint, as engine/runtime.js makes them."""
    places = np.arange(PROBE * PROBE)
    luma = (places * 37 % 256) / 256 + (places % PROBE) / PROBE - 1
    hints = np.zeros((PROBE, PROBE, 3), np.float32)
    hints[PROBE // 2, PROBE // 2] = 0.25, -0.125, 1
    given = luma.reshape(1, PROBE, PROBE, 1).astype(np.float32), hints[None]
    generate = build_generator(at_inference(weights.model)).generate
    chroma = np.asarray(jax.jit(generate)(weights.params, *given).chroma)
    return chroma.reshape(-1)[::PROBE_EVERY].round(5).astype(float).tolist()


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
