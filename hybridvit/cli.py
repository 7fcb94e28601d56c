"""The `hybridvit` command: `hybridvit train --config=...`, `hybridvit eval --checkpoint=...`, `hybridvit pack ...`."""

import sys

from hybridvit import main
from hybridvit.data import pack

COMMANDS = {
    "train": (main.run, [], "train a model (python -m hybridvit.main)"),
    "eval": (main.run, ["--mode=eval"], "evaluate a checkpoint (python -m hybridvit.main --mode=eval)"),
    "pack": (
        pack.main,
        [],
        "pack a folder of pictures into ArrayRecord files (python -m hybridvit.data.pack)",
    ),
}


def run() -> None:
    """Dispatches the first argument; without a known one, prints what there is and exits with code 2."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        lines = [f"  hybridvit {name:6} {what}" for name, (_, _, what) in COMMANDS.items()]
        print("\n".join(["usage:", *lines]), file=sys.stderr)
        sys.exit(0 if name in ("-h", "--help") else 2)
    call, flags, _ = COMMANDS[name]
    sys.argv = [f"hybridvit {name}", *flags, *sys.argv[2:]]
    call()
