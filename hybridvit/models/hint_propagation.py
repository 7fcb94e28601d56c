"""What the prediction still misses at the hints, spread over the picture by learnt affinities.

Levin et al. (2004) spread hints along the luma's edges, alike in every picture; a network that is given hints as input
spreads them by what it sees, but at the stride of its tokens. Here each place at 1/4 attends to the hint cells: by what
is there (query and key), by the distance (a learnt power of it, as Shepard 1968 interpolates), or to none of them, so
that a lone hint fades out and does not tint the whole picture.
"""

import contextlib
import contextvars
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.blocks import Constant, Linear, Size, numpy_for, places

MAX_CELLS = 128  # hint cells attended to; of more, as many evenly spread ones
HEAD_DIM = 32
_room: contextvars.ContextVar[Size | None] = contextvars.ContextVar("room", default=None)
_GOLDEN = np.int32(round((math.sqrt(5) - 1) / 2 * 2**32) - 2**32)  # less than half of 2^32 from 0


@contextlib.contextmanager
def hint_cells_at_most(count: Size) -> Iterator[None]:
    """What is traced within has room for so many hint cells, at most MAX_CELLS: the fewer, the less there is to do.

    As long as no more cells of 1/4 hold hints, the answer is the same. Whoever runs it has to count them.
    """
    token = _room.set(count)
    try:
        yield
    finally:
        _room.reset(token)


class HintPropagation(nnx.Module):
    """Adds to a chroma map the errors at its hint cells, weighted by affinity.

    The weights of a place are a softmax over the hint cells and "none of them". Without hints nothing is added.
    """

    def __init__(self, width: int, *, dtype=jnp.float32, rngs: nnx.Rngs):
        self.query = Linear(width, HEAD_DIM, dtype=dtype, rngs=rngs)
        self.key = Linear(width, HEAD_DIM, dtype=dtype, rngs=rngs)
        self.reach = Linear(width, 2, dtype=dtype, init_scale=0.01, rngs=rngs)

    def __call__(
        self,
        features: Float[Array, "b h w c"],
        chroma: Float[Array, "b h w ab"],
        hints: Float[Array, "b h w ab"],
        mask: Float[Array, "b h w 1"],
    ) -> Float[Array, "b h w ab"]:
        """`chroma` corrected towards `hints` (-1..1) where `mask` (0/1) says that there are any."""
        b, h, w, _ = chroma.shape

        def flat(x: Float[Array, "b h w n"]) -> Float[Array, "b p n"]:
            return x.reshape(b, h * w, -1).astype(jnp.float32)

        room = _room.get()
        room = min(MAX_CELLS, h * w) if room is None else room
        known, cells = jax.lax.top_k(flat(mask)[..., 0] * _priority(h * w), room)
        error, key = (
            jnp.take_along_axis(flat(x), cells[..., None], 1) for x in (hints - chroma, self.key(features))
        )
        affinity = jnp.einsum("bpd,bkd->bpk", flat(self.query(features)), key) / math.sqrt(HEAD_DIM)
        power, none = jnp.split(flat(self.reach(features)), 2, -1)
        affinity -= (1 + nnx.softplus(power)) * _log_distance(cells, h, w)
        affinity += jnp.where(known > 0, 0.0, -1e9)[:, None]
        # By hand: a softmax over the two side by side copies the larger one, and takes three times as long on a CPU.
        largest = jax.lax.stop_gradient(jnp.maximum(affinity.max(-1, keepdims=True), none))
        weights = jnp.exp(affinity - largest)
        total = weights.sum(-1, keepdims=True) + jnp.exp(none - largest)
        return chroma + (jnp.einsum("bpk,bkc->bpc", weights, error) / total).reshape(chroma.shape)


def pool_hints(
    chroma: Float[Array, "b h w ab"], mask: Float[Array, "b h w 1"], factor: int
) -> tuple[Float[Array, "b hs ws ab"], Float[Array, "b hs ws 1"]]:
    """Mean hint of each square of `factor` px, and whether it holds any; `chroma` is 0 where the mask is."""
    b, h, w, _ = mask.shape
    total, count = (
        x.reshape(b, h // factor, factor, w // factor, factor, -1).sum(2).sum(3) for x in (chroma, mask)
    )
    return total / jnp.maximum(count, 1), jnp.minimum(count, 1)


def _priority(count: Size) -> Float[Constant, " count"]:
    """Distinct numbers in 0.5..1 (those of the golden ratio), so that the largest few lie everywhere."""
    # The fractional part of count * 0.618..., in units of 2^-32: integers overflow, what export and numpy do alike
    turns = numpy_for(count).arange(count, dtype=np.int32) * _GOLDEN
    return 0.5 + turns.astype(np.float32) * np.float32(2**-33) + 0.5 * (turns < 0).astype(np.float32)


def _log_distance(cells: Array, height: Size, width: Size) -> Float[Array, "b p k"]:
    """Log of the distance of every place to the cells, in halves of the picture's geometric mean side."""
    lines = (jnp.asarray(x.astype(np.float32)) for x in places(height, width))
    square = sum(jnp.square(x[:, None] - x[cells][:, None]) for x in lines)  # [b, p, k], cells of 1/4
    return 0.5 * jnp.log((square + 0.5) * (4 / (height * width)))
