"""The process that decodes one photograph for `decode`: order on standard input, results as files in a folder.

In: JSON {"path", "folder", "max_pixels", "memory", "seconds"}. Out: "pixels" and "alpha" (raw arrays) and "rest" (as
`decoded_fields` has it), or "error" (JSON). With "film" in the order, what `film_child` says. Address space and CPU
time are bounded where the system can.
"""

import json
import os
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np

from hybridvit.photo.photo import Photo, read_photo
from hybridvit.studio.decoded_fields import to_text


def main() -> None:
    """Waits for the order, carries it out, ends."""
    text = sys.stdin.buffer.read()
    if not text:  # the server has ended
        return
    order = json.loads(text)
    path, folder = Path(order["path"]), Path(order["folder"])
    try:
        _bound(order["memory"], order["seconds"])
        if "film" in order:
            from hybridvit.studio.film_child import answer  # PyAV may not be there, and takes its time

            answer(path, folder, order["film"], order["max_pixels"])
        else:
            _keep(read_photo(path, order["max_pixels"]), folder)
    except MemoryError:
        _report(folder, "ValueError", _too_much(order))
    except OSError as error:
        _report(folder, "OSError", error.errno, error.strerror or str(error))
    except ValueError as error:
        out_of_memory = re.search("out of memory|memory alloc|insufficient memory", str(error), re.IGNORECASE)
        _report(folder, "ValueError", _too_much(order) if out_of_memory else str(error))
    except ModuleNotFoundError as error:
        _report(folder, "ValueError", str(error))
    except Exception as error:
        _report(folder, "ValueError", f"{path}: cannot be decoded ({type(error).__name__}: {error})")
    os._exit(0)  # at once, whatever threads the decoders have left


def _keep(photo: Photo, folder: Path) -> None:
    try:
        for name in ("pixels", "alpha"):
            array = getattr(photo, name)
            if array is not None:
                with (folder / name).open("wb") as file:
                    file.write(np.ascontiguousarray(array).data.cast("B"))
        (folder / "unfinished").write_text(to_text(photo), encoding="utf-8")
        os.replace(folder / "unfinished", folder / "rest")
    except OSError as error:
        raise ValueError(
            f"{photo.source}: its pixels find no room in {folder.parent} ({error.strerror}): make some"
        ) from error


def _bound(memory: int, seconds: float) -> None:
    if sys.platform == "win32":  # has no such limits
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (round(seconds), round(seconds) + 1))
    if sys.platform == "darwin":  # takes the limit and does not keep it
        threading.Thread(target=_watch, args=(memory,), daemon=True).start()
    else:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _watch(memory: int) -> None:
    import resource

    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < memory:
        time.sleep(0.02)
    os._exit(1)


def _too_much(order: dict) -> str:
    return f"{order['path']}: needs more than {order['memory'] >> 20} MB to be decoded: reduce it first"


def _report(folder: Path, *what: object) -> None:
    (folder / "error").write_text(json.dumps(what))


if __name__ == "__main__":
    main()
