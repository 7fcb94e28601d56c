"""One run at a time in a work folder: a lock that ends with the process that holds it, however that ends."""

import contextlib
import os
import pathlib
import shutil
import socket
from collections.abc import Iterator, Sequence
from typing import TextIO

from absl import logging

try:
    import fcntl
except ModuleNotFoundError:  # Windows has no such locks
    fcntl = None

NAME = "lock"


@contextlib.contextmanager
def lock_folder(folder: pathlib.Path) -> Iterator[None]:
    """Makes the folder and holds it, for one process only; after an error that left nothing in it, it is removed again.

    On a file system without locks (some network ones, and buckets) it warns, and holds nothing. Raises OSError, one
    line, if the folder cannot be written to, or is held by another process, which is named.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        reason = f"the work folder {folder} cannot be written to ({error.strerror})"
        raise OSError(f"{reason}: make it writable, or choose another with --workdir") from None
    with os.fdopen(file, "r+", encoding="utf-8") as text:
        _lock(text, folder)
        text.truncate()
        text.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        text.flush()
        try:
            yield
        except BaseException:
            _leave_nothing_empty(missing)
            raise


def _leave_nothing_empty(made: Sequence[pathlib.Path]) -> None:
    """Removes the folders that were made, the innermost first, if no file but the lock is in them."""
    with contextlib.suppress(
        OSError
    ):  # somebody else's file is in one, or a file that is open cannot be removed
        if made and not any(path.is_file() and path.name != NAME for path in made[0].rglob("*")):
            shutil.rmtree(made[0])
            for folder in made[1:]:
                folder.rmdir()


def _lock(text: TextIO, folder: pathlib.Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(text, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = text.read(200).strip() or "another process"
        raise OSError(
            f"another run is at work in {folder} ({holder}): wait until it ends, or choose another --workdir"
        ) from None
    except OSError as error:
        logging.warning("no lock on %s (%s): see to it that no second run is started there", folder, error)
