"""What a file's tests have compiled and traced is given back at its end.

Compiled programs stay with JAX for as long as its process lives, freed memory with the C library: without this, each
of CI's two processes grew to 5 to 8 GB, and Python's garbage collector went through all of it again and again. What the
next file needs of it comes from the cache on the disk.
"""

import ctypes
import gc
import sys

import jax
import pytest


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last test of a file, when its own fixtures are gone."""
    if nextitem is None or nextitem.path != item.path:
        jax.clear_caches()
        gc.collect()
        gc.freeze()  # what is left is modules and what the session shares: not to be looked at again
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
