"""Writes what a benchmark measured for docs/results, of which docs/tables.py makes tables."""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
from typing import Any

import jax


def write_results(path: pathlib.Path, benchmark: str, facts: dict[str, Any]) -> None:
    """`facts` as JSON, beside the command, the machine and the day."""
    versions = f"Python {platform.python_version()}, JAX {importlib.metadata.version('jax')}"
    measured = {
        "command": f"python -m tests.benchmarks.{benchmark} --photos FOLDER",
        "machine": f"{os.cpu_count()} cores of {_processor()}, {jax.devices()[0].device_kind}, {versions}",
        "date": datetime.date.today().isoformat(),
    }
    path.write_text(json.dumps({"measured": measured} | facts, indent=2, ensure_ascii=False) + "\n")


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())
