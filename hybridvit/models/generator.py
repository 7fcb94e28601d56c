"""A generator as pure functions over its parameters, built from the config's section `model`."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Array
from ml_collections import ConfigDict

from hybridvit.models.autoencoder import Autoencoder
from hybridvit.models.blocks import ShapesOnly
from hybridvit.models.eccv16 import Eccv16
from hybridvit.models.hscau_net import HSCAUNet
from hybridvit.models.hybrid_conv_vit import VARIANTS, HybridConvViT
from hybridvit.models.link_net import LinkNet
from hybridvit.models.prediction import Prediction
from hybridvit.models.r2_unet import R2UNet
from hybridvit.models.resnet_generator import ResNetGenerator
from hybridvit.models.siggraph17 import Siggraph17
from hybridvit.models.unet import UNet
from hybridvit.models.unet_3_plus import UNet3Plus
from hybridvit.models.unet_plus_plus import UNetPlusPlus

# A new one: a module that takes (luma, hints or None, key or None), returns a `Prediction`, and has its name here.
GENERATORS = {
    generator.__name__: generator
    for generator in (
        HybridConvViT,
        UNet,
        UNetPlusPlus,
        UNet3Plus,
        LinkNet,
        R2UNet,
        HSCAUNet,
        ResNetGenerator,
        Eccv16,
        Siggraph17,
        Autoencoder,
    )
}


class Generator(NamedTuple):
    """Pure functions over plain dict pytrees.

    `params` are learnt, `stats` are the running statistics of batch norms (empty for most); `variables` are both in one
    tree (`join`), what is averaged over training, evaluated and released.
    """

    generate: Callable[[Any, Array, Array | None], Prediction]  # variables, luma, hints or None
    # params, stats, luma, hints or None, key -> as in training: dropout, the batch's own statistics
    train_forward: Callable[[Any, Any, Array, Array | None, Array], tuple[Prediction, Any]]
    init: Callable[[Array], tuple[Any, Any]]  # key -> params, stats
    shapes: tuple[Any, Any]  # what `init` would give, as jax.ShapeDtypeStruct
    describe: (
        Callable[[Any, Array], Array] | None
    )  # variables, luma -> what is seen where; of HybridConvViT alone
    see: (
        Callable[[Any, Array], Any] | None
    )  # variables, luma -> what is seen whatever the hints, if there is such
    see_described: Callable[[Any, Array], tuple[Any, Array]] | None  # both in one look, where there is `see`
    paint: Callable[
        [Any, Array, Any, Array | None], Prediction
    ]  # the rest of `generate`, from what is seen or None
    # variables, luma -> maps of what is seen in each cell of the bins; where there is a pretrained encoder
    describe_cells: Callable[[Any, Array], list[Array]] | None


def build_generator(config: ConfigDict, channels: int = 2, hint_channels: int | None = None) -> Generator:
    """The generator named by `config.name`, for chroma of so many channels.

    `hint_channels` are given beside the luma; None: as many as the chroma and a mask, or none without `config.hints`.
    Raises ValueError for an unknown name or variant.
    """
    if config.name not in GENERATORS:
        raise ValueError(f"config.model.name={config.name!r} is not one of {', '.join(GENERATORS)}")
    if hint_channels is None:
        hint_channels = channels + 1 if config.hints else 0
    shape = {"channels": channels, "hint_channels": hint_channels}
    if config.name == HybridConvViT.__name__ and "drop_path" in config:  # weights of 0.1 do not name it
        shape["drop_path"] = config.drop_path

    structure = _structure(config.name, config.variant, config.dtype, config.remat, **shape)
    graph = structure.graph

    def generate(variables: Any, luma: Array, hints: Array | None) -> Prediction:
        return nnx.merge(graph, variables)(luma, hints)._replace(features=None)  # of training alone

    def see(variables: Any, luma: Array) -> Any:
        return nnx.merge(graph, variables).see(luma)

    def paint(variables: Any, luma: Array, seen: Any, hints: Array | None) -> Prediction:
        if seen is None:
            return generate(variables, luma, hints)
        return nnx.merge(graph, variables).paint(luma, seen, hints)._replace(features=None)

    def see_described(variables: Any, luma: Array) -> tuple[Any, Array]:
        return nnx.merge(graph, variables).see_described(luma)

    def train_forward(
        params: Any, stats: Any, luma: Array, hints: Array | None, key: Array
    ) -> tuple[Prediction, Any]:
        module = nnx.merge(graph, join(params, stats))
        prediction = module(luma, hints, key)
        return prediction, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def init(key: Array) -> tuple[Any, Any]:
        _, params, stats = nnx.split(structure.make(nnx.Rngs(key)), nnx.Param, nnx.BatchStat)
        return nnx.to_pure_dict(params), nnx.to_pure_dict(stats)

    def describe(variables: Any, luma: Array) -> Array:
        return nnx.merge(graph, variables).describe(luma)

    def describe_cells(variables: Any, luma: Array) -> list[Array]:
        return nnx.merge(graph, variables).describe_cells(luma)

    hybrid = config.name == HybridConvViT.__name__
    sees = hybrid and VARIANTS[config.variant].encoder
    return Generator(
        generate,
        train_forward,
        init,
        (structure.params, structure.stats),
        describe if hybrid else None,
        see if sees else None,
        see_described if sees else None,
        paint,
        describe_cells if sees else None,
    )


class _Structure(NamedTuple):
    make: Callable[[nnx.Rngs], nnx.Module]
    graph: nnx.GraphDef
    params: Any
    stats: Any


@functools.lru_cache(maxsize=64)  # a module of many layers takes half a second to be traced
def _structure(name: str, variant: str, dtype: str, remat: bool, **shape: Any) -> _Structure:
    def make(rngs: nnx.Rngs) -> nnx.Module:
        return GENERATORS[name](variant, **shape, dtype=dtype, remat=remat, rngs=rngs)

    graph, params, stats = nnx.split(nnx.eval_shape(lambda: make(ShapesOnly(0))), nnx.Param, nnx.BatchStat)
    return _Structure(make, graph, nnx.to_pure_dict(params), nnx.to_pure_dict(stats))


def join(params: Any, stats: Any) -> Any:
    """Both in one tree."""
    return unflatten_dict(flatten_dict(params) | flatten_dict(stats)) if stats else params
