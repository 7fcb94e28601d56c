"""What a run reports: scalars, pictures and texts to TensorBoard, the scalars to `metrics.jsonl`, all to a tracker."""

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np
from absl import logging
from jaxtyping import UInt8

from hybridvit.runtime.trackers import Outcome, Tracker

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

    `tracker` is told the same, each step once: trackers forget nothing. One that fails is told nothing more, with a
    warning: a training goes on without it.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        start_step: int = 0,
        active: bool = True,
        tracker: Tracker | None = None,
    ):
        self._active = active
        self._tracker = tracker
        self._told = 0  # the step up to which the tracker knows all
        self._outcome: Outcome = "failed"
        self._start_step = start_step
        if active:
            self._folder = Path(folder)
            board = self._folder / "tensorboard"
            with self._named():
                board.mkdir(parents=True, exist_ok=True)
                written = _drop_after(self._folder / "metrics.jsonl", start_step)
                self._told = written if tracker and not tracker.is_new else 0
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
            self._tell(step, lambda tracker: tracker.scalars(step, numbers))

    def images(self, step: int, name: str, image: UInt8[np.ndarray, "h w 3"]) -> None:
        """A picture to TensorBoard."""
        if self._active:
            with self._named():
                self._add(Event(step=step, summary=summary.image(name, image, dataformats="HWC")))
            self._tell(step, lambda tracker: tracker.images(step, name, image))

    def text(self, name: str, text: str) -> None:
        """A text (Markdown) to TensorBoard, at the step that the run starts from."""
        if self._active:
            with self._named():
                self._add(Event(step=self._start_step, summary=summary.text(name, text)))

    def config(self, config: Mapping[str, Any], about: Mapping[str, str]) -> None:
        """The config and what else is to be known of the run, to the tracker."""
        self._tell(None, lambda tracker: tracker.config(config, about))

    def checkpoint(self, step: int, path: Path) -> None:
        """Where the last checkpoint is, to the tracker."""
        self._tell(None, lambda tracker: tracker.checkpoint(step, path))

    def end(self, outcome: Outcome) -> None:
        """How the run ended, for the tracker; what is closed without it has failed."""
        self._outcome = outcome

    def close(self) -> None:
        """Closes the files."""
        self._tell(None, lambda tracker: tracker.close(self._outcome))
        self._tracker = None
        if self._active:
            with contextlib.suppress(OSError):  # of what was to be told when it was written
                self._lines.close()
            with contextlib.suppress(OSError):
                self._board.close()

    def _tell(self, step: int | None, tell: Callable[[Tracker], None]) -> None:
        if self._tracker is None or (step is not None and step <= self._told):
            return
        try:
            tell(self._tracker)
        except Exception as error:  # of somebody else's network code
            logging.warning(
                "%s takes nothing more (%s: %.200s): from step %s on only metrics.jsonl and tensorboard/ have it",
                self._tracker.place, type(error).__name__, " ".join(str(error).split()), step or "the last",
            )  # fmt: skip
            self._tracker = None

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


def _drop_after(path: Path, step: int) -> int:
    """Keeps the lines up to `step`; a line that a kill cut short goes too. Returns the last step that there was."""
    if not path.exists():
        return 0
    kept, last = [], 0
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            last = json.loads(line)["step"]
        except json.JSONDecodeError:
            continue
        if last <= step:
            kept.append(line + "\n")
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(path)
    return last
