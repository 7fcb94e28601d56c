"""One look over an album: what the places that match say of each other's colours, and of the places around them.

Each place has its own likely colours (the logarithms of the model's probabilities). Places that match are neighbours in
a graph over all photographs, and each takes the mean of its own and its neighbours', again and again: label propagation
(Zhou et al. 2004, "Learning with local and global consistency") of log-probabilities, whose mean is the colour that all
of them hold possible. Neighbours count by how alike they look, by how much of their likely colours they have in common
(what looks alike and is never of one colour is another thing), and by how sure they are. A place whose colour somebody
knows (a hint, a reference photograph in colour) hardly moves.

What that changes in a photograph is then shared with its places that match nothing, as far as they look like its
places that do, and lie near. A photograph of which no place matches is left as it is.
"""

import concurrent.futures
import functools
import hashlib
import itertools
import os
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from hybridvit.album.index import Index
from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.places import LEAST, match

NEIGHBOURS = 8  # photographs that one is matched with
ROUNDS = 6  # times that knowledge goes on to the next photograph
PULL = 4.0  # weight of a neighbour that is wholly alike; a place's own colours have 1
KNOWN = 60.0  # weight of its own where the colour is known
SAME = 0.02  # of 1: a probability that changes by less, after a new hint, is left as it was
_ALIKE = 0.8  # of 1: the likeness from which on a neighbour has all its weight
_LEAST = 0.2  # the weight of one that is just alike enough
_COMMON = 4.0  # power of what two distributions have in common (Bhattacharyya's coefficient)
_FEW = 0.1  # of the cells: where fewer match, photographs are less sure to show the same
_FEW_GUESSES = 0.35  # the same where nobody knows the colour: then it counts by the cube
_DOUBT = 3.0  # entropy, nats, of a place that counts as 1; one of a nat less counts e-fold
_SURE = (0.2, 5.0)  # least and most that it counts

_MANY = 0.25  # of a photograph's cells: where fewer match, their changes are shared the less
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
    weight: Float[np.ndarray, " n"]  # how like they look, and how much of their colours they share
    share: float  # of the smaller photograph's cells


Edges = dict[int, list[Edge]]  # of each photograph that has any


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
    pairs: Sequence[tuple[int, int]],
    places: Callable[[int], Float[np.ndarray, "n d"]],
    likely: Callable[[int], Float[np.ndarray, "n 313"]],
) -> Edges:
    """The edges of each photograph that has any; `likely` are the model's own log-probabilities of its places.

    On all cores, a photograph each.
    """
    partners = [(i, [j for _, j in some]) for i, some in itertools.groupby(pairs, lambda pair: pair[0])]

    def found(one: tuple[int, list[int]]) -> list[tuple[int, Edge]]:
        i, others = one
        held, ours, some = places(i), None, []
        for j in others:
            other = places(j)
            mutual, there, back = match(held, other)
            share = mutual / min(len(held), len(other))
            if mutual:
                ours, theirs = likely(i) if ours is None else ours, likely(j)
                for a, b, (from_, to, likeness), own, foreign in (
                    (i, j, there, ours, theirs),
                    (j, i, back, theirs, ours),
                ):
                    weight = np.clip((likeness - LEAST) / (_ALIKE - LEAST) + _LEAST, _LEAST, 1)
                    weight *= in_common(own[from_], foreign[to]) ** _COMMON
                    some.append((a, Edge(b, from_, to, weight, share)))
        return some

    edges: Edges = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for i, edge in itertools.chain.from_iterable(pool.map(found, partners)):
            edges.setdefault(i, []).append(edge)
    return edges


def in_common(
    first: Float[np.ndarray, "n 313"], second: Float[np.ndarray, "n 313"]
) -> Float[np.ndarray, " n"]:
    """Of two distributions of log-probabilities each, 0..1 (Bhattacharyya's coefficient)."""
    return np.sqrt(_probabilities(first) * _probabilities(second)).sum(-1)


