"""What a run reports: scalars, pictures and texts to TensorBoard, and the scalars once more to `metrics.jsonl`."""

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np
from jaxtyping import UInt8

FLUSH_SECONDS = 1  # what a kill may cost TensorBoard; metrics.jsonl loses nothing


class Writer:
    """Writes to `folder`/tensorboard and `folder`/metrics.jsonl. A context manager.

    `start_step` is the step that the run resumes from, 0 for a new one: what an earlier start wrote for later
    steps is dropped, as they come again. Where not `active` (on processes other than the first) nothing is
    written or created.
    """

    def __init__(self, folder: str | os.PathLike, start_step: int = 0, active: bool = True):
        self._active = active
        self._start_step = start_step
        if active:
            folder = Path(folder)
            folder.mkdir(parents=True, exist_ok=True)
            _drop_after(folder / "metrics.jsonl", start_step)
            self._lines = open(folder / "metrics.jsonl", "a", encoding="utf-8")  # noqa: SIM115
            self._board = _summary_writer()(
                str(folder / "tensorboard"),
                purge_step=start_step + 1,
                flush_secs=FLUSH_SECONDS,
                filename_suffix=f".{start_step:09}",  # files of one second would have one name
            )

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def scalars(self, step: int, values: Mapping[str, SupportsFloat]) -> None:
        """One line of metrics.jsonl, at once on disk; a value that is not finite is null there."""
        if self._active:
            numbers = {name: float(value) for name, value in values.items()}
            finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
            self._lines.write(json.dumps({"step": step, **finite}) + "\n")
            self._lines.flush()
            for name, value in numbers.items():
                self._board.add_scalar(name, value, step)

    def images(self, step: int, name: str, image: UInt8[np.ndarray, "h w 3"]) -> None:
        """A picture to TensorBoard."""
        if self._active:
            self._board.add_image(name, image, step, dataformats="HWC")

    def text(self, name: str, text: str) -> None:
        """A text (Markdown) to TensorBoard, at the step that the run starts from."""
        if self._active:
            self._board.add_text(name, text, self._start_step)

    def close(self) -> None:
        """Writes out what is buffered."""
        if self._active:
            self._lines.close()
            self._board.close()


def _summary_writer() -> Any:
    """tensorboardX's class, without PyTorch, which it imports where it is installed: seconds, for nothing."""
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None
    try:
        from tensorboardX import SummaryWriter
    finally:
        if hidden:
            del sys.modules["torch"]
    return SummaryWriter


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
