"""A generator as pure functions over its parameters, built from the config's section `model`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flax import nnx
from jaxtyping import Array
from ml_collections import ConfigDict

from hybridvit.models.hybrid_conv_vit import HybridConvViT
from hybridvit.models.prediction import Prediction

# A new one: a module that takes (luma, hints or None) and returns a `Prediction`, and its name here.
GENERATORS = {"HybridConvViT": HybridConvViT}


class Generator(NamedTuple):
    """`generate(params, luma, hints or None) -> Prediction`; `init(key) -> params`, a plain dict pytree."""

    generate: Callable[[Any, Array, Array | None], Prediction]
    init: Callable[[Array], Any]


def build_generator(config: ConfigDict) -> Generator:
    """The generator named by `config.name`; raises ValueError for an unknown name or variant."""
    if config.name not in GENERATORS:
        raise ValueError(f"config.model.name={config.name!r} is not one of {', '.join(GENERATORS)}")

    def make(rngs: nnx.Rngs) -> nnx.Module:
        return GENERATORS[config.name](config.variant, dtype=config.dtype, remat=config.remat, rngs=rngs)

    graph = nnx.split(nnx.eval_shape(lambda: make(nnx.Rngs(0))))[0]

    def generate(params: Any, luma: Array, hints: Array | None) -> Prediction:
        return nnx.merge(graph, params)(luma, hints)

    def init(key: Array) -> Any:
        return nnx.to_pure_dict(nnx.state(make(nnx.Rngs(key)), nnx.Param))

    return Generator(generate, init)
