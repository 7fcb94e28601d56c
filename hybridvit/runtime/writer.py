"""What a run reports: scalars, pictures and texts to TensorBoard, and the scalars once more to `metrics.jsonl`."""

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import SupportsFloat

import numpy as np
from jaxtyping import UInt8

# tensorboardX imports PyTorch where it is installed: seconds, for nothing
_torch = sys.modules.setdefault("torch", None)

from tensorboardX import summary  # noqa: E402
from tensorboardX.event_file_writer import EventsWriter  # noqa: E402
from tensorboardX.proto.event_pb2 import Event, SessionLog  # noqa: E402

if _torch is None:
    del sys.modules["torch"]


class Writer:
    """Writes to `folder`/tensorboard and `folder`/metrics.jsonl. A context manager.

    `start_step` is the step that the run resumes from, 0 for a new one: what an earlier start wrote for later
    steps is dropped, as they come again. Where not `active` (on processes other than the first) nothing is
    written or created. Whatever is written is at once on disk. Raises OSError, one line, where that is full.
    """

    def __init__(self, folder: str | os.PathLike, start_step: int = 0, active: bool = True):
        self._active = active
        self._start_step = start_step
        if active:
            self._folder = Path(folder)
            board = self._folder / "tensorboard"
            with self._named():
                board.mkdir(parents=True, exist_ok=True)
                _drop_after(self._folder / "metrics.jsonl", start_step)
                self._lines = open(self._folder / "metrics.jsonl", "a", encoding="utf-8")  # noqa: SIM115
                # Not SummaryWriter: its thread dies of a full disk, and then the run waits for it for ever.
                # The suffix is for starts in one second, whose files would have one name
                self._board = EventsWriter(str(board / "events"), f".{start_step:09}")
                after = start_step + 1  # what TensorBoard has of these steps, it forgets
                self._add(Event(step=after, session_log=SessionLog(status=SessionLog.START)))

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def scalars(self, step: int, values: Mapping[str, SupportsFloat]) -> None:
        """One line of metrics.jsonl; a value that is not finite is null there."""
        if self._active:
            numbers = {name: float(value) for name, value in values.items()}
            finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
            with self._named():
                self._lines.write(json.dumps({"step": step, **finite}) + "\n")
                self._lines.flush()
                for name, value in numbers.items():
                    self._add(Event(step=step, summary=summary.scalar(name, value)))

    def images(self, step: int, name: str, image: UInt8[np.ndarray, "h w 3"]) -> None:
        """A picture to TensorBoard."""
        if self._active:
            with self._named():
                self._add(Event(step=step, summary=summary.image(name, image, dataformats="HWC")))

    def text(self, name: str, text: str) -> None:
        """A text (Markdown) to TensorBoard, at the step that the run starts from."""
        if self._active:
            with self._named():
                self._add(Event(step=self._start_step, summary=summary.text(name, text)))

    def close(self) -> None:
        """Closes the files."""
        if self._active:
            with contextlib.suppress(OSError):  # of what was to be told when it was written
                self._lines.close()
            with contextlib.suppress(OSError):
                self._board.close()

    def _add(self, event: Event) -> None:
        event.wall_time = time.time()
        self._board.write_event(event)
        self._board.flush()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Says where it happened: an error of writing does not know."""
        try:
            yield
        except OSError as error:
            raise OSError(
                f"{self._folder} cannot be written to ({error.strerror}): make room there, and the same command goes on"
            ) from error


def _drop_after(path: Path, step: int) -> None:
    """Keeps the lines up to `step`; a line that a kill cut short goes too."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except json.JSONDecodeError:
            continue
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(path)
