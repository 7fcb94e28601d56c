"""Training and evaluation from the command line.

    python -m hybridvit.main --config=configs/ssl_vit.py
    python -m hybridvit.main --config=configs/ssl_vit.py:folder --config.data.color_dir=C --config.data.gray_dir=G
    python -m hybridvit.main --mode=eval --checkpoint=runs/ssl_vit-bundled
    python -m hybridvit.main --config=configs/ssl_vit.py:imagenet --distributed

This file is short on purpose: flags, the start of the devices, and what to call.
"""

import contextlib
import os
import pathlib
import sys
from collections.abc import Sequence

import jax
from absl import app, flags, logging

from hybridvit.command_line import CONFIG, WORKDIR, fail, parse_flags
from hybridvit.compilation import enable_compilation_cache
from hybridvit.evaluate import evaluate_checkpoint
from hybridvit.processes import together
from hybridvit.train import DivergedError, train

MODE = flags.DEFINE_enum("mode", "train", ["train", "eval"], "train, or evaluate a checkpoint.")
CHECKPOINT = flags.DEFINE_string("checkpoint", None, "eval: a work folder, or one checkpoint in it.")
DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "Several processes, found from the cluster's environment."
)
COORDINATOR = flags.DEFINE_string("coordinator", None, "Several processes, by hand: host:port of process 0.")
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "With --coordinator.", lower_bound=1)
PROCESS_ID = flags.DEFINE_integer("process_id", None, "With --coordinator.", lower_bound=0)

STOPPED = 75  # exit code of a training that was told to stop: EX_TEMPFAIL, launch/ starts it again


def main(argv: Sequence[str]) -> None:
    """Starts the devices and runs the mode; a user's mistake ends in one line and exit code 2, being stopped in 75."""
    if len(argv) > 1:
        fail(f"unexpected argument {argv[1]!r}: flags start with --")
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)  # below it, Orbax writes a page at every save
    with contextlib.ExitStack() as stack:
        try:
            if DISTRIBUTED.value or COORDINATOR.value:
                stack.enter_context(together(COORDINATOR.value, NUM_PROCESSES.value, PROCESS_ID.value))
            elif NUM_PROCESSES.value is not None or PROCESS_ID.value is not None:
                fail("--num_processes and --process_id need --coordinator=HOST:PORT")
            finished = run_mode()
        except (ValueError, OSError, ImportError, DivergedError) as error:
            logging.debug("where it happened:", exc_info=True)  # shown with --verbosity=1
            fail(str(error))
    if not finished:
        sys.exit(STOPPED)


def run_mode() -> bool:
    """Trains or evaluates, as the flags say; False for a training that was told to stop."""
    config = CONFIG.value
    if config is not None:
        enable_compilation_cache(config.runtime.compilation_cache)
    if MODE.value == "eval":
        if CHECKPOINT.value is None:
            fail("--mode=eval needs --checkpoint=FOLDER: a work folder such as runs/ssl_vit-bundled")
        evaluate_checkpoint(CHECKPOINT.value, config, WORKDIR.value)
        return True
    if config is None:
        fail("--config=FILE is missing: try --config=configs/ssl_vit.py")
    if jax.process_index() == 0:
        print(config)
    return train(config, pathlib.Path(WORKDIR.value or f"runs/{config.name}"))


def run() -> None:
    """The entry point; like `python -m`, it finds `configs` in the folder it is started in."""
    sys.path.insert(0, os.getcwd())
    app.run(main, flags_parser=parse_flags)


if __name__ == "__main__":
    run()
