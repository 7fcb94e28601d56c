"""Colours very many grayscale photographs on any number of machines, by an Apache Beam pipeline.

    python -m hybridvit.bulk gs://archive/scans/ --output gs://archive/coloured --runner=DataflowRunner ...
    hybridvit bulk scans/ --output coloured --direct_running_mode=multi_processing --direct_num_workers=0

What is made of each photograph is what `hybridvit colorize` makes, by the same options; all other options are Beam's.
The same command again, also after a crash, goes on: what is done is skipped. OUTPUT/failed.jsonl names what failed.

Exit codes: 0 all is coloured or was already; 1 some photographs or the job failed; 2 a mistake in the command; 130
interrupted by Ctrl-C.
"""

import argparse
import logging
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from hybridvit.colorize.command import add_options, check, palette_of, settings_of
from hybridvit.colorize.summary import explain
from hybridvit.command_line import Parser, fail
from hybridvit.extras import needing

EXAMPLES = """\
examples:
  hybridvit bulk scans/ --output coloured --direct_running_mode=multi_processing --direct_num_workers=0
  hybridvit bulk 'gs://archive/scans/**.tif' --output gs://archive/coloured --weights gs://archive/mine.safetensors
      --runner=DataflowRunner --project=... --region=... --temp_location=gs://archive/tmp --sdk_container_image=...
  hybridvit bulk /nfs/scans/ --output /nfs/coloured --runner=FlinkRunner --flink_master=...
  hybridvit bulk /nfs/scans/ --output /nfs/coloured --runner=SparkRunner ...

Inputs are folders (those not on this machine end in a slash), files, or globs of any filesystem that Beam knows.
Results have the photographs' names and places below the folder or the fixed part of the glob; if the format changes,
the whole name and the new suffix (photo.tif.png). Films among them are coloured as `hybridvit film` does. Workers
need hybridvit: a container image with it, or --setup_file.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = _build_parser()
    if {"-h", "--help"} & set(argv):
        parser.parse_args(argv)
    try:
        with needing("beam", "bulk colouring needs"):
            from hybridvit.bulk import beam_flags
    except ModuleNotFoundError as error:
        fail(str(error))
    ours, theirs = beam_flags.split(argv)
    options = parser.parse_args(ours)
    check(parser, options)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger("apache_beam.io.filebasedsink").setLevel(
        logging.ERROR
    )  # it warns of replacing failed.jsonl
    try:
        return _run(options, theirs)
    except KeyboardInterrupt:
        print("hybridvit: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def run() -> NoReturn:
    """The command as a process."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not waiting for threads of workers that are gone


def _build_parser() -> Parser:
    parser = Parser(
        prog="hybridvit bulk",
        description=__doc__.split("\n")[0],
        epilog=EXAMPLES,
        allow_abbrev=False,
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="a folder (to its depths), a photograph, or a glob"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the results")
    add_options(parser)
    parser.add_argument(
        "--batch-size",
        type=int,
        choices=range(1, 257),
        metavar="N",
        help="photographs of one shape that the model sees at once (1 on a CPU, else 16)",
    )
    return parser


def _run(options: argparse.Namespace, flags: list[str]) -> int:
    from hybridvit.bulk.files import is_remote
    from hybridvit.bulk.found import absolute, is_there
    from hybridvit.bulk.job import run_job
    from hybridvit.bulk.pipeline import FAILED, Task
    from hybridvit.colorize.batch import Orders
    from hybridvit.colorize.naming import keeps_case
    from hybridvit.inference.hub import is_on_hub, pin

    output = absolute(options.output)
    try:
        for argument in options.inputs:
            if not is_there(argument):
                raise FileNotFoundError(f"{argument}: no such file or folder, or nothing in it")
        orders = Orders(settings_of(options), palette_of(options), options.overwrite)
        if is_on_hub(options.weights):
            options.weights = pin(options.weights)  # all workers colour by one commit
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(explain(error))
    try:
        keeps = is_remote(output) or keeps_case(pathlib.Path(output))  # all of Beam's remote filesystems do
        task = Task(options, orders, output, options.batch_size or 0, keeps)
        counts = run_job(flags, options.inputs, task)
    except Exception as error:  # each runner has its own
        print(f"hybridvit: the job failed: {_last_line(error)}", file=sys.stderr)
        print("hybridvit: the same command goes on from here", file=sys.stderr)
        return 1
    return _report(counts, output, FAILED)


def _report(counts: dict[str, int], output: str, failed: str) -> int:
    said = {"done already": counts["skipped"], "failed": counts["failed"]}
    parts = [f"{counts['coloured']} coloured", *(f"{n} {what}" for what, n in said.items() if n)]
    print(f"{output}: {', '.join(parts)}, {counts['bytes'] / 1e6:.1f} MB written")
    if counts["results"]:
        print(f"left alone: {counts['results']} results of hybridvit among the inputs")
    if counts["failed"]:
        print(f"failed: {output}/{failed} names each with the reason", file=sys.stderr)
    return 1 if counts["failed"] else 0


def _last_line(error: Exception) -> str:
    lines: list[Any] = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else type(error).__name__
