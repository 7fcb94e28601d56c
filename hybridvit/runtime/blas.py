"""NumPy's matrix products on one thread, where threads of our own do the sharing out.

OpenBLAS waits for its threads in busy loops: products of a few hundred rows, beside other threads at work, took ten
times the CPU time that one thread takes.
"""

import numpy  # noqa: F401  what is loaded later is not limited
import threadpoolctl


def one_blas_thread() -> threadpoolctl.threadpool_limits:
    """A context in which BLAS has one thread, in all of the process."""
    return threadpoolctl.threadpool_limits(1, "blas")
