"""Writes a model as a file that other software runs, ONNX or StableHLO; or as a folder for a model hub.

    python -m hybridvit.export --output hybridvit.onnx
    hybridvit export --weights runs/mine --output mine.stablehlo
    hybridvit export --weights runs/mine --output mine --license cc-by-4.0      then: hf upload OWNER/NAME mine

Exit codes: 2 a mistake in the command. What goes in and comes out: hybridvit/inference/exported.py; what is in the
folder: hybridvit/inference/model_folder.py.
"""

import os
import sys
from collections.abc import Sequence

from hybridvit.command_line import Parser, fail, path

SUFFIXES = (".onnx", ".stablehlo")  # the keys of hybridvit.export.write.SAVE


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = Parser(prog="hybridvit export", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--weights",
        default="pretrained",
        help="a .safetensors file, a training's folder, hf://OWNER/NAME[@REVISION], or %(default)s",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        type=path,
        help="model.onnx or model.stablehlo, replaced if there; a name without a suffix is a folder for a model hub",
    )
    parser.add_argument(
        "--license", help="of the weights, for the model card: one of the Hub's identifiers, as cc-by-4.0"
    )
    options = parser.parse_args(argv)
    output = options.output
    if output.suffix not in (*SUFFIXES, ""):
        fail(
            f"--output {output}: end it in {' or '.join(SUFFIXES)}, which says what is written, or name a folder "
            "without a suffix"
        )
    if options.license and output.suffix:
        parser.error("--license is for a model card, in a folder: give --output a name without a suffix")
    if not output.absolute().parent.is_dir():
        fail(f"--output {output}: no such folder")
    os.environ["JAX_PLATFORMS"] = "cpu"  # the form of the network that all platforms run
    # From here on it takes seconds
    from hybridvit.export.write import SAVE
    from hybridvit.inference.model_folder import Rights, measured_of_run, save_model_folder
    from hybridvit.inference.weights import load_weights
    from hybridvit.runtime.devices import start_devices

    try:
        weights = load_weights(options.weights)
        print(f"hybridvit: computing on {start_devices()}", file=sys.stderr)
        if output.suffix:
            SAVE[output.suffix](weights, output)
        else:
            rights = Rights(options.license) if options.license else None
            save_model_folder(weights, output, rights, measured_of_run(options.weights, weights.name))
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(str(error))
    size = sum(file.stat().st_size for file in (output.rglob("*") if output.is_dir() else [output]))
    print(f"{output}: {size / 1e6:.1f} MB")
