"""Writes a model as a file that other software runs, ONNX or StableHLO; as a folder for a model hub; as a web page.

    python -m hybridvit.export --output hybridvit.onnx
    hybridvit export --weights runs/mine --output mine.stablehlo
    hybridvit export --weights runs/mine --output mine --license cc-by-4.0      then: hf upload OWNER/NAME mine
    hybridvit export --web site       the studio's page, which colours by itself, for any web server

Exit codes: 2 a mistake in the command. What goes in and comes out: hybridvit/inference/exported.py; what is in the
folder: hybridvit/inference/model_folder.py.
"""

import os
import pathlib
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
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--output",
        metavar="FILE",
        type=path,
        help="model.onnx or model.stablehlo, replaced if there; a name without a suffix is a folder for a model hub",
    )
    where.add_argument(
        "--web",
        metavar="DIR",
        type=path,
        help="a folder, made or empty, for the studio's page and all that it needs to colour without a server",
    )
    parser.add_argument(
        "--license", help="of the weights, for the model card: one of the Hub's identifiers, as cc-by-4.0"
    )
    options = parser.parse_args(argv)
    if options.web:
        _export_page(options.weights, options.web, options.license)
        return
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


def _export_page(weights: str, folder: pathlib.Path, license_of_weights: str | None) -> None:
    """Writes the page's folder."""
    if license_of_weights:
        fail("--license is for a model card, in the folder of --output")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        fail(f"--web {folder}: it is there and not an empty folder: name another one")
    if not folder.absolute().parent.is_dir():
        fail(f"--web {folder}: no such folder to make it in")
    os.environ["JAX_PLATFORMS"] = "cpu"
    from hybridvit.export.web_page import save_web_page
    from hybridvit.inference.weights import load_weights

    try:
        loaded = save_web_page(load_weights(weights), folder)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(str(error))
    wasm, webgpu = (loaded[how] / 1e6 for how in ("wasm", "webgpu"))
    print(
        f"{folder}: {wasm:.1f} MB to load at the first visit, {webgpu:.1f} MB where there is WebGPU; "
        "let a web server give it, by HTTPS"
    )
