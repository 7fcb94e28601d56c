"""The train step of CycleGAN (Zhu et al. 2017), in place of `step.make_train_step`.

    (state, batch of uint8 pictures) -> (state, metrics)

Generators of colours from gray and of gray from colours each deceive a discriminator, lead back to where the other
started (cycle loss) and change nothing that need not change (identity loss); the discriminators are shown the
generators' pictures through a pool of older ones. The generator of colours is the state's own, so that evaluation, EMA
and release are as for any other.

The paper's identity loss gives a generator a picture of its target kind, which it shall leave alone. Here the kinds
differ in their channels, so this is asked of what both have, the gray: a gray picture in three equal channels is to
come back as itself, and the colours made for the luma of a colour picture are to be of this luma.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.color.spaces import rgb_to_gray_rgb
from hybridvit.objectives import adversarial
from hybridvit.objectives.term import Metrics
from hybridvit.training.cycle import query_pool
from hybridvit.training.state import Networks, TrainState
from hybridvit.training.update import update_state

Batch = dict[str, Array]


def make_cycle_step(
    networks: Networks, config: ConfigDict
) -> Callable[[TrainState, Batch], tuple[TrainState, Metrics]]:
    """The update of one step, from the whole config.

    The batch holds `labeled` uint8 `[B, S, S, 3 or 4]`, of which the first three are the colour pictures, and
    `unlabeled` uint8 `[U, S, S, 1]`, the gray ones. Metrics are float32 scalars.
    """
    to_gray = networks.cycle.to_gray

    def to_color(params: Any, stats: Any, gray: Array, key: Array) -> tuple[Array, Any]:
        prediction, stats = networks.train_forward(params, stats, gray, None, key)
        return prediction.chroma, stats

    def generator_objective(
        params: tuple[Any, Any], state: TrainState, colors: Array, gray: Array, key: Array
    ) -> tuple[Array, tuple[Array, Array, Any, Any, Metrics]]:
        """Loss of both generators; their pictures, statistics, and what is logged."""
        params, back = params
        keys = jax.random.split(key, 6)
        colored, stats = to_color(params, state.stats, gray, keys[0])
        grayed, back_stats = to_gray(back, state.cycle["stats"], colors, keys[1])
        gray_again, back_stats = to_gray(back, back_stats, colored, keys[2])
        colors_again, stats = to_color(params, stats, grayed, keys[3])
        deceived, _ = networks.discriminate(state.disc_params, state.disc_stats, colored)
        back_deceived, _ = networks.cycle.judge_gray(
            state.cycle["disc_params"], state.cycle["disc_stats"], grayed
        )
        metrics = {
            "loss/generator": adversarial.generator_loss(config.adversarial.loss, deceived),
            "loss/generator_gray": adversarial.generator_loss(config.adversarial.loss, back_deceived),
            "loss/cycle": distance(gray_again, gray) + distance(colors_again, colors),
        }
        heard = state.step >= config.adversarial.start_step
        loss = (
            config.adversarial.weight * heard * (metrics["loss/generator"] + metrics["loss/generator_gray"])
        )
        loss += config.cycle.weight * metrics["loss/cycle"]
        if config.cycle.identity > 0:
            luma = luma_of(colors)
            kept, stats = to_color(params, stats, luma, keys[4])
            same, back_stats = to_gray(back, back_stats, gray.repeat(colors.shape[-1], -1), keys[5])
            metrics["loss/identity"] = distance(luma_of(kept), luma) + distance(same, gray)
            loss += config.cycle.weight * config.cycle.identity * metrics["loss/identity"]
        return loss, (colored, grayed, stats, back_stats, metrics | {"loss": loss})

    def discriminator_gradients(
        judge: Callable, params: Any, stats: Any, real: Array, fake: Array
    ) -> tuple[Array, Any, Any]:
        """Loss, new statistics and gradients of one discriminator."""

        def objective(params: Any) -> tuple[Array, Any]:
            return adversarial.discriminator_objective(
                lambda pictures: judge(params, stats, pictures), real, fake, config.adversarial
            )

        (loss, stats), grads = jax.value_and_grad(objective, has_aux=True)(params)
        return loss, stats, grads

    def train_step(state: TrainState, batch: Batch, seed: Any = config.seed) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        network_key, color_key, gray_key = jax.random.split(key, 3)
        colors = 2 * batch["labeled"][..., :3].astype(jnp.float32) / 255 - 1
        gray = networks.task.gray_to_luma(batch["unlabeled"].astype(jnp.float32) / 255)
        cycle, changed = dict(state.cycle), {}

        objective = jax.grad(generator_objective, has_aux=True)
        both = (state.params, cycle["params"])
        grads, (colored, grayed, changed["stats"], cycle["stats"], metrics) = objective(
            both, state, colors, gray, network_key
        )
        shown, cycle["color_pool"] = query_pool(color_key, cycle["color_pool"], colored)
        metrics["loss/discriminator"], changed["disc_stats"], disc_grads = discriminator_gradients(
            networks.discriminate, state.disc_params, state.disc_stats, colors, shown
        )
        shown, cycle["gray_pool"] = query_pool(gray_key, cycle["gray_pool"], grayed)
        metrics["loss/discriminator_gray"], cycle["disc_stats"], gray_grads = discriminator_gradients(
            networks.cycle.judge_gray, cycle["disc_params"], cycle["disc_stats"], gray, shown
        )
        grads = {
            "params": grads[0],
            "disc_params": disc_grads,
            "cycle": {"params": grads[1], "disc_params": gray_grads},
        }
        return update_state(networks, config.optim, state, grads, changed | {"cycle": cycle}, metrics)

    return train_step


def distance(one: Float[Array, "b h w c"], other: Float[Array, "b h w c"]) -> Float[Array, ""]:
    """Mean absolute difference."""
    return jnp.mean(jnp.abs(one - other))


def luma_of(colors: Float[Array, "b h w 3"]) -> Float[Array, "b h w 1"]:
    """The luma, -1..1, of RGB, -1..1."""
    return rgb_to_gray_rgb((colors + 1) / 2)[0]
