"""Runs the pipeline on the runner that is asked for, and counts."""

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from hybridvit.bulk.pipeline import COUNTERS, NAMESPACE, Task, build

# DirectRunner would download another program (Prism) and run that, and else choose this
LOCAL = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def run_job(flags: Sequence[str], inputs: Sequence[str], task: Task) -> dict[str, int]:
    """Runs it to its end; returns the values of COUNTERS. Raises what the runner raises."""
    options = PipelineOptions(list(flags))
    standard = options.view_as(StandardOptions)
    if standard.runner in (None, "DirectRunner"):
        standard.runner = LOCAL
    pipeline = beam.Pipeline(options=options)
    build(pipeline, list(inputs), task)
    result = pipeline.run()
    result.wait_until_finish()
    found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    counts = dict.fromkeys(COUNTERS, 0)
    for counter in found:
        counts[counter.key.metric.name] += counter.result
    return counts
