"""The published PyTorch weights of eccv16 and siggraph17 as this project's parameters.

In: a state dict by PyTorch's names, arrays `[out, in, h, w]`. Out: the generator's variables, a nested dict of float32
arrays, kernels `[h, w, in, out]`. No name may be missing, left over, or of another shape.

What differs from the release, and how it is made good:
  - eccv16's softmax has no temperature, because the published weights have it in them (those of the Caffe release are
    multiplied by 2.606 before the softmax). Its logits are multiplied by 0.38 here, and the network divides by it: the
    chroma is the release's, and the distribution is the one that was trained.
  - siggraph17's logits are multiplied by 0.2, as the authors' program does before it suggests colours.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.models import eccv16, siggraph17

SUGGESTIONS = 0.2  # of siggraph17's logits
FARTHEST = 1.0  # ab units that the colours of the file's bins may lie from ours


class Converted(NamedTuple):
    """`name` is a key of GENERATORS and `variant` one of its; `hints`: whether it takes any."""

    name: str
    variant: str
    hints: bool
    variables: dict[str, Any]


class _Layer(NamedTuple):
    """Where a layer is here and there, of which kind it is, and what its numbers are multiplied by."""

    ours: str
    theirs: str
    kind: str = "conv"
    scale: float = 1.0


def convert(state_dict: Mapping[str, np.ndarray]) -> Converted:
    """The variables of the network whose state dict this is, running statistics among them.

    Raises ValueError, one line, if it is of neither network or not wholly of one.
    """
    if "model8up.0.weight" in state_dict:
        module, network, layers, hints = siggraph17, siggraph17.Siggraph17, _siggraph17(), True
    elif "model8.0.weight" in state_dict:
        module, network, layers, hints = eccv16, eccv16.Eccv16, _eccv16(), False
    else:
        raise ValueError("these are the weights of neither eccv16 nor siggraph17: there is no layer model8")
    width = len(state_dict.get("model1.0.weight", ()))
    variant = next((name for name, w in module.VARIANTS.items() if w == width), "paper")

    def make() -> nnx.Module:
        channels = {"channels": 2, "hint_channels": 3 if hints else 0}
        return network(variant, **channels, dtype="float32", remat=False, rngs=nnx.Rngs(0))

    shapes = flatten_dict(nnx.to_pure_dict(nnx.state(nnx.eval_shape(make))), sep="/")
    left = {name: x for name, x in state_dict.items() if not name.endswith("num_batches_tracked")}
    variables = {}
    for layer in layers:
        for ours, theirs in _arrays(layer):
            if theirs not in left:
                raise ValueError(
                    f"{theirs} is missing: these are not the whole weights of {network.__name__}"
                )
            array, shape = _turned(left.pop(theirs), ours, layer), shapes.pop(ours).shape
            if array.shape != shape:
                raise ValueError(f"{theirs} gives {array.shape}, but {network.__name__} has {shape} there")
            variables[ours] = np.ascontiguousarray(array, np.float32) * np.float32(layer.scale)
    if left:
        raise ValueError(f"{min(left)} is none of {network.__name__}'s: these are another network's weights")
    if not hints:
        _check_colors(variables["colors"])
    return Converted(network.__name__, variant, hints, unflatten_dict(variables, sep="/"))


def _stage(number: int, count: int, first: int = 0) -> Iterator[_Layer]:
    """A stage's convolutions, each followed by a ReLU, and its norm; `first` is the place of the first one."""
    for i in range(count):
        yield _Layer(f"stage{number}/convs/conv{i}", f"model{number}.{first + 2 * i}")
    yield _Layer(f"stage{number}/norm", f"model{number}.{first + 2 * count}", "norm")


def _trunk() -> Iterator[_Layer]:
    for number, count in enumerate((2, 2, 3, 3, 3, 3, 3), 1):
        yield from _stage(number, count)


def _eccv16() -> Iterator[_Layer]:
    yield from _trunk()
    yield _Layer("up8", "model8.0", "up")
    yield _Layer("conv8/conv0", "model8.2")
    yield _Layer("conv8/conv1", "model8.4")
    yield _Layer("bins", "model8.6", scale=eccv16.TEMPERATURE)
    yield _Layer("colors", "model_out", "table", CHROMA_SCALE)


def _siggraph17() -> Iterator[_Layer]:
    yield from _trunk()
    for number, before, count in ((8, 3, 2), (9, 2, 1)):
        yield _Layer(f"up{number}", f"model{number}up.0", "up")
        yield _Layer(f"short{number}", f"model{before}short{number}.0")
        yield from _stage(number, count, first=1)
    yield _Layer("up10", "model10up.0", "up")
    yield _Layer("short10", "model1short10.0")
    yield _Layer("conv10", "model10.1")
    yield _Layer("bins", "model_class.0", scale=SUGGESTIONS)
    yield _Layer("chroma", "model_out.0")


def _arrays(layer: _Layer) -> Iterator[tuple[str, str]]:
    if layer.kind == "table":
        yield layer.ours, f"{layer.theirs}.weight"
        return
    names = {"kernel": "weight", "bias": "bias"}
    if layer.kind == "norm":
        names = {"scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
    for ours, theirs in names.items():
        yield f"{layer.ours}/{ours}", f"{layer.theirs}.{theirs}"


def _turned(array: np.ndarray, ours: str, layer: _Layer) -> np.ndarray:
    """The array with its axes as ours; one of other axes is left as it is, to be refused for its shape."""
    if array.ndim != 4:
        return array
    if layer.kind == "table":
        return array[:, :, 0, 0].T
    if (
        layer.kind == "up"
    ):  # PyTorch's is the gradient of a convolution, ours a convolution of the spread input
        return array.transpose(2, 3, 0, 1)[::-1, ::-1]
    return array.transpose(2, 3, 1, 0)


def _check_colors(colors: np.ndarray) -> None:
    distance = np.abs(colors - BIN_CENTRES).max()
    if not distance <= FARTHEST:
        raise ValueError(
            f"model_out.weight has colours {distance:.0f} ab units from those of the 313 bins: another set of bins"
        )
