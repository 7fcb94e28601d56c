"""Cross-entropy on the 313 ab bins with class rebalancing (Zhang, Isola, Efros 2016, section 2.2)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.color import bins
from hybridvit.color.lab import CHROMA_SCALE

FACTOR = 8  # the bin head's stride


def pool(x: Float[Array, "b h w c"], factor: int = FACTOR) -> Float[Array, "b hs ws c"]:
    """Mean over squares of `factor` px; the last row and column of squares may be smaller."""
    b, h, w, c = x.shape
    x = jnp.pad(x, ((0, 0), (0, -h % factor), (0, -w % factor), (0, 0)), mode="edge")
    return x.reshape(b, -(-h // factor), factor, -(-w // factor), factor, c).mean((2, 4))


def encode_truth(chroma: Float[Array, "b h w 2"], sigma: float) -> Float[Array, "b h8 w8 q"]:
    """The soft-encoded bins of the true chroma, averaged over each cell of the head."""
    return bins.soft_encode(pool(chroma) * CHROMA_SCALE, sigma=sigma)


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
