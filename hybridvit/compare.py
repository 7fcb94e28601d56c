"""Several systems under one budget, and one report of them.

    python -m hybridvit.compare --config=configs/compare.py
    python -m hybridvit.compare --config=configs/compare.py:photos --config.data.color_dir=FOLDER

Each system of the config is trained by `train` in a process of its own, so that none takes the others with it; then
come the classical methods. Ctrl-C stops at the next step and the same command goes on: what is done is not done again.
To train a system anew, delete its folder. In the work folder:

    report.html     table, pictures, what the numbers say and do not; in one file
    report.md       the same for a README
    sheet.png       a row a photograph, a column a system; sheet-hints.png: with hints
    record.json     of a study of labels (configs/label_efficiency.py), which has neither page nor sheets: all that was
                    measured, differences, and what grayscale photographs are worth in labels
    curves.png      of such a study
    <system>/       as of any training run, and log.txt, budget.json, outcome.json (`comparison.worker`)

Exit code: 0 all are done, 1 some failed, 2 a mistake in the command, 130 stopped.
"""

import functools
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

from absl import app, flags, logging

from hybridvit.command_line import fail
from hybridvit.config_flags import CONFIG, WORKDIR, explain_configs, parse_flags
from hybridvit.extras import needing

HELP = """\
usage: hybridvit compare --config=CONFIG[:VARIANT] [--config.FIELD=VALUE ...] [--workdir=DIR]

Trains several systems under one budget and reports how they compare; the same command goes on where it was stopped.
CONFIG is a name from below, or a file of yours.

examples:
  hybridvit compare --config=compare                           three tiny systems, to see what comes out
  hybridvit compare --config=compare:photos --config.data.color_dir=FOLDER
"""


def main(argv: Sequence[str]) -> None:
    """Runs the comparison; a user's mistake ends in one line and exit code 2."""
    if len(argv) > 1:
        fail(f"unexpected argument {argv[1]!r}: flags start with --")
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)
    config = CONFIG.value
    if config is None:
        fail("--config=FILE is missing: try --config=configs/compare.py")
    # In a process of its own: this one must not hold the devices, which each system's takes for itself
    command = [sys.executable, "-m", "hybridvit.runtime.devices"]
    device = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if device.returncode:
        sys.exit(2)
    print(f"device: {device.stdout.strip()}", flush=True)
    try:
        with needing("train", "comparing needs"):
            from hybridvit.comparison.run import compare
        sys.exit(compare(config, pathlib.Path(WORKDIR.value or f"runs/{config.name}")))
    except (ValueError, OSError, ImportError) as error:
        fail(str(error))


def explain() -> str:
    """The help of `hybridvit compare`."""
    return explain_configs(HELP, "hybridvit.compare --config")


def run() -> None:
    """The entry point; like `python -m`, configs may import what is in the folder it is started in."""
    sys.path.insert(0, os.getcwd())
    app.run(main, flags_parser=functools.partial(parse_flags, explain=explain))


if __name__ == "__main__":
    run()
