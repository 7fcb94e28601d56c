"""Labels spread through neighbours: labeled places that look alike vote on the colours of a gray one.

Places are the cells of the bins, 8 px wide. A memory holds the last labeled cells that training has drawn, what the
pretrained encoder saw in them and which colours they had; a cell of a gray picture takes the mean of their colours,
weighted by how alike they look (label propagation by features, Iscen et al. 2019; weights as in Wu et al. 2018, section
3.4). With a hundred labels that is far better than a network that has learnt them by heart. The memory is first in,
first out, as in He et al. 2020 (MoCo), so that it needs nothing but the batches, and is part of the state.

What is seen in a cell is a list of parts (the encoder's maps from fine to coarse, the luma's mean and deviation, the
place from top to bottom), each with its weight in how alike two cells are.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
from ml_collections import ConfigDict

from hybridvit.color.bins import FACTOR, NUM_BINS
from hybridvit.objectives.bin_cross_entropy import encode_truth
from hybridvit.objectives.term import Material, Networks

SIZE = 4096  # cells in the memory
CELLS = 16  # of each labeled picture, drawn anew each time: so the memory is of hundreds of pictures
WEIGHTS = (0.7, 0.7, 1.0, 1.0, 0.5, 0.3)  # of the parts: maps at 1/4, 1/8, 1/16, 1/32, the luma, the place
TEMPERATURE = 0.05  # of the cosine
PRIOR = 0.03  # share of the bin prior in what is voted: no colour is impossible
DECAY = 0.9  # of the running mean of the votes
MOST = 5.0  # times that a colour is made likelier, or less likely, to be voted as often as labels have it

Parts = list[Float[Array, "*n _"]]
# "seen": the parts of its cells [size, _]; "bins": their colours [size, 313]; "voted": running mean of the votes [313]
Memory = dict[str, Any]


def init_memory(widths: Sequence[int]) -> Memory:
    """An empty one, for maps of such widths."""
    return {
        "seen": [jnp.zeros((SIZE, width), jnp.float32) for width in (*widths, 2, 1)],
        "bins": jnp.zeros((SIZE, NUM_BINS), jnp.float32),
        "voted": jnp.zeros(NUM_BINS, jnp.float32),
    }


def describe(networks: Networks, variables: Any, luma: Float[Array, "b h w 1"]) -> Parts:
    """What is seen in each cell of pictures, `[b, h8, w8, _]` each."""
    maps = networks.describe_cells(variables, luma)
    height, width = maps[0].shape[1:3]
    room = ((0, 0), (0, -luma.shape[1] % FACTOR), (0, -luma.shape[2] % FACTOR), (0, 0))
    cells = jnp.pad(luma, room, mode="edge").reshape(len(luma), height, FACTOR, width, FACTOR)
    tone = jnp.stack([cells.mean((2, 4)), cells.std((2, 4))], -1)
    place = jnp.broadcast_to(jnp.linspace(-1, 1, height)[:, None, None], (len(luma), height, width, 1))
    return jax.lax.stop_gradient([*maps, tone, place])


def remember(
    memory: Memory,
    networks: Networks,
    variables: Any,
    material: Material,
    step: Int[Array, ""],
    config: ConfigDict,
) -> Memory:
    """The memory with some cells of the labeled pictures, not aged, for its oldest; `config` is the section `bins`."""
    key = jax.random.fold_in(material.labeled_key, 7)
    examined = networks.task.examine(jax.random.split(key, len(material.pictures)), material.pictures)
    new = {
        "seen": describe(networks, variables, examined.luma),
        "bins": encode_truth(examined.target, config.sigma),
    }
    new = jax.tree.map(lambda x: x.reshape(-1, x.shape[-1]), new)
    count = min(CELLS * len(material.pictures), len(new["bins"]), SIZE)
    drawn = jax.random.permutation(key, len(new["bins"]))[:count]
    places = (step * count + jnp.arange(count)) % SIZE
    written = {
        name: jax.tree.map(lambda old, x: old.at[places].set(x[drawn]), memory[name], new[name])
        for name in new
    }
    return memory | written


def vote(memory: Memory, seen: Parts) -> Float[Array, "*b q"]:
    """The distribution of colours in each cell that is `seen`, by the memory's."""
    known = memory["bins"].sum(-1) > 0
    share = known / jnp.maximum(known.sum(), 1)
    keys, queries = [], []
    for part, of, weight in zip(seen, memory["seen"], WEIGHTS, strict=True):
        mean = share @ of
        scale = 1 / (jnp.sqrt(share @ (of - mean) ** 2) + 1e-3)
        for x, parts in ((of, keys), (part.reshape(-1, part.shape[-1]), queries)):
            x = (x - mean) * scale
            parts.append(weight * (x if x.shape[-1] == 1 else _unit(x)))
    alike = _unit(jnp.concatenate(queries, -1)) @ _unit(jnp.concatenate(keys, -1)).T
    alike = jnp.where(known, alike / TEMPERATURE, -jnp.inf)
    votes = jax.nn.softmax(alike, -1) @ memory["bins"]
    return votes.reshape(*seen[0].shape[:-1], NUM_BINS)


def count_votes(memory: Memory, voted: Float[Array, "*b q"]) -> Memory:
    """The memory with these votes in its running mean."""
    now = voted.mean(range(voted.ndim - 1))
    before = memory["voted"]
    return memory | {"voted": jnp.where(before.sum() > 0, DECAY * before + (1 - DECAY) * now, now)}


def align(memory: Memory, voted: Float[Array, "*b q"], prior: Float[Array, " q"]) -> Float[Array, "*b q"]:
    """Votes in which colours are as frequent as in `prior`, the state's: distribution alignment.

    A mean of many places has less of a rare colour than photographs do. Each colour is multiplied by its frequency in
    the prior over that in the votes so far (Berthelot et al. 2020, ReMixMatch, section 3.1), and a little of the prior
    is mixed in. The state's prior begins even and becomes the labels' own, so that rare colours are not lost at first.
    """
    ratio = jnp.clip((prior + 1e-5) / (memory["voted"] + 1e-5), 1 / MOST, MOST)
    aligned = voted * ratio
    aligned /= aligned.sum(-1, keepdims=True)
    return (1 - PRIOR) * aligned + PRIOR * prior


def _unit(x: Float[Array, "n c"]) -> Float[Array, "n c"]:
    return x / (jnp.linalg.norm(x, axis=-1, keepdims=True) + 1e-6)
