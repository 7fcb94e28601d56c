"""Eight fake CPU devices, quick compilation with a persistent cache, before JAX starts its backend; tiny experiments.

Tests spend their time in compiling, not in running: most of XLA's optimizations are off, here and in the processes that
tests start.
"""

import fcntl
import gc
import hashlib
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import hypothesis
import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

from tests import memory
from tests.ended import Ended

ROOT = pathlib.Path(__file__).parent.parent
CLONE = hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]  # others may hold other code
OWN_CACHE = os.path.join(tempfile.gettempdir(), f"hybridvit-tests-jax-cache-{CLONE}")
CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR") or OWN_CACHE
QUICK = "--xla_backend_optimization_level=0"
if jax.__version_info__ < (0, 11):  # an unknown flag would end the process
    QUICK += " --xla_cpu_use_fusion_emitters=false"
os.environ["XLA_FLAGS"] = f"{QUICK} {os.environ.get('XLA_FLAGS', '')}".strip()
hypothesis.settings.register_profile("untimed", deadline=None)  # a loaded machine is no failure
hypothesis.settings.load_profile("untimed")
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
os.environ |= {  # for the processes that tests start
    "JAX_COMPILATION_CACHE_DIR": CACHE,
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}

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
QUICK_CHANGES = {  # little to trace and to compile: a U-Net, supervised
    "model.name": "UNet",
    "bins.weight": 0.0,
    "consistency.weight": 0.0,
    "restoration.weight": 0.0,
    "degrade.labeled_probability": 0.0,
    "data.unlabeled_batch_size": 0,
}


