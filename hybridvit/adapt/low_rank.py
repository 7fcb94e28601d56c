"""Low-rank changes of a model's matrices: little to learn, so little to forget (Hu et al. 2021, LoRA).

Of the layers behind the encoder, each matrix W `[m, n]` becomes W + A B, with A `[m, r]` random and B `[r, n]` at
first 0. What things are, the encoder knows already; which colours they have, is changed.
"""

from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

RANK = 8
TAUGHT = (
    "blocks",
    "up_eighth",
    "decoder_eighth",
    "bins",
    "up_quarter",
    "decoder_quarter",
)  # of HybridConvViT
SEED = 1

Factors = dict[str, dict[str, Any]]  # by the matrix's path: "down" [m, r], "up" [r, n]


def begin(params: Any, rank: int = RANK) -> Factors:
    """Factors that change nothing yet. Raises ValueError if no layer can be taught."""
    rng = np.random.default_rng(SEED)
    factors = {}
    for name, kernel in sorted(flatten_dict(params, sep="/").items()):
        if name.split("/")[0] in TAUGHT and kernel.ndim == 2 and min(kernel.shape) > rank:
            inner, outer = kernel.shape
            down = rng.standard_normal((inner, rank)) / np.sqrt(inner)
            factors[name] = {"down": down.astype(np.float32), "up": np.zeros((rank, outer), np.float32)}
    if not factors:
        raise ValueError("these weights have no layers that hybridvit adapt could teach")
    return factors


def changed(params: Any, factors: Factors, strength: float = 1.0) -> Any:
    """The parameters with `strength` times the change; traceable."""
    flat = dict(flatten_dict(params, sep="/"))
    for name, factor in factors.items():
        flat[name] = flat[name] + strength * (factor["down"] @ factor["up"])
    return unflatten_dict(flat, sep="/")
