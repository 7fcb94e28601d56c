"""Frozen networks that say in a vector what a whole picture shows, for the fusion layer of autoencoder.py.

    luma [b, h, w, 1], -1..1 -> embedding [b, width]

Two kinds, by their names in `CLASSIFIERS`: Vision Transformers (Dosovitskiy et al. 2021), whose weights are a `.npz`
file of google-research/vision_transformer that the user gives (`read_vit`); and the encoder of our own HybridConvViT,
with what it learnt of pictures when it was trained to colour them (`own_encoder`). Neither is trained on: their weights
are kept as batch statistics are, beside the parameters.
"""

import functools
import math
import os
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Array, Float

from hybridvit.models import blocks
from hybridvit.models.hybrid_conv_vit import VARIANTS, run
from hybridvit.models.pretrained_half import PretrainedHalf


class ViTVariant(NamedTuple):
    """The published sizes; all are for pictures of `side` px."""

    patch: int
    width: int
    depth: int
    num_heads: int
    mlp_width: int
    side: int = 224


VITS = {
    "ViT-Ti_16": ViTVariant(16, 192, 12, 3, 768),
    "ViT-S_32": ViTVariant(32, 384, 12, 6, 1536),
    "ViT-S_16": ViTVariant(16, 384, 12, 6, 1536),
    "ViT-B_32": ViTVariant(32, 768, 12, 12, 3072),
    "ViT-B_16": ViTVariant(16, 768, 12, 12, 3072),
    "ViT-L_16": ViTVariant(16, 1024, 24, 16, 4096),
    "ViT-test": ViTVariant(8, 24, 2, 3, 40, side=32),  # for tests: real in all but size
}
CLASSIFIERS = (*VARIANTS, *VITS)
NOT_EMBEDDING = ("head/", "pre_logits/")  # what a file may have after the embedding


