"""The Beam pipeline: inputs -> photographs, films -> those whose result's name is theirs alone -> coloured by workers.

Each photograph is coloured by the code of `hybridvit colorize` (`colorize/batch`), from and to the disk of the worker:
what is done already is skipped by the record in the result, so a bundle that is tried again, and a job that is started
again, do nothing twice; a result appears whole or not at all. What cannot be coloured goes to OUTPUT/failed.jsonl.
"""

import argparse
import dataclasses
import functools
import json
import logging
import pathlib
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from hybridvit.bulk import films
from hybridvit.bulk.files import exists, fetch, is_remote, listed, put
from hybridvit.bulk.found import Found, find
from hybridvit.colorize.batch import NO_ROOM, Orders, Work, is_result, make, prepare
from hybridvit.colorize.inputs import Source, folded
from hybridvit.colorize.namesakes import Neighbours, by_claim, claim_of, find_sidecar
from hybridvit.colorize.naming import Job, job_of
from hybridvit.colorize.summary import explain
from hybridvit.film.names import is_film
from hybridvit.hints.sidecar import sidecar_path, whole_sidecar_path

FAILED = "failed.jsonl"
COUNTERS = ("coloured", "skipped", "failed", "results", "bytes")
NAMESPACE = "hybridvit"
HELD_BYTES = 2**30  # of decoded pixels that wait for others of their shape
Failure = dict[str, str]  # photo, reason
Pair = tuple[str, str]  # of a `Found`, which Beam's coders for named tuples would not give back as one


@dataclasses.dataclass(frozen=True)
class Task:
    """What is asked for: `options` of the command, `output` absolute, `batch` views at once (0: choose)."""

    options: argparse.Namespace
    orders: Orders
    output: str
    batch: int
    keeps_case: bool  # whether `output` keeps both A and a


class Waiting(NamedTuple):
    """A photograph that is read, in a folder of its own on this machine."""

    found: Found
    folder: tempfile.TemporaryDirectory
    job: Job
    work: Work


def build(pipeline: beam.Pipeline, inputs: list[str], task: Task) -> None:
    """Adds the whole job to `pipeline`."""
    failures = (
        pipeline
        | "inputs" >> beam.Create(inputs, reshuffle=False)
        | "find" >> beam.FlatMap(lambda argument: [tuple(one) for one in find(argument, task.output)])
        | "name" >> beam.Map(lambda found: (target_of(Found(*found), task), found))
        | "by name" >> beam.GroupByKey()
        | "one a name" >> beam.FlatMap(lambda pair: only_one(*pair)).with_outputs("failed", main="photos")
    )
    coloured = failures.photos | "spread" >> beam.Reshuffle() | "colour" >> beam.ParDo(Colour(task))
    (
        (failures.failed, coloured)
        | "all failures" >> beam.Flatten()
        | "as JSON" >> beam.Map(counted_line)
        | "write failures"
        >> beam.io.WriteToText(f"{task.output}/{FAILED}", num_shards=1, shard_name_template="")
    )


def local_job(found: Found, task: Task, folder: pathlib.Path) -> Job:
    """The files of one photograph inside `folder`: the input below `in`, results below `out`, or beside it."""
    place = pathlib.Path(found.relative)
    output = folder / ("in" if task.output == found.root else "out")
    options = task.options
    source = Source(folder / "in" / place, place)
    return job_of(source, 1, output, options.format, options.samples, options.uncertainty)


def remote_of(path: pathlib.Path, folder: pathlib.Path, task: Task) -> str:
    """Where the file of the worker's `folder` belongs."""
    return f"{task.output}/{pathlib.Path(*path.relative_to(folder).parts[1:]).as_posix()}"


def target_of(found: Found, task: Task) -> str:
    """The name of the photograph's first result, by which those are found that would overwrite one another."""
    folder = pathlib.Path("/hybridvit")
    if is_film(found.path):
        name = films.target_of(found, task.output)
    else:
        name = remote_of(local_job(found, task, folder).results[0], folder, task)
    return name if task.keeps_case else folded(name)


