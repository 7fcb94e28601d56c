"""Training and evaluation from the command line.

    python -m hybridvit.main --config=configs/ssl_vit.py
    python -m hybridvit.main --config=configs/ssl_vit.py:folder --config.data.color_dir=C --config.data.gray_dir=G
    python -m hybridvit.main --mode=eval --checkpoint=runs/ssl_vit-bundled
    python -m hybridvit.main --mode=eval --checkpoint=pretrained --config=configs/protocols.py:coco_stuff ...
    python -m hybridvit.main --config=configs/ssl_vit.py:imagenet --distributed

This file is short on purpose: flags, the start of the devices, and what to call. What takes long to import, and is not
installed where photographs are only coloured, is imported when the command is known to make sense.
"""

import contextlib
import functools
import os
import pathlib
import sys
from collections.abc import Sequence

from absl import app, flags, logging
from ml_collections import config_flags

from hybridvit.command_line import fail
from hybridvit.config_flags import CONFIG, WORKDIR, explain_configs, parse_flags
from hybridvit.extras import needing

MODE = flags.DEFINE_enum("mode", "train", ["train", "eval"], "train, or evaluate a checkpoint.")
CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "eval: a work folder, one checkpoint in it, a file of weights, or pretrained."
)
DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "Several processes, found from the cluster's environment."
)
COORDINATOR = flags.DEFINE_string("coordinator", None, "Several processes, by hand: host:port of process 0.")
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "With --coordinator.", lower_bound=1)
PROCESS_ID = flags.DEFINE_integer("process_id", None, "With --coordinator.", lower_bound=0)

STOPPED = 75  # exit code of a training that was told to stop: EX_TEMPFAIL, launch/ starts it again

TRAIN = """\
usage: hybridvit train --config=CONFIG[:VARIANT] [--config.FIELD=VALUE ...] [--workdir=DIR]

Trains a model; the same command goes on where it was stopped. CONFIG is a name from below, or a file of yours.

examples:
  hybridvit train --config=ssl_vit                             on five photographs that are there, in minutes
  hybridvit train --config=ssl_vit:folder --config.data.color_dir=COLOR --config.data.gray_dir=GRAY
  hybridvit train --config=ssl_vit --help                      the variants of a config
"""
EVAL = """\
usage: hybridvit eval --checkpoint=RUN [--config=CONFIG[:VARIANT]] [--config.FIELD=VALUE ...] [--workdir=DIR]

Measures a model on held-out photographs. RUN is the folder of a training, one checkpoint in it, a .safetensors file,
or pretrained; CONFIG says what it is measured on where RUN does not, or on what else.

examples:
  hybridvit eval --checkpoint=runs/ssl_vit-bundled
  hybridvit eval --checkpoint=pretrained --config=protocols:coco_stuff --config.data.eval_dir=FOLDER
"""


def main(argv: Sequence[str]) -> None:
    """Starts the devices and runs the mode; a user's mistake ends in one line and exit code 2, being stopped in 75."""
    if len(argv) > 1:
        fail(f"unexpected argument {argv[1]!r}: flags start with --")
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)  # below it, Orbax writes a page at every save
    if MODE.value == "eval" and CHECKPOINT.value is None:
        fail("--mode=eval needs --checkpoint: a work folder such as runs/ssl_vit-bundled, or pretrained")
    if MODE.value == "train" and CONFIG.value is None:
        fail("--config=FILE is missing: try --config=configs/ssl_vit.py")
    with contextlib.ExitStack() as stack:
        try:
            with needing("train", "training and evaluating need"):
                from hybridvit.runtime.processes import distributed
                from hybridvit.train import DivergedError
            if DISTRIBUTED.value or COORDINATOR.value:
                stack.enter_context(distributed(COORDINATOR.value, NUM_PROCESSES.value, PROCESS_ID.value))
            elif NUM_PROCESSES.value is not None or PROCESS_ID.value is not None:
                fail("--num_processes and --process_id need --coordinator=HOST:PORT")
        except (ValueError, OSError, ImportError) as error:
            fail(str(error))
        try:
            finished = run_mode()
        except (ValueError, OSError, ImportError, DivergedError) as error:
            logging.debug("where it happened:", exc_info=True)  # shown with --verbosity=1
            fail(str(error))
    if not finished:
        sys.exit(STOPPED)


def run_mode() -> bool:
    """Trains or evaluates, as the flags say; False for a training that was told to stop."""
    import jax

    from hybridvit.evaluate import evaluate_checkpoint
    from hybridvit.runtime.compilation import enable_compilation_cache
    from hybridvit.runtime.devices import start_devices
    from hybridvit.train import train
    from hybridvit.training.by_labels import settle

    device = start_devices()
    if jax.process_index() == 0:
        print(f"device        {device}", flush=True)
    config = CONFIG.value
    if config is not None:
        enable_compilation_cache(config.runtime.compilation_cache)
    if MODE.value == "eval":
        evaluate_checkpoint(CHECKPOINT.value, config, WORKDIR.value)
        return True
    config = settle(config, given=config_flags.get_override_values(flags.FLAGS["config"]))
    return train(config, pathlib.Path(WORKDIR.value or f"runs/{config.name}"))


def explain() -> str:
    """The help of `hybridvit train` or, where the words ask for that, `hybridvit eval`."""
    if "--mode=eval" in sys.argv:
        return explain_configs(EVAL, "hybridvit.main --mode=eval")
    return explain_configs(TRAIN, "hybridvit.main --config")


def run() -> None:
    """The entry point; like `python -m`, configs may import what is in the folder it is started in."""
    sys.path.insert(0, os.getcwd())
    app.run(main, flags_parser=functools.partial(parse_flags, explain=explain))


if __name__ == "__main__":
    run()
