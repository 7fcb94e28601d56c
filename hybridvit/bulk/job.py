"""Runs the pipeline on the runner that is asked for, and counts."""

import queue
import threading
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from hybridvit.bulk.pipeline import COUNTERS, NAMESPACE, Task, build

# DirectRunner would download another program (Prism) and run that, and else choose this
LOCAL = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
WORKER_THREAD = "run_worker"  # Beam's name of those that wait for a local worker process


def run_job(flags: Sequence[str], inputs: Sequence[str], task: Task) -> dict[str, int]:
    """Runs it to its end; returns the values of COUNTERS.

    Raises ChildProcessError if a local worker process ends before its time, for which Beam would wait without end; else
    what the runner raises.
    """
    ended: queue.SimpleQueue[dict[str, int] | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put(_run(flags, inputs, task))
        except BaseException as error:
            ended.put(error)

    def note(said: threading.ExceptHookArgs) -> None:
        if said.thread is not None and said.thread.name == WORKER_THREAD:
            ended.put(ChildProcessError(f"{said.exc_value} (killed, perhaps for want of memory?)"))
        else:
            others(said)

    others, threading.excepthook = threading.excepthook, note
    try:
        threading.Thread(target=run, daemon=True).start()
        found = ended.get()
    finally:
        threading.excepthook = others
    if isinstance(found, BaseException):
        raise found
    return found


def _run(flags: Sequence[str], inputs: Sequence[str], task: Task) -> dict[str, int]:
    options = PipelineOptions(list(flags))
    standard = options.view_as(StandardOptions)
    if standard.runner in (None, "DirectRunner"):
        standard.runner = LOCAL
    pipeline = beam.Pipeline(options=options)
    build(pipeline, list(inputs), task)
    result = pipeline.run()
    result.wait_until_finish()
    counts = dict.fromkeys(COUNTERS, 0)
    for counter in result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]:
        counts[counter.key.metric.name] += counter.result
    return counts