def only_one(target: str, found: Iterable[Pair]) -> Iterator[Any]:
    """The photograph that has this result; if several would have it, none has, and they are tagged "failed"."""
    paths = {path: root for path, root in found}
    same = [Found(path, paths[path]) for path in sorted(paths)]
    if len(same) == 1:
        yield tuple(same[0])
        return
    for one in same:
        other = next(path for path in (same[0].path, same[1].path) if path != one.path)
        reason = f"its result {target} would be that of {other}, too: colour them into different folders"
        yield beam.pvalue.TaggedOutput("failed", _failure(one, reason))


def counted_line(failure: Failure) -> str:
    """A line of the file of failures."""
    Metrics.counter(NAMESPACE, "failed").inc()
    return json.dumps(failure, ensure_ascii=False)


class Colour(beam.DoFn):
    """Photographs in, failures out; results are written on the way.

    Photographs wait until there are as many of one view's shape as the model takes at once, or the bundle ends.
    """

    def __init__(self, task: Task):
        self._task = task
        self._shared = Shared()
        self._waiting: dict[tuple[int, int], list[Waiting]] = {}
        self._listed: tuple[str, dict[str, list[str]]] = (
            "",
            {},
        )  # the last folder that was, and its `by_claim`

    def setup(self) -> None:
        from hybridvit.inference.ahead import Ahead
        from hybridvit.inference.colorizer import Colorizer

        loaded = self._shared.acquire(functools.partial(load, self._task))  # once a process
        self._loaded, self._batch = loaded, self._task.batch or (1 if _on_cpu() else 16)
        self._ahead = Ahead(loaded.predictor, self._batch) if self._batch > 1 else None
        self._colorizer = loaded if self._ahead is None else Colorizer(self._ahead)
        self._counters = {name: Metrics.counter(NAMESPACE, name) for name in COUNTERS}

    def start_bundle(self) -> None:
        self._waiting = defaultdict(list)

    def process(self, pair: Pair) -> Iterator[Failure]:
        found = Found(*pair)
        folder = tempfile.TemporaryDirectory(prefix="hybridvit-bulk-")
        if is_film(found.path):
            yield from self._film(found, folder)
            return
        try:
            read = self._read(found, folder)
        except Exception as error:
            yield self._failed(found, folder, error)
            return
        if read is None:
            folder.cleanup()
            return
        shape = self._shape(read)
        self._waiting[shape].append(read)
        held = sum(one.work.photo.pixels.nbytes for many in self._waiting.values() for one in many)
        if len(self._waiting[shape]) == self._batch:
            yield from self._colour(self._waiting.pop(shape))
        elif held > HELD_BYTES:
            yield from self._colour_all()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = beam.transforms.window.GlobalWindow()
        for failure in self._colour_all():
            yield WindowedValue(failure, window.max_timestamp(), [window])

    def _read(self, found: Found, folder: tempfile.TemporaryDirectory) -> Waiting | None:
        here = pathlib.Path(folder.name)
        job, orders = local_job(found, self._task, here), self._task.orders
        fetch(found.path, job.source)
        if is_result(job.source):
            self._counters["results"].inc()
            return None
        hints = not self._task.options.no_hints
        if hints:
            self._fetch_sidecars(found, job.source)
        for target in (*job.results, *([job.heat_map] if job.heat_map else [])):
            remote = remote_of(target, here, self._task)
            if not orders.overwrite and exists(remote):
                fetch(remote, target)
        sidecar_of = functools.partial(find_sidecar, neighbours=Neighbours()) if hints else lambda _: None
        work = prepare(job, self._colorizer.digest, sidecar_of, orders)
        if work is None:
            self._counters["skipped"].inc()
            return None
        return Waiting(found, folder, job, work)

    def _fetch_sidecars(self, found: Found, picture: pathlib.Path) -> None:
        """Those that are the picture's by their names, and the pictures whose they may be as well."""
        folder = found.path.rpartition("/")[0]
        for sidecar in dict.fromkeys((whole_sidecar_path(picture), sidecar_path(picture))):
            remote = f"{folder}/{sidecar.name}"
            if not exists(remote):
                continue
            fetch(remote, sidecar)
            if folder != self._listed[0]:
                self._listed = folder, by_claim(listed(folder))
            for name in self._listed[1].get(claim_of(sidecar.name), ()):
                if not picture.with_name(name).exists():
                    fetch(f"{folder}/{name}", picture.with_name(name))

    def _shape(self, read: Waiting) -> tuple[int, int]:
        from hybridvit.inference.canvas import inside_of
        from hybridvit.inference.predictor import BUCKET
        from hybridvit.inference.view import view_size

        settings = _recipe(read.work).settings
        height, width = view_size(*inside_of(read.work.photo, settings)[2:], settings.size)
        return -(-height // BUCKET), -(-width // BUCKET)

    def _colour_all(self) -> Iterator[Failure]:
        for shape in list(self._waiting):
            yield from self._colour(self._waiting.pop(shape))

    def _colour(self, batch: list[Waiting]) -> Iterator[Failure]:
        if self._ahead is not None:
            self._ahead.look([self._view(read.work) for read in batch])
        for read in batch:
            here = pathlib.Path(read.folder.name)
            try:
                remarks = make(self._colorizer, read.work, read.job)
                made = [path for path, *_ in read.work.results]
                made += [read.work.heat_map[0]] if read.work.heat_map else []
                written = sum(put(path, remote_of(path, here, self._task)) for path in made)
            except Exception as error:
                yield self._failed(read.found, read.folder, error)
                continue
            read.folder.cleanup()
            for remark in remarks or ():
                logging.warning("%s: %s", read.found.path, remark)
            self._counters["coloured"].inc()
            self._counters["bytes"].inc(written)

    def _film(self, found: Found, folder: tempfile.TemporaryDirectory) -> Iterator[Failure]:
        task = self._task
        try:
            made = films.color(found, task.options, task.output, self._loaded, pathlib.Path(folder.name))
        except Exception as error:
            yield self._failed(found, folder, error)
            return
        folder.cleanup()
        for remark in made.remarks:
            logging.warning("%s: %s", found.path, remark)
        self._counters[made.counter].inc()
        self._counters["bytes"].inc(made.written)

    def _view(self, work: Work) -> np.ndarray:
        from hybridvit.inference.canvas import seen_lightness

        return seen_lightness(work.photo, _recipe(work).settings)

    def _failed(self, found: Found, folder: tempfile.TemporaryDirectory, error: Exception) -> Failure:
        folder.cleanup()
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise error  # the next photograph would meet it too
        here = pathlib.Path(folder.name)
        reason = explain(error, here / "in" / found.relative)
        reason = reason.replace(f"{here / 'in'}", found.root).replace(f"{here / 'out'}", self._task.output)
        return _failure(found, reason)


def load(task: Task) -> Any:
    """The `Colorizer` asked for; its weights may lie on any filesystem. Says what this worker computes on."""
    from hybridvit.colorize.command import build_colorizer
    from hybridvit.inference.hub import is_on_hub
    from hybridvit.runtime.devices import start_devices

    options = task.options
    if options.method is None:
        print(f"hybridvit: computing on {start_devices()}", file=sys.stderr)
    if is_on_hub(options.weights) or not is_remote(options.weights):
        return build_colorizer(options)
    with tempfile.TemporaryDirectory(prefix="hybridvit-bulk-") as folder:
        local = pathlib.Path(folder, options.weights.rpartition("/")[2])
        fetch(options.weights, local)
        return build_colorizer(argparse.Namespace(**vars(options) | {"weights": str(local)}))


def _on_cpu() -> bool:
    import jax

    return jax.default_backend() == "cpu"


def _recipe(work: Work) -> Any:
    """Of the first thing to be made: size and hints are the same for all."""
    return work.results[0][1] if work.results else work.heat_map[1]


def _failure(found: Found, reason: str) -> Failure:
    return {"photo": found.path, "reason": reason}
