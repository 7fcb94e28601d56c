"""The Inception-v3 of the Frechet inception distance, from the weights file that the field uses.

Heusel et al. 2017 measure with the network of TensorFlow's archive inception-2015-12-05; its port to PyTorch, a state
dict named `pt_inception-2015-12-05-6726825d.pth`, is what most papers' programs load. The network is Szegedy et al.
2016, table 1, with the ways of that archive: averages over a window leave out what lies beyond the edge, and the last
block takes the largest value where the paper has an average. Pictures are resized to 299 x 299 px, bilinearly without
antialiasing, and scaled to -1..1; the features are the 2048 channels before the classes, averaged over the picture.

The weights are the user's to fetch. torchvision's Inception-v3 is another network: features of other pictures' worth.
"""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.torch_file import read_state_dict

SIDE = 299
EPSILON = 1e-3  # of the batch norms
UNUSED = ("fc.", "AuxLogits.")  # the classes

Params = dict[str, Any]  # {"Mixed_5b.branch1x1": {"kernel": [h, w, in, out], "bias": [out]}}


class Conv(NamedTuple):
    """A convolution with its norm, and a ReLU; without a stride it keeps the map's size, unless `valid`."""

    name: str
    width: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    valid: bool = False


class Block(NamedTuple):
    """Branches side by side, then one that pools; a tuple within a branch is a fork of it."""

    branches: tuple[tuple[Conv | tuple[Conv, ...], ...], ...]
    pool: str  # average | largest, with a 1x1 convolution after it; halve: the largest, with a stride of 2
    pool_width: int = 0


def _mixed_5(pool_width: int) -> Block:
    return Block(
        (
            (Conv("branch1x1", 64),),
            (Conv("branch5x5_1", 48), Conv("branch5x5_2", 64, (5, 5))),
            (
                Conv("branch3x3dbl_1", 64),
                Conv("branch3x3dbl_2", 96, (3, 3)),
                Conv("branch3x3dbl_3", 96, (3, 3)),
            ),
        ),
        "average",
        pool_width,
    )


def _mixed_6(width: int) -> Block:
    row, column = (1, 7), (7, 1)
    return Block(
        (
            (Conv("branch1x1", 192),),
            (Conv("branch7x7_1", width), Conv("branch7x7_2", width, row), Conv("branch7x7_3", 192, column)),
            (
                Conv("branch7x7dbl_1", width),
                Conv("branch7x7dbl_2", width, column),
                Conv("branch7x7dbl_3", width, row),
                Conv("branch7x7dbl_4", width, column),
                Conv("branch7x7dbl_5", 192, row),
            ),
        ),
        "average",
        192,
    )


def _mixed_7(pool: str) -> Block:
    row, column = (1, 3), (3, 1)
    return Block(
        (
            (Conv("branch1x1", 320),),
            (
                Conv("branch3x3_1", 384),
                (Conv("branch3x3_2a", 384, row), Conv("branch3x3_2b", 384, column)),
            ),
            (
                Conv("branch3x3dbl_1", 448),
                Conv("branch3x3dbl_2", 384, (3, 3)),
                (Conv("branch3x3dbl_3a", 384, row), Conv("branch3x3dbl_3b", 384, column)),
            ),
        ),
        pool,
        192,
    )


STEM = (  # "halve" is a pooling
    Conv("Conv2d_1a_3x3", 32, (3, 3), 2),
    Conv("Conv2d_2a_3x3", 32, (3, 3), valid=True),
    Conv("Conv2d_2b_3x3", 64, (3, 3)),
    "halve",
    Conv("Conv2d_3b_1x1", 80),
    Conv("Conv2d_4a_3x3", 192, (3, 3), valid=True),
    "halve",
)
BLOCKS = {
    "Mixed_5b": _mixed_5(32),
    "Mixed_5c": _mixed_5(64),
    "Mixed_5d": _mixed_5(64),
    "Mixed_6a": Block(
        (
            (Conv("branch3x3", 384, (3, 3), 2),),
            (
                Conv("branch3x3dbl_1", 64),
                Conv("branch3x3dbl_2", 96, (3, 3)),
                Conv("branch3x3dbl_3", 96, (3, 3), 2),
            ),
        ),
        "halve",
    ),
    "Mixed_6b": _mixed_6(128),
    "Mixed_6c": _mixed_6(160),
    "Mixed_6d": _mixed_6(160),
    "Mixed_6e": _mixed_6(192),
    "Mixed_7a": Block(
        (
            (Conv("branch3x3_1", 192), Conv("branch3x3_2", 320, (3, 3), 2)),
            (
                Conv("branch7x7x3_1", 192),
                Conv("branch7x7x3_2", 192, (1, 7)),
                Conv("branch7x7x3_3", 192, (7, 1)),
                Conv("branch7x7x3_4", 192, (3, 3), 2),
            ),
        ),
        "halve",
    ),
    "Mixed_7b": _mixed_7("average"),
    "Mixed_7c": _mixed_7("largest"),
}


