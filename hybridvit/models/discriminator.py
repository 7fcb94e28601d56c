"""A discriminator as pure functions over its parameters, built from the config's section `adversarial`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flax import nnx
from jaxtyping import Array
from ml_collections import ConfigDict

from hybridvit.models.patch_gan import PatchGAN


class Discriminator(NamedTuple):
    """Pure functions over plain dict pytrees; `stats` are the vectors of the spectral norm (else empty)."""

    judge: Callable[[Any, Any, Array], tuple[Array, Any]]  # params, stats, pictures -> logits, stats
    init: Callable[[Array], tuple[Any, Any]]  # key -> params, stats


def build_discriminator(config: ConfigDict, channels: int, dtype: str) -> Discriminator:
    """The PatchGAN of `config`, for pictures of so many channels, about -1..1."""

    def make(rngs: nnx.Rngs) -> PatchGAN:
        return PatchGAN(
            channels,
            width=config.width,
            num_layers=config.num_layers,
            norm=config.norm,
            dtype=dtype,
            rngs=rngs,
        )

    graph = nnx.split(nnx.eval_shape(lambda: make(nnx.Rngs(0))), nnx.Param, nnx.BatchStat)[0]

    def judge(params: Any, stats: Any, pictures: Array) -> tuple[Array, Any]:
        module = nnx.merge(graph, params, stats)
        logits = module(pictures)
        return logits, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def init(key: Array) -> tuple[Any, Any]:
        _, params, stats = nnx.split(make(nnx.Rngs(key)), nnx.Param, nnx.BatchStat)
        return nnx.to_pure_dict(params), nnx.to_pure_dict(stats)

    return Discriminator(judge, init)
