"""A test that ended its process is not run again in another one."""

from types import SimpleNamespace

import pytest

from tests.ended import Ended


def test_what_another_process_was_at_fails_at_once(tmp_path):
    folder = tmp_path / "running"
    first, second = Ended(folder, "gw0"), Ended(folder, "gw1")
    first.pytest_runtest_setup(SimpleNamespace(nodeid="a.py::test_one"))
    first.pytest_runtest_setup(SimpleNamespace(nodeid="a.py::test_hangs"))
    second.pytest_runtest_setup(SimpleNamespace(nodeid="a.py::test_one"))
    with pytest.raises(pytest.fail.Exception, match="has ended the process gw0"):
        second.pytest_runtest_setup(SimpleNamespace(nodeid="a.py::test_hangs"))
    second.pytest_runtest_setup(SimpleNamespace(nodeid="a.py::test_after_it"))
