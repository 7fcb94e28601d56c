"""The queue: batches of photographs, coloured one after the other by the code of `hybridvit colorize`."""

import asyncio
import dataclasses
import functools
import math
import pathlib
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

from hybridvit.colorize.batch import colorize_files
from hybridvit.colorize.inputs import Source
from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.colorize.naming import Job, plan
from hybridvit.colorize.summary import Summary, explain
from hybridvit.photo.photo import Photo
from hybridvit.serve.archives import pack
from hybridvit.serve.limits import KEPT
from hybridvit.studio.limits import PIXELS
from hybridvit.studio.workers import Workers

Gather = Callable[[pathlib.Path], tuple[list[pathlib.Path], dict[str, str]]]
"""Puts the photographs below a folder: their relative paths, and what cannot be had with its reason."""


@dataclasses.dataclass
class Batch:
    """One that was taken. `state`: waiting, running, done or failed; `failed`: reasons by photograph."""

    id: str
    folder: pathlib.Path
    gather: Gather
    format: str | None
    settings: Mapping[str, Any]
    state: str = "waiting"
    total: int = 0
    coloured: int = 0
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    remarks: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    error: str | None = None
    seconds: float = 0.0

    @property
    def result(self) -> pathlib.Path:
        """The zip of its results."""
        return self.folder / "results.zip"


class FullError(Exception):
    """The queue is full; `seconds` until there may be room."""

    def __init__(self, seconds: int):
        super().__init__(f"the queue is full: come again in {seconds} s")
        self.seconds = seconds


class Batches:
    """All batches, in memory and below `folder`, which is emptied: nothing outlives the service.

    `most` may wait. `decode` opens a photograph safely, or raises ValueError: before the colorizer reads it.
    """

    def __init__(
        self, colorizer: Any, folder: pathlib.Path, most: int, decode: Callable[[pathlib.Path, int], Photo]
    ):
        self._colorizer, self._folder, self._most, self._decode = colorizer, folder, most, decode
        self._all: dict[str, Batch] = {}
        self._workers = Workers()
        self._task: asyncio.Task | None = None
        self._usual = 10.0  # seconds of a batch
        self.pictures = {"coloured": 0, "failed": 0}
        self.ended = {"done": 0, "failed": 0}
        self.refused = 0
        self.seconds = 0.0
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def waiting(self) -> int:
        """How many have not begun."""
        return sum(batch.state == "waiting" for batch in self._all.values())

    def check_room(self) -> None:
        """Raises FullError where no further batch is taken now."""
        waiting = self.waiting()
        if waiting >= self._most:
            self.refused += 1
            raise FullError(max(1, math.ceil(self._usual)))

    def begin_folder(self) -> pathlib.Path:
        """A folder for what comes in; to be given to `add`, or removed."""
        folder = self._folder / secrets.token_hex(8)
        folder.mkdir()
        return folder

    def add(
        self, folder: pathlib.Path, gather: Gather, form: str | None, settings: Mapping[str, Any]
    ) -> Batch:
        """Queues one. Raises FullError."""
        self.check_room()
        batch = Batch(folder.name, folder, gather, form, settings)
        self._all[batch.id] = batch
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return batch

    def get(self, name: str) -> Batch | None:
        """By its id."""
        return self._all.get(name)

    def place(self, batch: Batch) -> int:
        """How many batches are before it."""
        if batch.state != "waiting":
            return 0
        ids = [one.id for one in self._all.values() if one.state in ("waiting", "running")]
        return ids.index(batch.id)

    async def remove(self, batch: Batch) -> None:
        """It and its files; one that runs is no batch to be removed."""
        del self._all[batch.id]
        await self._workers.run("files", shutil.rmtree, batch.folder, ignore_errors=True)

    async def _work(self) -> None:
        while batch := next((one for one in self._all.values() if one.state == "waiting"), None):
            batch.state, began = "running", time.monotonic()
            try:
                await self._workers.run("saving", self._run, batch)
                batch.state = "done"
            except Exception as error:  # one batch must not end the others
                batch.error, batch.state = explain(error, batch.folder), "failed"
                await self._workers.run("files", shutil.rmtree, batch.folder, ignore_errors=True)
            batch.seconds = time.monotonic() - began
            self._usual = 0.7 * self._usual + 0.3 * batch.seconds
            self.seconds += batch.seconds
            self.ended[batch.state] += 1
            self.pictures["coloured"] += batch.coloured
            self.pictures["failed"] += len(batch.failed)
            ended = [one for one in self._all.values() if one.state in ("done", "failed")]
            for old in ended[:-KEPT]:
                await self.remove(old)

    def _run(self, batch: Batch) -> None:
        given, results = batch.folder / "given", batch.folder / "results"
        for folder in (given, results):
            folder.mkdir()
        pictures, failed = batch.gather(given)
        batch.total = len(pictures) + len(failed)
        planned = plan([Source(given / name, name) for name in pictures], results, batch.format)
        for group, reason in planned.refused.items():
            failed |= {path.relative_to(given).as_posix(): reason for path in group}
        neighbours = Neighbours()
        for job in planned.jobs:
            name = job.source.relative_to(given).as_posix()
            reason = self._color(batch, job, neighbours)
            if reason is None:
                batch.coloured += 1
            else:
                failed[name] = reason.replace(f"{given}/", "")
        batch.failed = failed
        shutil.rmtree(given)
        pack(results, batch.result)

    def _color(self, batch: Batch, job: Job, neighbours: Neighbours) -> str | None:
        """What went wrong."""
        try:
            self._decode(job.source, PIXELS)
        except (OSError, ValueError) as error:
            return explain(error, job.source)
        summary = Summary(total=1)
        sidecar_of = functools.partial(find_sidecar, neighbours=neighbours)
        colorize_files(self._colorizer, [job], summary, sidecar_of=sidecar_of, settings=batch.settings)
        name = job.source.name
        for remark in summary.remarks:
            batch.remarks.setdefault(remark, []).append(name)
        if summary.stopped:
            raise OSError(summary.stopped)
        return next(iter(summary.failed.values()), None)
