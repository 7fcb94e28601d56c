"""Writes a model as a file that other software runs: ONNX or StableHLO, by the output's suffix.

    python -m hybridvit.export --output hybridvit.onnx
    hybridvit export --weights runs/mine --output mine.stablehlo

Exit codes: 2 a mistake in the command. What goes in and comes out: hybridvit/inference/exported.py.
"""

import os
from collections.abc import Sequence

from hybridvit.command_line import Parser, fail, path

SUFFIXES = (".onnx", ".stablehlo")  # the keys of hybridvit.export.write.SAVE


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = Parser(prog="hybridvit export", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--weights", default="pretrained", help="a .safetensors file, a training's folder, or %(default)s"
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        type=path,
        help="model.onnx or model.stablehlo; replaced if there",
    )
    options = parser.parse_args(argv)
    output = options.output
    if output.suffix not in SUFFIXES:
        fail(f"--output {output}: end it in {' or '.join(SUFFIXES)}, which says what is written")
    if not output.absolute().parent.is_dir():
        fail(f"--output {output}: no such folder")
    os.environ["JAX_PLATFORMS"] = "cpu"  # the form of the network that all platforms run
    # From here on it takes seconds
    from hybridvit.export.write import SAVE
    from hybridvit.inference.weights import load_weights

    try:
        SAVE[output.suffix](load_weights(options.weights), output)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(str(error))
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
