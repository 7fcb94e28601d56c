"""LPIPS (Zhang, Isola, Efros, Shechtman and Wang 2018), version 0.1 on AlexNet, from the field's two weights files.

How far two pictures are apart to the eye: the squared difference of AlexNet's features, each scaled to unit length
over its channels, weighted by channel as people judged, averaged over the picture, summed over the five convolutions.
The files are torchvision's AlexNet (`alexnet-owt-7be5be79.pth`, or any state dict of that form) and the weights of the
channels (`weights/v0.1/alex.pth` of the authors' package); the user fetches them.
"""

import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.torch_file import read_state_dict

# What the authors scale pictures of -1..1 by: ImageNet's mean and deviation of red, green and blue
SHIFT = np.array([-0.030, -0.088, -0.188], np.float32)
SCALE = np.array([0.458, 0.448, 0.450], np.float32)
EPSILON = 1e-10
SMALLEST = 31  # px: a smaller picture leaves nothing for the third convolution


class Layer(NamedTuple):
    """A convolution of AlexNet by its number in `features`."""

    number: int
    width: int
    kernel: int
    stride: int
    padding: int
    pooled: bool  # the largest of 3 x 3, stride 2, comes before it


LAYERS = (
    Layer(0, 64, 11, 4, 2, False),
    Layer(3, 192, 5, 1, 2, True),
    Layer(6, 384, 3, 1, 1, True),
    Layer(8, 256, 3, 1, 1, False),
    Layer(10, 256, 3, 1, 1, False),
)

Params = list[dict[str, Any]]  # a layer each: "kernel" [h, w, in, out], "bias" [out], "weights" [out]


def load_lpips(backbone: str | os.PathLike, linear: str | os.PathLike) -> Params:
    """The parameters, float32; raises FileNotFoundError or ValueError, one line, for other files."""
    network, weights = read_state_dict(backbone), read_state_dict(linear)
    params, width = [], 3
    for i, layer in enumerate(LAYERS):
        kernel = (layer.width, width, layer.kernel, layer.kernel)
        name = f"features.{layer.number}"
        params.append(
            {
                "kernel": _taken(network, f"{name}.weight", kernel, backbone, "AlexNet").transpose(
                    2, 3, 1, 0
                ),
                "bias": _taken(network, f"{name}.bias", kernel[:1], backbone, "AlexNet"),
                "weights": _taken(
                    weights, f"lin{i}.model.1.weight", (1, layer.width, 1, 1), linear, "LPIPS on AlexNet"
                ).ravel(),
            }
        )
        width = layer.width
    return params


def lpips(params: Params, rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> Float[Array, " b"]:
    """The distance of each pair, 0 (equal) to about 1, of sRGB pictures in 0..1.

    Raises ValueError for pictures smaller than AlexNet can look at.
    """
    if min(rgb.shape[1:3]) < SMALLEST:
        raise ValueError(
            f"LPIPS needs pictures of {SMALLEST} px or more, not {rgb.shape[1]} x {rgb.shape[2]}"
        )
    x = (jnp.concatenate([rgb, truth]) * 2 - 1 - SHIFT) / SCALE
    total = jnp.zeros(len(rgb))
    for layer, parameters in zip(LAYERS, params, strict=True):
        if layer.pooled:
            x = nnx.max_pool(x, (3, 3), (2, 2), "VALID")
        x = jax.lax.conv_general_dilated(
            x,
            parameters["kernel"],
            (layer.stride, layer.stride),
            ((layer.padding, layer.padding),) * 2,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision=jax.lax.Precision.HIGHEST,
        )
        x = jax.nn.relu(x + parameters["bias"])
        unit = x / (jnp.linalg.norm(x, axis=-1, keepdims=True) + EPSILON)
        first, second = jnp.split(unit, 2)
        total += jnp.mean((first - second) ** 2 @ parameters["weights"], axis=(1, 2))
    return total


def _taken(
    state: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: str | os.PathLike, what: str
) -> np.ndarray:
    if name not in state or state[name].shape != shape:
        raise ValueError(
            f"{path} does not hold the weights of {what}: {name} is missing, or of another shape"
        )
    return np.asarray(state[name], np.float32)
