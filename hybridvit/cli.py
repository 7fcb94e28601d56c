"""The `hybridvit` command: `hybridvit colorize ...`, `hybridvit train ...`, and what else COMMANDS holds."""

import importlib
import sys
from typing import NamedTuple

from hybridvit.command_line import did_you_mean, fail, watch_stdout
from hybridvit.extras import needing
from hybridvit.version import VERSION


class Command(NamedTuple):
    """A function of a module, which is imported when called: each start waits only for what it needs."""

    module: str
    function: str
    what: str
    flags: tuple[str, ...] = ()  # before the user's


COMMANDS = {
    "colorize": Command(
        "hybridvit.colorize.command", "run", "colour photographs (python -m hybridvit.colorize)"
    ),
    "album": Command(
        "hybridvit.album.command",
        "run",
        "colour what belongs together in one look (python -m hybridvit.album)",
    ),
    "film": Command(
        "hybridvit.film.command", "run", "colour films without flicker (python -m hybridvit.film)"
    ),
    "studio": Command(
        "hybridvit.studio.command",
        "run",
        "colour photographs by clicking, in the browser (python -m hybridvit.studio)",
    ),
    "serve": Command(
        "hybridvit.serve.command", "run", "colour for other software, over HTTP (python -m hybridvit.serve)"
    ),
    "report": Command(
        "hybridvit.review.command",
        "run",
        "say what became of a folder's photographs, in files (python -m hybridvit.review)",
    ),
    "adapt": Command(
        "hybridvit.adapt.command",
        "run",
        "learn from what was corrected in a collection, for the rest of it (python -m hybridvit.adapt)",
    ),
    "inspect": Command("hybridvit.inspect", "run", "say what is seen in files (python -m hybridvit.inspect)"),
    "verify": Command(
        "hybridvit.verify",
        "run",
        "say what coloured files are, and who signed them (python -m hybridvit.verify)",
    ),
    "bulk": Command(
        "hybridvit.bulk.command",
        "run",
        "colour very many photographs on many machines, by Apache Beam (python -m hybridvit.bulk)",
    ),
    "train": Command("hybridvit.main", "run", "train a model (python -m hybridvit.main)"),
    "eval": Command(
        "hybridvit.main",
        "run",
        "evaluate a checkpoint (python -m hybridvit.main --mode=eval)",
        ("--mode=eval",),
    ),
    "compare": Command(
        "hybridvit.compare",
        "run",
        "train several systems under one budget and report (python -m hybridvit.compare)",
    ),
    "export": Command(
        "hybridvit.export.command", "main", "write a model as ONNX or StableHLO (python -m hybridvit.export)"
    ),
    "pack": Command(
        "hybridvit.data.pack",
        "main",
        "pack a folder of pictures into ArrayRecord files (python -m hybridvit.data.pack)",
    ),
}


def run() -> None:
    """Dispatches the first argument; without one prints what there is, and exits with code 2 as with an unknown one."""
    watch_stdout()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name == "--version":
        print(f"hybridvit {VERSION}")
    elif name in ("", "-h", "--help"):
        lines = [f"  hybridvit {name:8} {command.what}" for name, command in COMMANDS.items()]
        more = ["", "hybridvit COMMAND --help says more; hybridvit --version which one this is."]
        print("\n".join(["usage:", *lines, *more]), file=sys.stdout if name else sys.stderr)
        sys.exit(0 if name else 2)
    elif name not in COMMANDS:
        fail(f"no command {name}{did_you_mean(name, COMMANDS)} (see hybridvit --help)")
    else:
        command = COMMANDS[name]
        sys.argv = [f"hybridvit {name}", *command.flags, *sys.argv[2:]]
        try:
            with needing("train", f"hybridvit {name} needs"):
                module = importlib.import_module(command.module)
        except ModuleNotFoundError as error:
            fail(str(error))
        getattr(module, command.function)()
