"""A test that ended its process is not run again.

pytest ends a process whose test takes 600 s (pyproject.toml), and the kernel one that takes too much memory. With
`--dist loadfile` xdist begins the rest of that file in a new process with the very test that ended the last: eight times
by default, and a hang would cost eighty minutes.
"""

import pathlib

import pytest


class Ended:
    """A plugin for one of xdist's processes: notes which test it is at, and looks at what the others had noted.

    A test is given to one process. So what another one has noted is what it was at when it ended.
    """

    def __init__(self, folder: pathlib.Path, worker: str):
        """`folder`: of all of this run's processes; `worker`: this one's name."""
        self._folder, self._note = folder, folder / worker
        folder.mkdir(exist_ok=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before its fixtures are set up, which may be what hangs."""
        for note in self._folder.iterdir():
            if note != self._note and note.read_text() == item.nodeid:
                pytest.fail(
                    f"it has ended the process {note.name}; the output above says where it was", pytrace=False
                )
        self._note.write_text(item.nodeid)
