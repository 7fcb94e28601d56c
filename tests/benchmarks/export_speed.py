"""JAX and onnxruntime on one photograph of 256 x 256 px on a CPU, in turn in one process.

    python -m tests.benchmarks.export_speed [--threads 1] [--weights pretrained]

Exports the weights to ONNX, then prints, without and with a hint, the milliseconds of each (CPU time of all threads,
and by the clock) and their ratio, the median over rounds in which both ran; and by how much they differ at most. Load
on the machine makes the clock's numbers worthless and the CPU's a little worse.
"""

import argparse
import os
import pathlib
import tempfile
import time
from collections.abc import Callable

import numpy as np

ROUNDS, CALLS = 15, 3


def timed(call: Callable[[], object]) -> np.ndarray:
    """CPU and clock seconds of a call."""
    start = time.process_time(), time.perf_counter()
    for _ in range(CALLS):
        call()
    return (np.array([time.process_time(), time.perf_counter()]) - start) / CALLS


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default="pretrained")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: arguments.threads]
    os.sched_setaffinity(0, cores)  # both count the cores: JAX when it is imported, onnxruntime for a session

    from hybridvit.export.write import save_onnx
    from hybridvit.inference.exported_predictor import load_exported
    from hybridvit.inference.predictor import Predictor
    from hybridvit.inference.weights import load_weights

    weights = load_weights(arguments.weights)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.onnx")
        save_onnx(weights, path)
        predictors = {"JAX": Predictor(weights), "onnxruntime": load_exported(path)}
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, (1, 256, 256)).astype(np.float32)
    ab, mask = np.zeros((1, 256, 256, 2), np.float32), np.zeros((1, 256, 256), bool)
    mask[0, 100:102, 60:62] = True
    for name, hints in (("no hint", None), ("one hint", (ab, mask))):
        found = [predictor(L, hints) for predictor in predictors.values()]
        print(f"{name}: they differ by {abs(found[0].mean - found[1].mean).max():.1e} ab units at most")
        times = np.array(
            [[timed(lambda p=p, h=hints: p(L, h)) for p in predictors.values()] for _ in range(ROUNDS)]
        )  # [rounds, predictors, cpu and clock]
        for i, predictor in enumerate(predictors):
            cpu, clock = np.median(times[:, i], 0) * 1e3
            print(f"  {predictor:12} {cpu:6.1f} ms CPU {clock:7.1f} ms by the clock")
        cpu, clock = np.median(times[:, 1] / times[:, 0], 0)
        print(f"  onnxruntime / JAX: {cpu:.2f} CPU, {clock:.2f} by the clock, {len(cores)} threads")


if __name__ == "__main__":
    main()