def sureness(likely: Float[np.ndarray, "n 313"]) -> Float[np.ndarray, " n"]:
    """How much places count beside others, by the entropy of their colours."""
    probs = _probabilities(likely)
    entropy = -(probs * np.log(np.maximum(probs, 1e-12))).sum(-1)
    return np.clip(np.exp(_DOUBT - entropy), *_SURE)


def kept_links(index: Index, of: str, make: Callable[[], Edges]) -> Edges:
    """The edges that `make` finds, or found when they were last of the photographs that the digest `of` names.

    So a run that goes on after an interruption has the very same.
    """
    if "edges" not in index or index.get("edges", "of").tobytes() != of.encode():
        edges = [(i, edge) for i, some in make().items() for edge in some]
        ends = np.cumsum([0, *(len(edge.here) for _, edge in edges)])
        spans = [
            (i, edge.other, *span) for (i, edge), span in zip(edges, np.c_[ends[:-1], ends[1:]], strict=True)
        ]
        columns = [
            np.concatenate([np.zeros(0), *column]) for column in zip(*(e[1:4] for _, e in edges), strict=True)
        ]
        here, there, weight = columns or [np.zeros(0)] * 3
        index.put(
            "edges",
            of=np.frombuffer(of.encode(), np.uint8),
            spans=np.array(spans, np.int64).reshape(-1, 4),
            here=here.astype(np.int32),
            there=there.astype(np.int32),
            weight=weight.astype(np.float32),
            share=np.array([edge.share for _, edge in edges], np.float32),
        )
    here, there, weight = (index.get("edges", name) for name in ("here", "there", "weight"))
    found: Edges = {}
    spans, shares = (index.get("edges", name).tolist() for name in ("spans", "share"))
    for (i, other, start, end), share in zip(spans, shares, strict=True):
        found.setdefault(i, []).append(Edge(other, *(x[start:end] for x in (here, there, weight)), share))
    return found


