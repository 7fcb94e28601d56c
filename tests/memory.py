"""What files have compiled and traced is given back, once it is much.

Compiled programs stay with JAX for as long as its process lives, freed memory with the C library: without this, each of
CI's two processes grew to 5 to 8 GB. What the next file needs of it is traced again and comes from the cache on the
disk, at 10 ms of CPU a small program: therefore not after each file.
"""

import ctypes
import gc
import os
import pathlib

import jax
import pytest

MOST_BYTES = 2e9
STATUS = pathlib.Path("/proc/self/statm")  # of Linux; elsewhere nothing is given back


def resident_bytes() -> int:
    """What this process has in memory; 0 where that is not known."""
    return int(STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if STATUS.exists() else 0


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last test of a file, when its own fixtures are gone."""
    if (nextitem is None or nextitem.path != item.path) and resident_bytes() > MOST_BYTES:
        jax.clear_caches()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
