"""Photographs decoded in a process of their own, bounded in memory and time.

What a file does to the decoders (crash, hang, fill the memory) ends with that process, which knows nothing of JAX and
decodes nothing else. One waits, its libraries loaded, for the next file. Pixels come back as a mapped temporary file,
the rest as JSON.
"""

import atexit
import errno
import json
import mmap
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hybridvit.photo.photo import Photo
from hybridvit.studio.decoded_fields import from_text

AT_ONCE = 2  # files; memory is bounded for each
BASE, EACH_PIXEL = (
    2**30,
    32,
)  # bytes of address space; a pixel of four 32-bit floats is 16, and once more turned upright
SECONDS, PIXELS_EACH_SECOND = 30, 5_000_000
MOST_METADATA = 64 * 2**20  # bytes

Answer = TypeVar("Answer")

_turn = threading.BoundedSemaphore(AT_ONCE)
_lock = threading.Lock()
_spare: list[subprocess.Popen] = []


def decode_photo(path: str | os.PathLike, max_pixels: int) -> Photo:
    """As `photo.photo.read_photo`, in a child process; to be called from a thread.

    Raises:
      OSError: it cannot be opened.
      ValueError: what `read_photo` says, or that the decoders failed, or took too much memory or time; one line that
        names the file.
    """
    return in_child(Path(path), {}, max_pixels, _collect)


def in_child(
    path: Path, wanted: Mapping[str, Any], max_pixels: int, collect: Callable[[Path, Path], Answer]
) -> Answer:
    """What a child makes of a file, bounded as for a photograph of so many pixels.

    Args:
      path: of the file.
      wanted: what of it, see `decode_child`.
      max_pixels: of a picture in it.
      collect: given `path` and the folder of the child's files, takes the answer out of them.

    Raises what `decode_photo` raises.
    """
    with _turn, tempfile.TemporaryDirectory(prefix="hybridvit-", ignore_cleanup_errors=True) as folder:
        child = _take()
        seconds = SECONDS + max_pixels / PIXELS_EACH_SECOND
        order = {
            **wanted,
            "path": os.fspath(path.absolute()),
            "folder": folder,
            "max_pixels": max_pixels,
            "memory": _memory(max_pixels),
            "seconds": seconds,
        }
        try:
            # surrogateescape: names of files may be in any encoding
            child.communicate(json.dumps(order).encode(), timeout=seconds * 2)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        except BaseException:
            child.kill()
            raise
        _check(path, Path(folder), child.returncode, seconds)
        return collect(path, Path(folder))


def warm_up_decoder() -> None:
    """Starts the process that the next photograph will be decoded in; returns at once."""
    with _lock:
        if not _spare:
            _spare.append(_start())


def _take() -> subprocess.Popen:
    with _lock:
        child = _spare.pop() if _spare else None
    if child is None or child.poll() is not None:
        child = _start()
    warm_up_decoder()
    return child


def _start() -> subprocess.Popen:
    root = Path(__file__).parents[2]
    few = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    found = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "hybridvit.studio.decode_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **few, "PYTHONPATH": found},
        start_new_session=os.name == "posix",  # Ctrl-C is the server's
    )


@atexit.register
def _stop() -> None:
    for child in _spare:
        child.kill()
        child.communicate()


def _memory(max_pixels: int) -> int:
    """Bytes that a child may take: for the largest photograph, or half of the machine's."""
    wanted = BASE + EACH_PIXEL * max_pixels
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return wanted
    return min(wanted, max(BASE, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2))


def _check(path: Path, folder: Path, code: int, seconds: float) -> None:
    """Raises what went wrong."""
    failure, rest = folder / "error", folder / "rest"
    if failure.exists():
        kind, *details = json.loads(failure.read_text())
        if kind == "OSError":
            number, reason = details
            raise OSError(number or errno.EIO, reason, os.fspath(path))
        raise ValueError(details[0].replace(os.fspath(path.absolute()), os.fspath(path)))
    if code < 0 or not rest.exists():
        raise ValueError(
            f"{path}: cannot be decoded: damaged, or it needs more memory or time ({seconds:.0f} s) than it is given"
        )
    if rest.stat().st_size > MOST_METADATA:
        raise ValueError(f"{path}: its metadata take more than {MOST_METADATA >> 20} MB")


def _collect(path: Path, folder: Path) -> Photo:
    try:
        fields = from_text((folder / "rest").read_bytes())
        arrays = {
            name: mapped(folder / name, *fields.pop(name)) for name in ("pixels", "alpha") if fields[name]
        }
        return Photo(**{**fields, **arrays, "source": path})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def mapped(file: Path, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """The array of a file; its memory is the file's, which is gone with it. Writing into it is private."""
    if os.name == "nt":  # a mapped file could not be removed
        return np.fromfile(file, dtype).reshape(shape)
    with file.open("rb") as opened:
        held = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    return np.frombuffer(held, dtype).reshape(shape)
