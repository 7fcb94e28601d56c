"""Eight fake CPU devices, quick compilation with a persistent cache, before JAX starts its backend; tiny experiments.

Tests spend their time in compiling, not in running: most of XLA's optimizations are off, here and in the processes that
tests start.
"""

import fcntl
import gc
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

CACHE = os.path.join(tempfile.gettempdir(), "hybridvit-tests-jax-cache")
QUICK = "--xla_backend_optimization_level=0"
if jax.__version_info__ < (0, 11):  # an unknown flag would end the process
    QUICK += " --xla_cpu_use_fusion_emitters=false"
os.environ["XLA_FLAGS"] = f"{QUICK} {os.environ.get('XLA_FLAGS', '')}".strip()
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)

ROOT = pathlib.Path(__file__).parent.parent
LONGEST = ("test_systems", "test_resume", "test_sharding", "test_compare", "test_processes")
TINY = {  # the flagship's run in all but size
    "data.image_size": 32,
    "data.batch_size": 8,
    "data.unlabeled_batch_size": 8,
    "data.eval_limit": 3,
    "model.variant": "test",
    "hints.max_count": 16,
    "hints.cell_sizes": (1, 2),
    "degrade.blur": 0.0,  # these four take long to compile
    "degrade.scratches": 0.0,
    "degrade.dust": 0.0,
    "degrade.jpeg": 0.0,
    "consistency.warmup_steps": 2,
    "consistency.gate": "radial_mass",  # more to go wrong than without one
    "consistency.floor": 0.0,  # a teacher of a few steps is not sure of anything
    "consistency.threshold": 0.011,
    "optim.warmup_steps": 2,
    "train.steps": 6,
    "train.log_every": 1,
    "train.eval_every": 4,
    "train.checkpoint_every": 2,
    "eval.image_size": 32,
    "eval.batch_size": 8,
    "eval.hint_counts": (0, 5),
    "eval.grid_pictures": 2,
    "runtime.compilation_cache": CACHE,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: else one of xdist's processes would wait for the other's last."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    """What has been imported stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def make_once(
    name: str, factory: pytest.TempPathFactory, make: Callable[[pathlib.Path], None]
) -> pathlib.Path:
    """A folder that `make` fills once for all of xdist's processes to read; the later ones wait for the first."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = factory.mktemp(name)
            make(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def build_tiny_config() -> Callable[[], ConfigDict]:
    """Builds configs/ssl_vit.py on the bundled photographs, small enough for a test."""

    def build() -> ConfigDict:
        from configs import ssl_vit

        config = ssl_vit.get_config()
        config.update_from_flattened_dict(TINY)
        return config

    return build


@pytest.fixture
def tiny_config(build_tiny_config: Callable[[], ConfigDict]) -> ConfigDict:
    """One of these, to be changed."""
    return build_tiny_config()


@pytest.fixture(scope="session")
def build_quick_config(build_tiny_config: Callable[[], ConfigDict]) -> Callable[[], ConfigDict]:
    """The same for tests of the run alone, with little to trace and to compile: a U-Net, supervised."""

    def build() -> ConfigDict:
        config = build_tiny_config()
        config.model.name = "UNet"
        config.bins.weight = config.consistency.weight = config.restoration.weight = 0.0
        config.degrade.labeled_probability = 0.0
        config.data.unlabeled_batch_size = 0
        return config

    return build


@pytest.fixture
def quick_config(build_quick_config: Callable[[], ConfigDict]) -> ConfigDict:
    """One of these, to be changed."""
    return build_quick_config()


@pytest.fixture(scope="session")
def tiny_flags() -> list[str]:
    """The same as command-line flags."""
    values = {name: ",".join(map(str, v)) if isinstance(v, tuple) else v for name, v in TINY.items()}
    return ["--config=configs/ssl_vit.py", *(f"--config.{name}={value}" for name, value in values.items())]


@pytest.fixture(scope="session")
def tiny_run(
    build_tiny_config: Callable[[], ConfigDict], tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """The work folder of a finished run of `tiny_config`, on 8 devices, for tests to read."""
    from hybridvit.train import train

    return make_once("tiny_run", tmp_path_factory, lambda workdir: train(build_tiny_config(), workdir))


@pytest.fixture(scope="session")
def quick_run(
    build_quick_config: Callable[[], ConfigDict], tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """The work folder of a finished run of `quick_config`, for tests to read, or to copy."""
    from hybridvit.train import train

    return make_once("quick_run", tmp_path_factory, lambda workdir: train(build_quick_config(), workdir))


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """`start(*flags, devices=1) -> Popen` of `python -m hybridvit.main`, both outputs in one pipe."""
    started = []

    def start(*flags: str, devices: int = 1) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "hybridvit.main", *flags],
            cwd=ROOT,
            env=os.environ
            | {
                "JAX_PLATFORMS": "cpu",
                "JAX_NUM_CPU_DEVICES": str(devices),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def small_run_flags(tiny_flags: list[str]) -> list[str]:
    """The run that tests kill, and split over processes: checkpoints at 8, 16 and 24; batches of 2 to evaluate."""
    changes = {"train.steps": 24, "train.checkpoint_every": 8, "train.eval_every": 12, "eval.batch_size": 2}
    return [*tiny_flags, *(f"--config.{name}={value}" for name, value in changes.items())]


@pytest.fixture(scope="session")
def small_run(
    start: Callable[..., subprocess.Popen],
    small_run_flags: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> pathlib.Path:
    """The work folder of that run, undisturbed, on one device."""

    def make(workdir: pathlib.Path) -> None:
        process = start(*small_run_flags, f"--workdir={workdir}")
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0, output

    return make_once("small_run", tmp_path_factory, make)


@pytest.fixture(scope="session")
def tiny_weights() -> Any:
    """Of a model that is small, and of strong opinions."""
    from configs import ssl_vit
    from hybridvit.color.bins import NUM_BINS
    from hybridvit.inference.weights import Weights
    from hybridvit.models.generator import build_generator

    config = ssl_vit.get_config().model.copy_and_resolve_references()
    with config.unlocked():
        config.variant = "test"
    params = build_generator(config).init(jax.random.key(0))[0]
    keys = iter(jax.random.split(jax.random.key(1), 100))
    # Away from the zeros that blocks start with
    params = jax.tree.map(lambda x: np.asarray(x + 0.1 * jax.random.normal(next(keys), x.shape)), params)
    return Weights(params, np.zeros(NUM_BINS, np.float32), config, "tiny", "0" * 64)


class StubColorizer:
    """Stands for a `Colorizer` where the model does not matter: tints, and notes what it was told in `calls`."""

    digest = "5" * 64

    def __init__(self):
        self.calls: list[dict] = []

    def colorize(self, photo: Any, hints: Any = (), **settings: Any) -> SimpleNamespace:
        self.calls.append({"hints": tuple(hints), **settings})
        rgb = np.repeat(photo.pixels[..., :1], 3, -1)
        rgb[..., 2] = rgb[..., 2] // 2 + settings["seed"]
        provenance = {"software": "hybridvit stub", "settings": {"size": settings["size"]}}
        return SimpleNamespace(rgb=rgb, uncertainty=np.full((4, 4), 0.7, np.float32), provenance=provenance)


@pytest.fixture
def stub_colorizer() -> StubColorizer:
    """A colorizer without a model."""
    return StubColorizer()