def load_inception(path: str | os.PathLike) -> Params:
    """The parameters, float32, norms folded into the convolutions.

    Raises FileNotFoundError or ValueError, one line, for a file that is not the whole network, or of torchvision's.
    """
    state = read_state_dict(path)
    if len(state.get("fc.weight", ())) == 1000:
        raise ValueError(
            f"{path} is torchvision's Inception-v3, and FID is defined by another: give "
            "pt_inception-2015-12-05-6726825d.pth"
        )
    left = {x for x in state if not x.startswith(UNUSED) and not x.endswith("num_batches_tracked")}
    params = {}
    for name, width_in, conv in layers():
        shape = conv.width, width_in, *conv.kernel
        parts = {part: f"{name}.bn.{part}" for part in ("weight", "bias", "running_mean", "running_var")}
        found = {part: np.asarray(state.get(full, ()), np.float32) for part, full in parts.items()}
        weight = np.asarray(state.get(f"{name}.conv.weight", ()), np.float32)
        if weight.shape != shape or any(x.shape != shape[:1] for x in found.values()):
            raise ValueError(f"{path} is not the Inception-v3 of FID: {name} is missing, or of another shape")
        gain = found["weight"] / np.sqrt(found["running_var"] + EPSILON)
        kernel = (weight * gain[:, None, None, None]).transpose(2, 3, 1, 0)
        params[name] = {"kernel": kernel, "bias": found["bias"] - found["running_mean"] * gain}
        left -= {f"{name}.conv.weight", *parts.values()}
    if left:
        raise ValueError(f"{path} is not the Inception-v3 of FID: it has no {min(left):.80}")
    return params


def layers() -> Iterator[tuple[str, int, Conv]]:
    """The full name, the channels that come in, and the convolution, of all."""
    width = 3
    for conv in STEM:
        if isinstance(conv, Conv):
            yield conv.name, width, conv
            width = conv.width
    for block_name, block in BLOCKS.items():
        total = 0 if block.pool_width else width
        for branch in block.branches:
            inner = width
            for step in branch:
                fork = (step,) if isinstance(step, Conv) else step
                for conv in fork:
                    yield f"{block_name}.{conv.name}", inner, conv
                inner = sum(conv.width for conv in fork)
            total += inner
        if block.pool_width:
            yield f"{block_name}.branch_pool", width, Conv("branch_pool", block.pool_width)
        width = total + block.pool_width


def inception_features(params: Params, rgb: Float[Array, "b h w 3"]) -> Float[Array, "b 2048"]:
    """Of sRGB pictures in 0..1, of any size."""
    if rgb.shape[1:3] != (SIDE, SIDE):
        rgb = jax.image.resize(rgb, (len(rgb), SIDE, SIDE, 3), "linear", antialias=False)
    x = 2 * rgb - 1
    for step in STEM:
        x = _convolve(params[step.name], x, step) if isinstance(step, Conv) else _pool(x, step)
    for name, block in BLOCKS.items():
        outputs = []
        for branch in block.branches:
            y = x
            for step in branch:
                fork = (step,) if isinstance(step, Conv) else step
                y = jnp.concatenate([_convolve(params[f"{name}.{c.name}"], y, c) for c in fork], -1)
            outputs.append(y)
        y = _pool(x, block.pool)
        if block.pool_width:
            y = _convolve(params[f"{name}.branch_pool"], y, Conv("branch_pool", block.pool_width))
        x = jnp.concatenate([*outputs, y], -1)
    return x.mean((1, 2))


def _convolve(layer: dict[str, Any], x: Float[Array, "b h w c"], conv: Conv) -> Float[Array, "b hs ws d"]:
    whole = conv.stride == 1 and not conv.valid
    x = jax.lax.conv_general_dilated(
        x,
        layer["kernel"],
        (conv.stride, conv.stride),
        "SAME" if whole else "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGHEST,
    )
    return jax.nn.relu(x + layer["bias"])


def _pool(x: Float[Array, "b h w c"], kind: str) -> Float[Array, "b hs ws c"]:
    if kind == "average":
        return nnx.avg_pool(x, (3, 3), (1, 1), "SAME", count_include_pad=False)
    if kind == "largest":
        return nnx.max_pool(x, (3, 3), (1, 1), "SAME")
    return nnx.max_pool(x, (3, 3), (2, 2), "VALID")