class Block(nnx.Module):
    """A transformer block, its layers named as in the file."""

    def __init__(self, v: ViTVariant, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        options = {"dtype": dtype, "rngs": rngs}
        self.LayerNorm_0 = nnx.LayerNorm(v.width, **options)
        self.MultiHeadDotProductAttention_1 = nnx.MultiHeadAttention(
            v.num_heads, v.width, decode=False, **options
        )
        self.LayerNorm_2 = nnx.LayerNorm(v.width, **options)
        self.MlpBlock_3 = nnx.Dict(
            Dense_0=nnx.Linear(v.width, v.mlp_width, **options),
            Dense_1=nnx.Linear(v.mlp_width, v.width, **options),
        )

    def __call__(self, x: Float[Array, "b t c"]) -> Float[Array, "b t c"]:
        x = x + self.MultiHeadDotProductAttention_1(self.LayerNorm_0(x))
        return x + self.MlpBlock_3["Dense_1"](nnx.gelu(self.MlpBlock_3["Dense_0"](self.LayerNorm_2(x))))


class VisionTransformer(nnx.Module):
    """The class token after the last norm, of the luma as a gray picture resized to the variant's side."""

    def __init__(self, v: ViTVariant, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.side, self.width = v.side, v.width
        self.embedding = nnx.Conv(
            3, v.width, (v.patch, v.patch), strides=v.patch, padding="VALID", dtype=dtype, rngs=rngs
        )
        self.cls = nnx.Param(jnp.zeros((1, 1, v.width)))
        tokens = 1 + (v.side // v.patch) ** 2
        self.Transformer = nnx.Dict(
            posembed_input=nnx.Dict(pos_embedding=nnx.Param(jnp.zeros((1, tokens, v.width)))),
            encoder_norm=nnx.LayerNorm(v.width, dtype=dtype, rngs=rngs),
            **{f"encoderblock_{i}": Block(v, dtype=dtype, rngs=rngs) for i in range(v.depth)},
        )
        self.depth = v.depth

    def __call__(self, luma: Float[Array, "b h w 1"]) -> Float[Array, "b c"]:
        b = len(luma)
        x = jax.image.resize(luma, (b, self.side, self.side, 1), "linear")
        x = self.embedding(jnp.repeat(x, 3, -1)).reshape(b, -1, self.width)
        x = jnp.concatenate([jnp.broadcast_to(self.cls[...], (b, 1, self.width)), x], 1)
        x = x + self.Transformer["posembed_input"]["pos_embedding"][...]
        for i in range(self.depth):
            x = self.Transformer[f"encoderblock_{i}"](x)
        return self.Transformer["encoder_norm"](x)[:, 0].astype(jnp.float32)


class HybridEncoder(nnx.Module):
    """The mean over all places of the HybridConvViT's features after its ViT blocks."""

    def __init__(self, variant: str, *, dtype: jnp.dtype, rngs: nnx.Rngs):
        v = VARIANTS[variant]
        options = {"dtype": dtype, "rngs": rngs}

        def stage(width: int, count: int) -> Mapping[str, nnx.Module]:
            return nnx.Dict({f"block{i:02d}": blocks.ConvBlock(width, **options) for i in range(count)})

        self.pretrained = bool(v.encoder)
        if self.pretrained:
            self.half = PretrainedHalf(
                v.encoder, v.quarter, v.eighth, v.width, hint_channels=0, drop_path=0.0, **options
            )
        else:
            self.stem = blocks.Linear(16, v.quarter, **options)
            self.encoder_quarter = stage(v.quarter, v.quarter_blocks)
            self.down_eighth = blocks.Linear(4 * v.quarter, v.eighth, **options)
            self.encoder_eighth = stage(v.eighth, v.eighth_blocks)
            self.down_tokens = blocks.Linear(4 * v.eighth, v.width, **options)
        self.blocks = nnx.Dict(
            {f"block{i:02d}": blocks.ViTBlock(v.width, v.num_heads, **options) for i in range(v.depth)}
        )
        self.width, self.head_dim, self.stride = v.width, v.width // v.num_heads, v.stride

    def __call__(self, luma: Float[Array, "b h w 1"]) -> Float[Array, "b c"]:
        _, height, width, _ = luma.shape
        pad = ((0, 0), (0, -height % self.stride), (0, -width % self.stride), (0, 0))
        luma = jnp.pad(luma, pad, mode="edge")
        if self.pretrained:
            x = self.half(luma).tokens
        else:
            x = self.stem(blocks.space_to_depth(luma, 4))
            x = self.down_eighth(blocks.space_to_depth(run(self.encoder_quarter, x), 2))
            x = self.down_tokens(blocks.space_to_depth(run(self.encoder_eighth, x), 2))
        b, h, w, c = x.shape
        angles, x = blocks.rotary_angles(h, w, self.head_dim), x.reshape(b, h * w, c)
        for block in self.blocks.values():
            x = block(x, angles)
        return blocks.rms_norm(x).mean(1).astype(jnp.float32)


def build_classifier(name: str, *, dtype: str, rngs: nnx.Rngs) -> VisionTransformer | HybridEncoder:
    """The classifier of that name, frozen, its weights yet random; raises ValueError for another name."""
    if name not in CLASSIFIERS:
        raise ValueError(f"classifier {name!r} is not one of {', '.join(CLASSIFIERS)}")
    dtype = jnp.dtype(dtype)
    if name in VITS:
        return _freeze(VisionTransformer(VITS[name], dtype=dtype, rngs=rngs))
    return _freeze(HybridEncoder(name, dtype=dtype, rngs=rngs))


class _OtherError(Exception):
    """A sound file, but not of this network."""


def read_vit(path: str | os.PathLike, name: str) -> dict[str, Any]:
    """The weights of the ViT `name` from a `.npz` file, as a nested dict for `build_classifier`'s variables.

    Raises FileNotFoundError, or ValueError in one line if the file is not wholly of that ViT.
    """
    path = pathlib.Path(path).expanduser()
    expected = {key: leaf.shape for key, leaf in flatten_dict(_shapes(name), sep="/").items()}
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            infos = {key: info for key, info in infos.items() if not key.startswith(NOT_EMBEDDING)}
            if missing := expected.keys() - infos.keys():
                raise _OtherError(f"it has no {min(missing)}")
            if left := infos.keys() - expected.keys():
                raise _OtherError(f"that has no {min(left):.80}")
            found = {}
            for key, shape in expected.items():
                with archive.open(infos[key]) as file:
                    found[key] = _read_array(file, key, shape)
    except FileNotFoundError:
        raise FileNotFoundError(f"no file at {path}: give the .npz file that was downloaded") from None
    except _OtherError as error:
        raise ValueError(f"{path} is no {name}: {error}") from None
    except Exception as error:  # a damaged archive may raise whatever it likes
        raise ValueError(f"{path} is no .npz file of arrays ({type(error).__name__})") from None
    return unflatten_dict(found, sep="/")


def _read_array(file: zipfile.ZipExtFile, key: str, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """An array of a `.npy` file, float32, of which nothing is taken up before it is known to have this shape."""
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    found, fortran, dtype = read_header[version](file)
    if found != shape:
        raise _OtherError(f"its {key} is {found}, not {shape}")
    if dtype.kind != "f":
        raise _OtherError(f"its {key} holds no floating-point numbers")
    size = math.prod(shape) * dtype.itemsize
    numbers = np.frombuffer(file.read(size), dtype, math.prod(shape))
    return numbers.reshape(shape, order="F" if fortran else "C").astype(np.float32)


def own_encoder(params: dict[str, Any], name: str) -> dict[str, Any]:
    """The encoder's part of the HybridConvViT's parameters, as a nested dict for `build_classifier`'s variables."""
    given = flatten_dict(params, sep="/")
    if not VARIANTS[name].encoder:
        # Of the channels that the stem is given, the luma is the first
        every = given["stem/kernel"].shape[0] // 16
        given["stem/kernel"] = given["stem/kernel"][::every]
    return unflatten_dict(
        {key: np.asarray(given[key]) for key in flatten_dict(_shapes(name), sep="/")}, sep="/"
    )


@functools.cache
def _shapes(name: str) -> dict[str, Any]:
    make = lambda: build_classifier(name, dtype="float32", rngs=nnx.Rngs(0))  # noqa: E731
    return nnx.to_pure_dict(nnx.state(nnx.eval_shape(make), nnx.BatchStat))


def _freeze(module: nnx.Module) -> Any:
    """Makes what could be learnt into what is only kept."""
    for _, node in nnx.iter_graph(module):
        if isinstance(node, nnx.Module):
            for name, value in list(vars(node).items()):
                if isinstance(value, nnx.Param):
                    setattr(node, name, nnx.BatchStat(value[...]))
    return module
