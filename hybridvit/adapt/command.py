"""Teaches the model what was corrected in a collection: weights that colour the rest of it better.

    hybridvit adapt scans/ --output collection.safetensors
    hybridvit colorize scans/ --output coloured --weights collection.safetensors

Exit codes: 0 done; 1 nothing was learnt that helps, so nothing is written; 2 a mistake in the command; 130 interrupted.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

from hybridvit.colorize.summary import explain
from hybridvit.command_line import Parser, fail, path, run_command
from hybridvit.extras import needing

EXAMPLES = """\
examples:
  hybridvit adapt scans/ --output town.safetensors
  hybridvit adapt scans/ --results coloured/ --output town.safetensors     also from results that were accepted
  hybridvit adapt scans/ --output town.safetensors --replay photographs/   which shall stay as they are

It learns from the colours that you gave (photo.hints.json beside a photograph, as the studio writes it) and from
results that you accepted in the review; a fourth of them is held back, to see whether it helps. A dozen corrected
photographs of one kind are a beginning, fifty are better. What is learnt of one collection is for that collection.

--replay: photographs of other kinds, gray or in colour, a hundred or so, which it shall go on colouring as before.
Without them it keeps to those that scikit-image brings. Where the weights are for this collection alone, --loss 1
lets it learn more.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = Parser(prog="hybridvit adapt", description=(__doc__ or "").split("\n")[0], epilog=EXAMPLES)
    add = parser.add_argument
    add("folder", type=path, metavar="FOLDER", help="of the photographs")
    add("--output", type=path, required=True, metavar="FILE", help="the .safetensors file to write")
    add("--results", type=path, metavar="DIR", help="folder of their results (FOLDER)")
    add("--replay", nargs="+", default=[], metavar="INPUT", help="photographs that shall stay as they are")
    add(
        "--loss",
        type=float,
        metavar="DB",
        help="what photographs of other kinds may be expected to lose, dB of PSNR (0.03); with more, more is learnt",
    )
    add("--weights", default="pretrained", help="to begin with: as of hybridvit colorize (%(default)s)")
    options = parser.parse_args(argv)
    if options.output.suffix != ".safetensors":
        parser.error(f"--output {options.output}: its name has to end in .safetensors")
    if options.loss is not None and not 0 < options.loss <= 100:
        parser.error(f"--loss {options.loss:g} is not a number above 0, up to 100")
    try:
        if not options.folder.is_dir():
            raise FileNotFoundError(f"{options.folder}: no such folder")
        if not options.output.parent.is_dir():
            raise FileNotFoundError(f"--output {options.output}: no such folder")
        return _run(options)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(explain(error))
    except KeyboardInterrupt:
        print("hybridvit: interrupted; nothing was written", file=sys.stderr)
        return 130


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)


def _run(options) -> int:
    with needing("train", "hybridvit adapt needs"):
        from hybridvit.adapt.folder import anchors_of, lessons_of, sort_folder
        from hybridvit.adapt.learn import STEPS, adapt
    from tqdm import tqdm

    from hybridvit.inference.colorizer import Colorizer
    from hybridvit.inference.weights import load_weights, save_weights
    from hybridvit.runtime.compilation import enable_compilation_cache
    from hybridvit.runtime.devices import start_devices

    found = sort_folder(options.folder, options.results or options.folder)
    if not found.taught:
        raise ValueError(
            f"{options.folder}: nothing is corrected or accepted yet: hybridvit studio {options.folder}"
        )
    enable_compilation_cache()
    print(f"hybridvit: computing on {start_devices()}", file=sys.stderr)
    weights = load_weights(options.weights)
    if weights.model.name != "HybridConvViT" or weights.log_rarity is None or not weights.model.hints:
        raise ValueError(f"{weights.name}: only a HybridConvViT that takes hints can be taught")
    colorizer = Colorizer(weights)
    lessons = lessons_of(colorizer, found)
    anchors = anchors_of(colorizer, options.replay, found.failed)
    for name, reason in found.failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    with tqdm(total=STEPS, desc="learning", unit="step", disable=None, dynamic_ncols=True) as bar:
        name = f"{weights.name}, adapted to {options.folder.resolve().name}"
        adapted = adapt(weights, lessons, anchors, name, options.loss, STEPS, bar.update)
    accepted = sum(taught.accepted is not None for taught in found.taught)
    print(f"learnt from {len(found.taught) - accepted} corrected photographs and {accepted} accepted results")
    if adapted.strength == 0:
        print(
            f"{options.output}: not written: what was learnt from three fourths of them does not help the others; "
            "correct more, of one kind",
            file=sys.stderr,
        )
        return 1
    save_weights(adapted.weights, options.output)
    print(
        f"{options.output}: by corrected photographs held back, others of the collection stand to gain "
        f"{adapted.gain:.2f} dB; photographs of other kinds to lose {max(adapted.loss, 0):.2f} dB"
    )
    return 0
