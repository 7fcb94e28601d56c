"""Colouring: luma in, with hints; chroma out, in the colour space of the config."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.augment.degrade import degrade, film_gray
from hybridvit.augment.recolor import recolor
from hybridvit.color.spaces import SPACES
from hybridvit.hints.simulate import simulate_hints
from hybridvit.hints.user_points import simulate_points
from hybridvit.tasks.task import Examined, Pictures, Task, Views

GRAY, TINT = "gray", "one tint (oracle)"


def make_colorize(config: ConfigDict) -> Task:
    """The task, from the whole config: some of the labeled pictures are aged, and hints are simulated."""
    space = SPACES[config.color.space]

    def split(pictures: Pictures) -> tuple[Float[Array, "b h w 1"], Float[Array, "b h w c"]]:
        luma, chroma = space.to_luma_chroma(pictures[..., :3])
        return luma if pictures.shape[-1] == 3 else space.gray_to_luma(pictures[..., 3:]), chroma

    def view(key: Array, pictures: Pictures) -> tuple[Views, Float[Array, "b h w c"]]:
        film_key, age_key, choice_key, hint_key = jax.random.split(key, 4)
        luma, chroma = split(pictures)
        if config.degrade.labeled_probability > 0:
            shape = (len(pictures), 1, 1, 1)
            film = space.gray_to_luma(film_gray(film_key, pictures[..., :3], config.degrade))
            aged = degrade(age_key, film, config.degrade)
            choice = jax.random.bernoulli(choice_key, config.degrade.labeled_probability, shape)
            luma = jnp.where(choice, aged, luma)
        if not config.model.hints:
            return Views(luma, None), chroma
        if config.hints.kind == "points":
            return Views(luma, simulate_points(hint_key, chroma)), chroma
        if config.hints.recolored == 0:
            return Views(luma, simulate_hints(hint_key, chroma, None, config.hints)), chroma
        bright = split(pictures)[0]  # as it was before it was aged
        thing_key = jax.random.fold_in(hint_key, 1)
        chroma, own = recolor(thing_key, bright, chroma, config.hints.recolored, config.hints.cell_sizes)
        hints = simulate_hints(hint_key, chroma, None, config.hints)
        return Views(luma, jnp.where(own[..., -1:] > 0, own, hints)), chroma

    def examine(keys: Array, pictures: Pictures) -> Examined:
        return Examined(*split(pictures), pictures[..., :3])

    def anchors(examined: Examined) -> dict[str, Float[Array, "b h w 3"]]:
        lab = SPACES["lab"]
        luma, chroma = lab.to_luma_chroma(examined.truth)
        tint = jnp.broadcast_to(chroma.mean((1, 2), keepdims=True), chroma.shape)
        return {GRAY: lab.to_rgb(luma, jnp.zeros_like(chroma)), TINT: lab.to_rgb(luma, tint)}

    return Task(space.channels, space.gray_to_luma, view, examine, space.to_rgb, anchors)
