"""The published PyTorch weights of eccv16 and siggraph17 (Zhang et al. 2016, 2017) as a file for `hybridvit.load`.

    python -m hybridvit.inference.convert --pth=siggraph17.pth --output=siggraph17.safetensors

Nothing that is in the `.pth` file is run (`hybridvit.models.torch_file`).
"""

import argparse
import os
import pathlib
import sys

import numpy as np
from ml_collections import ConfigDict

from hybridvit.color.bins import NUM_BINS
from hybridvit.inference.weights import Weights, load_weights, save_weights
from hybridvit.models.pytorch_weights import convert
from hybridvit.models.torch_file import read_state_dict


def from_pytorch(path: str | os.PathLike) -> Weights:
    """The weights in a `.pth` file; raises FileNotFoundError or ValueError, one line.

    Their bins are taken as they are: the shares of the bins in the pictures that they were trained on are not in the
    file, so what training made of rare colours cannot be taken off.
    """
    state_dict = read_state_dict(path)
    try:
        converted = convert(state_dict)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    model = {"name": converted.name, "variant": converted.variant, "hints": converted.hints}
    model |= {"dtype": "float32", "remat": False}
    name = f"{converted.name} from {pathlib.Path(path).name}"
    return Weights(converted.variables, np.zeros(NUM_BINS, np.float32), ConfigDict(model), name, "")


def main() -> None:
    """Writes the file, and reads it back."""
    parser = argparse.ArgumentParser(
        prog="python -m hybridvit.inference.convert", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--pth", required=True, help="the state dict that was downloaded")
    parser.add_argument("--output", required=True, help="the .safetensors file to write")
    arguments = parser.parse_args()
    try:
        save_weights(from_pytorch(arguments.pth), arguments.output)
        found = load_weights(arguments.output)
    except (OSError, ValueError) as error:
        sys.exit(f"hybridvit: {error}")
    print(f"{arguments.output}: {found.model.name} {found.model.variant}, sha256 {found.digest}")


if __name__ == "__main__":
    main()
