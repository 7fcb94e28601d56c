import numpy as np
import threadpoolctl

from hybridvit.runtime.blas import one_blas_thread


def threads():
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


def test_blas_has_one_thread_inside_and_as_many_as_before_afterwards():
    before = threads()
    assert before
    with one_blas_thread():
        assert set(threads()) == {1}
        np.testing.assert_allclose(np.ones((300, 300)) @ np.ones((300, 2)), 300)
    assert threads() == before
