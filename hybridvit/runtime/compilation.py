"""The persistent compilation cache: compiled programs are kept on disk, so that a second start is quick."""

import os

import jax

FOLDER = "~/.cache/hybridvit/jax"


def enable_compilation_cache(folder: str = FOLDER) -> None:
    """Keeps compiled programs in `folder`; an empty one changes nothing.

    JAX's own environment variable JAX_COMPILATION_CACHE_DIR, where it is set, goes first.
    """
    if folder and not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", os.path.expanduser(folder))
