"""Eight fake CPU devices and a persistent compilation cache, before JAX starts its backend; a tiny experiment."""

import os
import pathlib
import tempfile

import jax
import pytest
from ml_collections import ConfigDict

CACHE = os.path.join(tempfile.gettempdir(), "hybridvit-tests-jax-cache")
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)

ROOT = pathlib.Path(__file__).parent.parent
TINY = {  # the flagship's run in all but size
    "data.image_size": 32,
    "data.batch_size": 8,
    "data.unlabeled_batch_size": 8,
    "data.eval_limit": 3,
    "model.variant": "test",
    "hints.max_count": 16,
    "hints.cell_sizes": (1, 2),
    "consistency.warmup_steps": 2,
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


@pytest.fixture
def tiny_config() -> ConfigDict:
    """configs/ssl_vit.py on the bundled photographs, small enough for a test."""
    from configs import ssl_vit

    config = ssl_vit.get_config()
    config.update_from_flattened_dict(TINY)
    return config


@pytest.fixture
def tiny_flags() -> list[str]:
    """The same as command-line flags."""
    values = {name: ",".join(map(str, v)) if isinstance(v, tuple) else v for name, v in TINY.items()}
    return ["--config=configs/ssl_vit.py", *(f"--config.{name}={value}" for name, value in values.items())]
