"""One look over an album: what the places that match say of each other's colours, and of the places around them.

Each place has its own likely colours (the logarithms of the model's probabilities). Places that match are neighbours in
a graph over all photographs, and each takes the mean of its own and its neighbours', again and again: label propagation
(Zhou et al. 2004, "Learning with local and global consistency") of log-probabilities, whose mean is the colour that all
of them hold possible. A place whose colour somebody knows (a hint, a reference photograph in colour) hardly moves.

What that changes in a photograph is then shared with its places that match nothing, as far as they look like its
places that do, and lie near. A photograph of which no place matches is left as it is.
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.places import LEAST, Matches, match

NEIGHBOURS = 8  # photographs that one is matched with
ROUNDS = 6  # times that knowledge goes on to the next photograph
PULL = 4.0  # weight of a neighbour that is wholly alike; a place's own colours have 1
KNOWN = 60.0  # weight of its own where the colour is known
_MANY = 0.25  # of the cells: where fewer match, photographs are less sure to show the same
_SURE = 0.8  # of 1: the likeness from which on a neighbour has all its weight

_SHARP = 10.0  # power, by e, of the likeness with which changes are shared within a photograph
_NEAR = 0.3  # of the shorter side: the distance at which 1/e of a change is shared
_NONE = 0.3  # the likeness that a change must have to be shared by half


class Own(NamedTuple):
    """A photograph's own say: log-probabilities of its cells, and how much more than others they count."""

    likely: Float[np.ndarray, "n 313"]
    weight: Float[np.ndarray, " n"]


class Edge(NamedTuple):
    """Places of one photograph that match those of another."""

    other: int
    here: Int[np.ndarray, " n"]
    there: Int[np.ndarray, " n"]
    weight: Float[np.ndarray, " n"]


def nearest(summaries: Float[np.ndarray, "n d"], count: int = NEIGHBOURS) -> list[tuple[int, int]]:
    """Pairs of photographs, the first number less, each with its nearest few.

    The one step that looks at all pairs, at d multiplications each: 0.1 s for 4,000 photographs.
    """
    pairs = set()
    for start in range(0, len(summaries), 256):
        alike = summaries[start : start + 256] @ summaries.T
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = -np.inf
        few = min(count, len(summaries) - 1)
        for i, others in enumerate(np.argpartition(-alike, few - 1, 1)[:, :few] if few > 0 else [], start):
            pairs |= {(min(i, j), max(i, j)) for j in others.tolist()}
    return sorted(pairs)


def link(
    pairs: Sequence[tuple[int, int]], places: Callable[[int], Float[np.ndarray, "n d"]]
) -> dict[int, list[Edge]]:
    """The edges of each photograph that has any."""
    edges: dict[int, list[Edge]] = {}
    last, held = -1, np.zeros((0, 0), np.float32)
    for i, j in pairs:
        if i != last:
            last, held = i, places(i)
        other = places(j)
        found: Matches = match(held, other)
        if len(found.first):
            sure = min(1.0, len(found.first) / (_MANY * min(len(held), len(other))))
            weight = sure * PULL * np.clip((found.likeness - LEAST) / (_SURE - LEAST) + 0.2, 0, 1)
            edges.setdefault(i, []).append(Edge(j, found.first, found.second, weight))
            edges.setdefault(j, []).append(Edge(i, found.second, found.first, weight))
    return edges


class Agreement:
    """What photographs agree on, in a file of `folder` as large as the index's of likely colours."""

    def __init__(
        self,
        folder: pathlib.Path,
        edges: dict[int, list[Edge]],
        own: Callable[[int], Own],
        rounds: int = ROUNDS,
    ):
        self._edges, self._own = edges, own
        sizes = {i: len(own(i).weight) for i in edges}
        self._starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
        self._sizes = sizes
        shape = (max(1, sum(sizes.values())), NUM_BINS)
        self._agreed = np.memmap(folder / "agreed.f16", np.float16, "w+", shape=shape)
        order = sorted(edges)
        for i in order:
            self._agreed[self._span(i)] = own(i).likely
        for _ in range(
            rounds
        ):  # in place, and then the other way: taken all at once, two would change places
            for i in order:
                self._agreed[self._span(i)] = self._mixed(i)
            order.reverse()

    def change(self, i: int, places: Float[np.ndarray, "n d"], columns: int) -> Float[np.ndarray, "n 313"]:
        """How much likelier colours are in each cell than the photograph alone would say; nothing if none matches."""
        own = self._own(i)
        change = self._agreed[self._span(i)].astype(np.float32) - own.likely
        change -= change.mean(-1, keepdims=True)
        matched = np.zeros(len(change), bool)
        for edge in self._edges[i]:
            matched[edge.here] = True
        return shared(change, matched, places, columns, free=own.weight <= 1)

    def disagreement(self, i: int) -> tuple[float, float]:
        """Mean distance, ab units, of its matched places' mean colours to their neighbours': before, and now."""
        found = []
        for edge in self._edges[i]:
            ours, theirs = (
                (self._own(k).likely[at], self._agreed[self._span(k)][at].astype(np.float32))
                for k, at in ((i, edge.here), (edge.other, edge.there))
            )
            found.append(
                [np.linalg.norm(_mean(a) - _mean(b), axis=-1) for a, b in zip(ours, theirs, strict=True)]
            )
        before, now = (np.concatenate(one).mean() for one in zip(*found, strict=True))
        return float(before), float(now)

    def _span(self, i: int) -> slice:
        return slice(self._starts[i], self._starts[i] + self._sizes[i])

    def _mixed(self, i: int) -> Float[np.ndarray, "n 313"]:
        likely, weight = self._own(i)
        total, sums = weight.astype(np.float32).copy(), likely * weight[:, None]
        for edge in self._edges[i]:  # each place once an edge, so that plain indexing adds
            total[edge.here] += edge.weight
            sums[edge.here] += edge.weight[:, None] * self._agreed[self._span(edge.other)][edge.there]
        return sums / total[:, None]


def shared(
    change: Float[np.ndarray, "n 313"],
    matched: np.ndarray,
    places: Float[np.ndarray, "n d"],
    columns: int,
    free: np.ndarray,
) -> Float[np.ndarray, "n 313"]:
    """The changes of the matched cells, and what the free others take over from them."""
    takes = np.flatnonzero(~matched & free)
    gives = np.flatnonzero(matched)
    out = np.where(matched[:, None], change, 0)
    if not len(takes) or not len(gives):
        return out
    at = np.stack(np.divmod(np.arange(len(change)), columns), -1)
    side = min(columns, len(change) // columns)
    far = np.linalg.norm(at[takes][:, None] - at[gives], axis=-1) / side
    pull = np.exp(_SHARP * (places[takes] @ places[gives].T) - far / _NEAR)
    share = min(1.0, len(gives) / (_MANY * len(change)))
    out[takes] = share * pull @ change[gives] / (pull.sum(1, keepdims=True) + np.exp(_SHARP * _NONE))
    return out


def _mean(likely: Float[np.ndarray, "n 313"]) -> Float[np.ndarray, "n 2"]:
    probs = np.exp(likely - likely.max(-1, keepdims=True))
    return probs @ BIN_CENTRES / probs.sum(-1, keepdims=True)
