"""The persistent compilation cache: compiled programs are kept on disk, so that a second start is quick."""

import os

import jax

FOLDER = "~/.cache/hybridvit/jax"


def enable_compilation_cache(folder: str = FOLDER) -> None:
    """Keeps compiled programs in `folder`; an empty one changes nothing."""
    if folder:
        jax.config.update("jax_compilation_cache_dir", os.path.expanduser(folder))
