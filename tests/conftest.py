"""Eight fake CPU devices and a persistent compilation cache, before JAX starts its backend."""

import os
import tempfile

import jax

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update(
    "jax_compilation_cache_dir", os.path.join(tempfile.gettempdir(), "hybridvit-tests-jax-cache")
)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