@pytest.hookimpl(trylast=True)  # pytest's own makes the factory of folders
def pytest_configure(config: pytest.Config) -> None:
    """Each of xdist's processes sees which test has ended another; what a file leaves in memory is given back."""
    config.pluginmanager.register(memory)
    if hasattr(config, "workerinput"):
        folder = (
            config._tmp_path_factory.getbasetemp().parent / "running"
        )  # pytest has no public name for it here
        config.pluginmanager.register(Ended(folder, config.workerinput["workerid"]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests are slow; and the longest files first, then those with most slow tests, for one of xdist's processes
    would else wait for the other's last."""
    slow = set((ROOT / "tests" / "slow.txt").read_text().splitlines())
    slow_tests: Counter[pathlib.Path] = Counter()
    for item in items:
        file = item.path.relative_to(ROOT).as_posix()
        if {file, f"{file}::{item.nodeid.partition('::')[2].partition('[')[0]}"} & slow:
            item.add_marker("slow")
            slow_tests[item.path] += 1

    def turn(item: pytest.Item) -> tuple[int, int]:
        name = item.path.stem
        return LONGEST.index(name) if name in LONGEST else len(LONGEST), -slow_tests[item.path]

    items.sort(key=turn)


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


@pytest.fixture(scope="session", autouse=True)
def heard() -> Iterator[None]:
    """Ctrl-C reaches the processes that tests start also where the tests' own parent ignores it (nohup, cron)."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


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
        config.update_from_flattened_dict(QUICK_CHANGES)
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
            env=os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": str(devices)},
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
    return _run_once("small_run", start, small_run_flags, tmp_path_factory)


@pytest.fixture(scope="session")
def small_quick_run_flags(small_run_flags: list[str]) -> list[str]:
    """The same steps of `quick_config`: where it does not matter what is learnt, and many processes compile it."""
    return [*small_run_flags, *(f"--config.{name}={value}" for name, value in QUICK_CHANGES.items())]


@pytest.fixture(scope="session")
def small_quick_run(
    start: Callable[..., subprocess.Popen],
    small_quick_run_flags: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> pathlib.Path:
    """The work folder of that one, undisturbed, on one device."""
    return _run_once("small_quick_run", start, small_quick_run_flags, tmp_path_factory)


def _run_once(name: str, start: Callable, flags: list[str], factory: pytest.TempPathFactory) -> pathlib.Path:
    def make(workdir: pathlib.Path) -> None:
        process = start(*flags, f"--workdir={workdir}")
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0, output

    return make_once(name, factory, make)


@pytest.fixture(scope="session")
def tiny_weights() -> Any:
    """Of a model that is small, and of strong opinions."""
    return _small_weights("test", "tiny")


@pytest.fixture(scope="session")
def lite_weights() -> Any:
    """The same on an encoder of the pretrained one's form."""
    return _small_weights("Lite-test", "lite")


def _small_weights(variant: str, name: str) -> Any:
    from configs import ssl_vit
    from hybridvit.color.bins import NUM_BINS
    from hybridvit.inference.weights import Weights
    from hybridvit.models.generator import build_generator

    config = ssl_vit.get_config().model.copy_and_resolve_references()
    with config.unlocked():
        config.variant = variant
    params = build_generator(config).init(jax.random.key(0))[0]
    keys = iter(jax.random.split(jax.random.key(1), 200))
    # Away from the zeros that blocks start with
    params = jax.tree.map(lambda x: np.asarray(x + 0.1 * jax.random.normal(next(keys), x.shape)), params)
    return Weights(params, np.zeros(NUM_BINS, np.float32), config, name, "0" * 64)


@pytest.fixture(scope="session")
def classifier() -> tuple[Any, Any]:
    """An `efficientnet_lite.Classifier` that is small, random, and of strong opinions; and its parameters."""
    from flax import nnx

    from hybridvit.models.efficientnet_lite import SIZES, Classifier

    module = Classifier(SIZES["test"], rngs=nnx.Rngs(3))
    params = nnx.to_pure_dict(nnx.state(module, nnx.Param))
    keys = iter(jax.random.split(jax.random.key(1), 200))
    params = jax.tree.map(lambda x: 1.5 * x + 0.2 * jax.random.normal(next(keys), x.shape), params)
    coarse = jax.random.uniform(jax.random.key(2), (8, 4, 4, 3)).repeat(64, 1).repeat(64, 2)
    _, features = jax.jit(nnx.merge(nnx.graphdef(module), params))(coarse)
    params["classes"]["bias"] = (
        -features.mean(0) @ params["classes"]["kernel"]
    )  # no class is for all pictures
    return nnx.merge(nnx.graphdef(module), params), params


@pytest.fixture(scope="session")
def classifier_file(classifier: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The same, as `models.encoder_weights` writes it."""
    import safetensors.numpy
    from flax.traverse_util import flatten_dict

    from hybridvit.models.encoder_weights import FORMAT

    path = tmp_path_factory.mktemp("classifier") / "test.safetensors"
    arrays = {name: np.asarray(x) for name, x in flatten_dict(classifier[1], sep="/").items()}
    safetensors.numpy.save_file(arrays, path, {"format": FORMAT, "variant": "test"})
    return path


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
        doubt = np.full((4, 4), 0.7, np.float32)
        return SimpleNamespace(
            rgb=rgb, uncertainty=doubt, photo=photo, provenance=provenance, remarks=(), further=()
        )


@pytest.fixture
def stub_colorizer() -> StubColorizer:
    """A colorizer without a model."""
    return StubColorizer()


@pytest.fixture(scope="session")
def exif_block() -> bytes:
    """Big-endian, with UTF-8 text, GPS, a maker's note, an unknown tag, an orientation and a thumbnail's directory."""
    values = {  # (tag, type, bytes); the maker's note stands at 400
        0: [
            (0x010E, 2, "Straße nach Łódź\0".encode()),
            (0x0112, 3, struct.pack(">H", 6)),
            (0x011A, 5, struct.pack(">II", 300, 1)),
            (0x011B, 5, struct.pack(">II", 200, 1)),
            (0x0128, 3, struct.pack(">H", 2)),
            (0x0131, 2, b"Scan 1\0"),
            (0x8769, 4, struct.pack(">I", 200)),
            (0x8825, 4, struct.pack(">I", 300)),
            (0xC614, 2, b"unknown\0"),
        ],
        200: [
            (0x9003, 2, b"1944:06:06 06:30:00\0"),
            (0x927C, 7, b"note" * 10),
            (0xA002, 3, struct.pack(">H", 99)),
        ],
        300: [(1, 2, b"N\0"), (2, 5, struct.pack(">6I", 49, 1, 20, 1, 1234, 100))],
    }
    out = bytearray(b"MM\0*" + struct.pack(">I", 8)) + bytearray(600)
    behind = 440
    out[400:440] = b"note" * 10
    for start, entries in values.items():
        at = start or 8
        out[at : at + 2] = struct.pack(">H", len(entries))
        for i, (tag, kind, value) in enumerate(entries):
            count = len(value) // {2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind]
            if len(value) > 4:
                place = 400 if tag == 0x927C else behind
                out[place : place + len(value)] = value
                behind += 0 if tag == 0x927C else len(value) + len(value) % 2
                value = struct.pack(">I", place)
            out[at + 2 + 12 * i : at + 14 + 12 * i] = struct.pack(">HHI", tag, kind, count) + value.ljust(
                4, b"\0"
            )
    return bytes(out[:behind])
