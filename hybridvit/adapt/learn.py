"""Training the low-rank change on lessons and anchors, and how much of it is taken.

Part of the corrected photographs, and of the anchors, is held back. Of the change, that share is taken by which the
former stand to gain most, as long as the latter stand to lose little: nothing, if the former gain nothing.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from hybridvit.adapt.lesson import Lesson, crop
from hybridvit.adapt.low_rank import Factors, begin, changed
from hybridvit.adapt.prospects import Anchor, gain, loss, make_say
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.inference.weights import Weights, at_inference
from hybridvit.models.generator import Generator, build_generator
from hybridvit.objectives.bin_cross_entropy import cross_entropy

_T = TypeVar("_T")
STEPS = 160
LESSONS, ANCHORS = 4, 8  # a step
RATE, WARMUP = 1e-3, 10
CHROMA_WEIGHT = 10.0  # of the squared error of the chroma, beside the bins' cross-entropy
LARGEST = 224  # px, side of the squares
TOLD = 0.25  # share of the pictures that are told their hints, so that hints are met as before
STRENGTHS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)  # shares of the change that are tried
LOSS = 0.03  # dB: what other photographs may be expected to lose, where nobody says
HELD_BACK = 4  # every fourth


class Adapted(NamedTuple):
    """What came of it.

    `strength` 0..1 is the share of the change that was taken; `gain` what others of the collection stand to gain by it,
    `loss` what photographs of other kinds stand to lose, dB.
    """

    weights: Weights
    strength: float
    gain: float
    loss: float


def adapt(
    weights: Weights,
    lessons: Sequence[Lesson],
    anchors: Sequence[Anchor],
    name: str,
    most: float | None = None,
    steps: int = STEPS,
    tick: Callable[[], Any] = lambda: None,
) -> Adapted:
    """Weights of this name that have learnt, at an expected loss of `most` dB (LOSS); `tick` is called after each step.

    Raises ValueError if there are not lessons and anchors enough to hold some back: HELD_BACK of each.
    """
    for what, some in (("corrected photographs", lessons), ("other photographs", anchors)):
        if len(some) < HELD_BACK:
            raise ValueError(
                f"there are {len(some)} {what}: it takes {HELD_BACK} to learn from some and try the others"
            )
    (taught, tried), (kept, watched) = _split(lessons), _split(anchors)
    factors = train(weights, taught, [anchor.said for anchor in kept], steps, tick)
    say = make_say(weights)
    best = Adapted(weights._replace(name=name), 0.0, 0.0, 0.0)
    before = say(weights.params, tried)
    for strength in STRENGTHS:
        params = jax.tree.map(np.asarray, changed(weights.params, factors, strength))
        lost = loss(say(params, [anchor.said for anchor in watched]), watched)
        if lost > (LOSS if most is None else most):
            continue
        gained = gain(before, say(params, tried), tried)
        if gained > best.gain:
            best = Adapted(weights._replace(params=params, name=name), strength, gained, lost)
        elif best.strength:  # less of it gains less
            break
    return best


def train(
    weights: Weights,
    lessons: Sequence[Lesson],
    anchors: Sequence[Lesson],
    steps: int = STEPS,
    tick: Callable[[], Any] = lambda: None,
    seed: int = 0,
) -> Factors:
    """The change, after so many steps of Adam on squares of both. Raises ValueError of weights without the bins."""
    if weights.log_rarity is None:
        raise ValueError(f"{weights.name} does not say which colours are likely")
    rng = np.random.default_rng(seed)
    side = square_side(lessons, anchors)
    lessons, anchors = ([one for one in some if min(one.L.shape) >= side] for some in (lessons, anchors))
    factors = begin(weights.params)
    rate = optax.warmup_cosine_decay_schedule(0.0, RATE, min(WARMUP, steps // 2), steps, RATE / 10)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    state = optimizer.init(factors)
    generator = build_generator(at_inference(weights.model))
    params, log_rarity = jax.device_put(weights.params), weights.log_rarity

    @jax.jit
    def step(factors: Any, state: Any, batch: Lesson) -> tuple[Any, Any]:
        grads = jax.grad(functools.partial(objective, generator, params, log_rarity))(factors, batch)
        updates, state = optimizer.update(grads, state, factors)
        return optax.apply_updates(factors, updates), state

    for _ in range(steps):
        some = [lessons[i] for i in rng.integers(len(lessons), size=LESSONS)]
        some += [anchors[i] for i in rng.integers(len(anchors), size=ANCHORS)]
        squares = [crop(one, side, rng) for one in some]
        told = rng.random(len(squares)) < TOLD
        squares = [
            one if is_told else one._replace(hinted=np.zeros_like(one.hinted))
            for one, is_told in zip(squares, told, strict=True)
        ]
        factors, state = step(factors, state, Lesson(*map(np.stack, zip(*squares, strict=True))))
        tick()
    return jax.tree.map(np.asarray, factors)


def square_side(lessons: Sequence[Lesson], anchors: Sequence[Lesson]) -> int:
    """px: as large as nine of ten lessons, and some anchors, allow; what is smaller is left out.

    In small squares things are seen without what is around them: at 96 px, little is learnt for whole pictures.
    """
    sides = sorted(min(one.L.shape) for one in lessons)
    most = sorted((min(one.L.shape) for one in anchors), reverse=True)[: 2 * ANCHORS]
    return max(32, min(LARGEST, sides[len(sides) // 10], most[-1]) // 32 * 32)


def objective(
    generator: Generator,
    params: Any,
    log_rarity: Float[np.ndarray, "313"],
    factors: Factors,
    batch: Lesson,
) -> Float[Array, ""]:
    """Squared error of the chroma, and cross-entropy of the calibrated bins, of a batch of squares."""
    known = batch.hinted[..., None].astype(jnp.float32)
    hints = jnp.concatenate([batch.hint_ab / CHROMA_SCALE * known, known], -1)
    said = generator.generate(changed(params, factors), jnp.asarray(batch.L)[..., None] / 50 - 1, hints)
    assert said.bins is not None  # `adapt` is for weights that have them
    squared = jnp.square(said.chroma - batch.ab / CHROMA_SCALE).sum(-1).mean()
    return CHROMA_WEIGHT * squared + cross_entropy(said.bins - log_rarity, jnp.asarray(batch.probs)).mean()


def _split(some: Sequence[_T]) -> tuple[list[_T], list[_T]]:
    """Those to learn from, and every fourth."""
    kept = [one for i, one in enumerate(some) if i % HELD_BACK]
    return kept, list(some[::HELD_BACK])
