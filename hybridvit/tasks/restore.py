"""Restoring: an aged gray picture in; out what must be added to it to be the picture before.

The damage is that of `augment.degrade`, by the probabilities of `config.degrade`. What is predicted is the difference,
so that a network that has learnt nothing changes nothing.
"""

import jax
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.augment.degrade import degrade
from hybridvit.color import lab
from hybridvit.tasks.task import Examined, Pictures, Task, Views

INPUT = "aged input"


def make_restore(config: ConfigDict) -> Task:
    """The task, from the whole config."""

    def view(key: Array, pictures: Pictures) -> tuple[Views, Float[Array, "b h w 1"]]:
        luma, _ = lab.to_luma_chroma(pictures[..., :3])
        aged = degrade(key, luma, config.degrade)
        return Views(aged, None), luma - aged

    def examine(keys: Array, pictures: Pictures) -> Examined:
        luma, _ = lab.to_luma_chroma(pictures[..., :3])
        aged = jax.vmap(lambda key, one: degrade(key, one[None], config.degrade)[0])(keys, luma)
        return Examined(aged, luma - aged, gray(luma))

    def draw(luma: Float[Array, "b h w 1"], added: Float[Array, "b h w 1"]) -> Float[Array, "b h w 3"]:
        return gray(luma + added)

    def anchors(examined: Examined) -> dict[str, Float[Array, "b h w 3"]]:
        return {INPUT: gray(examined.luma)}

    return Task(1, lab.gray_to_luma, view, examine, draw, anchors)


def gray(luma: Float[Array, "b h w 1"]) -> Float[Array, "b h w 3"]:
    """The picture of a luma."""
    return lab.to_rgb(luma, 0 * luma.repeat(2, -1))