class Agreement:
    """What photographs agree on, in a file beside the index.

    It is named by two digests, of the photographs and of what is known of them: what was agreed on for the same is
    read, not found again. Where a new hint changes next to nothing in a photograph, it keeps what it had.
    """

    def __init__(
        self,
        index: Index,
        edges: Edges,
        sizes: dict[int, int],
        own: Callable[[int], Own],
        digests: tuple[str, str],
    ):
        self._edges, self._own = edges, own
        self._starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
        self._sizes, self._path = sizes, index.folder / f"agreed-{digests[0]}-{digests[1]}.f16"
        if self._path.exists():
            return
        part = index.folder / "agreed.part"
        earlier = list(index.folder.glob("agreed-*.f16"))
        alike = [path for path in earlier if path.name.startswith(f"agreed-{digests[0]}-")]
        self._find(part, alike[0] if alike else None)
        os.replace(part, self._path)
        for path in earlier:
            path.unlink()

    def _find(self, part: pathlib.Path, before: pathlib.Path | None) -> None:
        with open(part, "w+b") as file, tempfile.TemporaryFile(dir=part.parent) as alone:
            order = sorted(self._edges)
            sure, weights, known = {}, {}, {}
            for i in order:
                likely, weight = self._own(i)
                sure[i] = sureness(likely)
                weights[i], known[i] = weight * sure[i], weight > 1
                for kept in (file, alone):
                    self._write(kept, i, likely)
            for _ in range(ROUNDS):  # in place, and then the other way: all at once, two would change places
                for i in order:
                    self._write(file, i, self._mixed(file, self._read(alone, i), i, weights[i], sure, known))
                order.reverse()
            if before is not None:
                with open(before, "rb") as old:
                    for i in order:
                        was, now = self._read(old, i), self._read(file, i)
                        if np.abs(_probabilities(now) - _probabilities(was)).max() < SAME:
                            self._write(file, i, was)

    def digest(self, i: int) -> str:
        """Of all that `change` depends on beside what the photograph shows."""
        with open(self._path, "rb") as file:
            parts = [self._own(i).likely.astype(np.float16), self._kept(file, i), self.matched(i)]
        return hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in parts)).hexdigest()

    def matched(self, i: int) -> Bool[np.ndarray, " n"]:
        """Which of its cells match others."""
        matched = np.zeros(self._sizes[i], bool)
        for edge in self._edges[i]:
            matched[edge.here] = True
        return matched

    def agreed(self, i: int) -> Float[np.ndarray, "n 313"]:
        """Log-probabilities of the bins in its cells."""
        with open(self._path, "rb") as file:
            return self._read(file, i)

    def change(self, i: int, places: Float[np.ndarray, "n d"], columns: int) -> Float[np.ndarray, "n 313"]:
        """How much likelier colours are in each cell than the photograph alone would say; nothing if none matches."""
        own = self._own(i)
        change = self.agreed(i) - own.likely
        change -= change.mean(-1, keepdims=True)
        return shared(change, self.matched(i), places, columns, free=own.weight <= 1)

    def disagreement(self, i: int) -> tuple[float, float]:
        """Mean distance, ab units, of its matched places' mean colours to their neighbours': before, and now."""
        found = []
        for agreed in (False, True):
            ours = self._means(i, agreed)
            apart = [ours[edge.here] - self._means(edge.other, agreed)[edge.there] for edge in self._edges[i]]
            found.append(float(np.linalg.norm(np.concatenate(apart), axis=-1).mean()))
        return found[0], found[1]

    @functools.cache  # noqa: B019  of every photograph in turn, and small
    def _means(self, i: int, agreed: bool) -> Float[np.ndarray, "n 2"]:
        likely = self.agreed(i) if agreed else self._own(i).likely
        return (_probabilities(likely) @ BIN_CENTRES).astype(np.float32)

    def _read(self, file: BinaryIO, i: int) -> Float[np.ndarray, "n 313"]:
        return self._kept(file, i).astype(np.float32)

    def _kept(self, file: BinaryIO, i: int) -> Float[np.ndarray, "n 313"]:
        file.seek(2 * NUM_BINS * self._starts[i])
        return np.frombuffer(file.read(2 * NUM_BINS * self._sizes[i]), np.float16).reshape(-1, NUM_BINS)

    def _write(self, file: BinaryIO, i: int, values: Float[np.ndarray, "n 313"]) -> None:
        file.seek(2 * NUM_BINS * self._starts[i])
        file.write(values.astype(np.float16).tobytes())

    def _mixed(
        self,
        file: BinaryIO,
        own: Float[np.ndarray, "n 313"],
        i: int,
        weight: Float[np.ndarray, " n"],
        sure: dict[int, Float[np.ndarray, " n"]],
        known: dict[int, Bool[np.ndarray, " n"]],
    ) -> Float[np.ndarray, "n 313"]:
        total = weight.copy()
        sums = own * total[:, None]
        for edge in self._edges[i]:  # each place once an edge, so that plain indexing adds
            pull = PULL * edge.weight * sure[edge.other][edge.there] * _trust(edge, known[edge.other])
            total[edge.here] += pull
            sums[edge.here] += pull[:, None] * self._kept(file, edge.other)[edge.there]
        return sums / total[:, None]


def _trust(edge: Edge, known: Bool[np.ndarray, " m"]) -> Float[np.ndarray, " n"]:
    """How much photographs are believed to show the same, 0..1; what somebody knows is taken on less than a guess."""
    return np.where(known[edge.there], min(1.0, edge.share / _FEW), min(1.0, edge.share / _FEW_GUESSES) ** 3)


def shared(
    change: Float[np.ndarray, "n 313"],
    matched: Bool[np.ndarray, " n"],
    places: Float[np.ndarray, "n d"],
    columns: int,
    free: Bool[np.ndarray, " n"],
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


def _probabilities(likely: Float[np.ndarray, "n 313"]) -> Float[np.ndarray, "n 313"]:
    exps = np.exp(likely - likely.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)
