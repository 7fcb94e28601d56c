"""The `hybridvit` command: `hybridvit colorize ...`, `hybridvit train ...`, and what else COMMANDS holds."""

import importlib
import sys

COMMANDS = {  # a module and its function, imported when called: each start waits only for what it needs
    "colorize": ("hybridvit.colorize", "run", [], "colour photographs (python -m hybridvit.colorize)"),
    "bulk": (
        "hybridvit.bulk.command",
        "run",
        [],
        "colour very many photographs on many machines, by Apache Beam (python -m hybridvit.bulk)",
    ),
    "studio": (
        "hybridvit.studio.command",
        "run",
        [],
        "colour photographs by clicking, in the browser (python -m hybridvit.studio)",
    ),
    "train": ("hybridvit.main", "run", [], "train a model (python -m hybridvit.main)"),
    "eval": (
        "hybridvit.main",
        "run",
        ["--mode=eval"],
        "evaluate a checkpoint (python -m hybridvit.main --mode=eval)",
    ),
    "compare": (
        "hybridvit.compare",
        "run",
        [],
        "train several systems under one budget and report (python -m hybridvit.compare)",
    ),
    "export": (
        "hybridvit.export",
        "main",
        [],
        "write a model as ONNX or StableHLO (python -m hybridvit.export)",
    ),
    "pack": (
        "hybridvit.data.pack",
        "main",
        [],
        "pack a folder of pictures into ArrayRecord files (python -m hybridvit.data.pack)",
    ),
}


def run() -> None:
    """Dispatches the first argument; without a known one, prints what there is and exits with code 2."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        lines = [f"  hybridvit {name:8} {what}" for name, (*_, what) in COMMANDS.items()]
        print("\n".join(["usage:", *lines]), file=sys.stderr)
        sys.exit(0 if name in ("-h", "--help") else 2)
    module, function, flags, _ = COMMANDS[name]
    sys.argv = [f"hybridvit {name}", *flags, *sys.argv[2:]]
    getattr(importlib.import_module(module), function)()
