"""Cross-entropy on the 313 ab bins with class rebalancing (Zhang, Isola, Efros 2016, section 2.2)."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.color import bins
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.objectives.term import Material, Metrics, Networks, Prepared, Seen, State, Term


def make_term(networks: Networks, config: ConfigDict, restoring: bool) -> Term | None:
    """The labeled pictures' bins, from the whole config; their prior is learnt from the first step on."""
    if config.bins.weight == 0:
        return None

    def prepare(state: State, material: Material) -> Prepared:
        target = encode_truth(material.target, config.bins.sigma)
        prior = update_prior(state.bin_prior, target, config.bins)
        return Prepared((target, state.bin_prior), {"bin_prior": prior})

    def loss(own: Any, given: tuple[Array, Array], seen: Seen) -> tuple[Array, Metrics]:
        value = bin_loss(seen.labeled.bins, *given, config.bins.uniform_mix)
        return config.bins.weight * value, {"loss/bins": value}

    return Term(prepare, None if restoring else loss)


def encode_truth(chroma: Float[Array, "b h w 2"], sigma: float) -> Float[Array, "b h8 w8 q"]:
    """The soft-encoded bins of the true chroma, averaged over each cell of the head."""
    return bins.soft_encode(bins.pool(chroma) * CHROMA_SCALE, sigma=sigma)


def bin_loss(
    logits: Float[Array, "b h w q"],
    target: Float[Array, "b h w q"],
    prior: Float[Array, " q"],
    uniform_mix: float,
) -> Float[Array, ""]:
    """Mean cross-entropy, each cell weighted by the rarity of its likeliest bin under `prior` (shares, sum 1)."""
    rarity = bins.rebalancing_weights(prior, uniform_mix)[jnp.argmax(target, -1)]
    return jnp.mean(rarity * cross_entropy(logits, target))


def log_rarity(prior: Float[Array, " q"], config: ConfigDict) -> Float[Array, " q"]:
    """What the weights of `bin_loss` put on a network's logits; less it, they are probabilities. From `config.bins`."""
    return jnp.log(bins.rebalancing_weights(prior, config.uniform_mix))


def cross_entropy(logits: Float[Array, "b h w q"], target: Float[Array, "b h w q"]) -> Float[Array, "b h w"]:
    """-sum(target * log softmax(logits)) in each cell, without the [.., q] array of log-probabilities."""
    return jax.nn.logsumexp(logits, -1) - jnp.sum(target * logits, -1)


def update_prior(
    prior: Float[Array, " q"], target: Float[Array, "b h w q"], config: ConfigDict
) -> Float[Array, " q"]:
    """Running mean of the bins' shares, from `config.bins`."""
    return config.prior_decay * prior + (1 - config.prior_decay) * target.mean((0, 1, 2))
