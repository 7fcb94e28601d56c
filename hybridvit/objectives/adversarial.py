"""Adversarial losses over patch logits, and the R1 penalty.

hinge (Lim & Ye 2017), least squares (Mao et al. 2017), vanilla (Goodfellow et al. 2014, non-saturating).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.objectives.term import Answer, Material, Metrics, Networks, Prepared, Seen, State, Term

Logits = Float[Array, "b h w 1"]

DISCRIMINATOR_LOSSES: dict[str, Callable] = {
    "hinge": lambda real, fake: jnp.mean(jax.nn.relu(1 - real)) + jnp.mean(jax.nn.relu(1 + fake)),
    "least_squares": lambda real, fake: jnp.mean((real - 1) ** 2) + jnp.mean(fake**2),
    "vanilla": lambda real, fake: jnp.mean(jax.nn.softplus(-real)) + jnp.mean(jax.nn.softplus(fake)),
}
GENERATOR_LOSSES: dict[str, Callable] = {
    "hinge": lambda fake: -jnp.mean(fake),
    "least_squares": lambda fake: jnp.mean((fake - 1) ** 2),
    "vanilla": lambda fake: jnp.mean(jax.nn.softplus(-fake)),
}


def make_term(networks: Networks, config: ConfigDict, restoring: bool) -> Term | None:
    """The labeled pictures' colours before a discriminator of luma and chroma, from the whole config."""
    if restoring or config.adversarial.weight == 0:
        return None

    def judge(params: Any, state: State, material: Material, chroma: Array) -> tuple[Logits, Any]:
        return networks.discriminate(
            params, state.disc_stats, jnp.concatenate([material.labeled.luma, chroma], -1)
        )

    def loss(own: Any, given: tuple[State, Material], seen: Seen) -> tuple[Array, Metrics]:
        state, _ = given
        fake, _ = judge(state.disc_params, *given, seen.labeled.chroma)
        value = generator_loss(config.adversarial.loss, fake)
        heard = state.step >= config.adversarial.start_step
        return config.adversarial.weight * heard * value, {"loss/generator": value}

    def oppose(given: tuple[State, Material], seen: Seen) -> Answer:
        state, material = given

        def objective(params: Any) -> tuple[Array, Any]:
            return discriminator_objective(
                lambda colors: judge(params, *given, colors),
                material.target,
                seen.labeled.chroma,
                config.adversarial,
            )

        (value, stats), grads = jax.value_and_grad(objective, has_aux=True)(state.disc_params)
        return Answer({"disc_params": grads}, {"disc_stats": stats}, {"loss/discriminator": value})

    return Term(lambda state, material: Prepared((state, material)), loss, oppose=oppose)


def discriminator_loss(name: str, real: Logits, fake: Float[Array, "f h w 1"]) -> Float[Array, ""]:
    """Loss of the discriminator on true and generated colours; half of the sum, as in pix2pix."""
    return 0.5 * DISCRIMINATOR_LOSSES[name](real, fake)


def generator_loss(name: str, fake: Logits) -> Float[Array, ""]:
    """Loss of the generator on its own colours."""
    return GENERATOR_LOSSES[name](fake)


def discriminator_objective(
    judge: Callable[[Array], tuple[Logits, Any]],
    real: Float[Array, "b h w c"],
    fake: Float[Array, "f h w c"],
    config: ConfigDict,
) -> tuple[Float[Array, ""], Any]:
    """Loss by `config.adversarial`, with its gradient penalty, and the discriminator's statistics afterwards.

    `judge(pictures) -> (logits, statistics)`.
    """
    logits, stats = judge(real)
    loss = discriminator_loss(config.loss, logits, judge(fake)[0])
    if config.r1_weight > 0:
        loss += config.r1_weight * r1_penalty(lambda pictures: judge(pictures)[0], real)
    return loss, stats


def r1_penalty(logits: Callable[[Array], Logits], chroma: Float[Array, "b h w c"]) -> Float[Array, ""]:
    """Half the squared gradient of the real pictures' logits by their chroma (Mescheder et al. 2018, equation 9)."""
    gradient = jax.grad(lambda chroma: logits(chroma).mean((1, 2, 3)).sum())(chroma)
    return 0.5 * jnp.mean(jnp.sum(jnp.square(gradient), (1, 2, 3)))
