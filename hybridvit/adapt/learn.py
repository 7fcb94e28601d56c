"""Training the low-rank change on lessons and anchors, and how much of it is taken.

Part of the corrected photographs is held back. Of the change, that share is taken which brings them nearest to their
lessons, as long as what the anchors held back stand to lose by it is small: nothing, if it does not help them.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from hybridvit.adapt.lesson import Lesson, crop
from hybridvit.adapt.low_rank import Factors, begin, changed
from hybridvit.color.bins import BIN_CENTRES
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.inference.decode import mean_ab
from hybridvit.inference.predictor import padded
from hybridvit.inference.weights import Weights, at_inference
from hybridvit.models.generator import Generator, build_generator
from hybridvit.objectives.bin_cross_entropy import cross_entropy

STEPS = 80
LESSONS, ANCHORS = 4, 8  # a step
RATE, WARMUP = 2e-3, 10
CHROMA_WEIGHT = 10.0  # of the squared error of the chroma, beside the bins' cross-entropy
LARGEST = 224  # px, side of the squares
TOLD = 0.25  # share of the pictures that are told their hints, so that hints are met as before
STRENGTHS = (1.0, 0.8, 0.6, 0.45, 0.3, 0.15)  # shares of the change that are tried
LOSS = 0.03  # dB: what other photographs may be expected to lose, where nobody says
HELD_BACK = 4  # every fourth


class Adapted(NamedTuple):
    """What came of it.

    `strength` 0..1 is the share of the change that was taken; `gain` the share of the distance to their lessons that it
    takes from corrected photographs held back; `loss` what others stand to lose, dB.
    """

    weights: Weights
    strength: float
    gain: float
    loss: float


def adapt(
    weights: Weights,
    lessons: Sequence[Lesson],
    anchors: Sequence[Lesson],
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
    (taught, tried), (kept, watched) = map(_split, (lessons, anchors))
    factors = train(weights, taught, kept, steps, tick)
    far = _make_measure(weights)
    best = Adapted(weights._replace(name=name), 0.0, 0.0, 0.0)
    before = max(far(weights.params, tried), 1e-9)
    for strength in STRENGTHS:
        params = jax.tree.map(np.asarray, changed(weights.params, factors, strength))
        loss = expected_loss(far(params, watched), watched)
        gain = 1 - far(params, tried) / before
        if loss <= (LOSS if most is None else most) and gain > best.gain:
            best = Adapted(weights._replace(params=params, name=name), strength, gain, loss)
    return best


def train(
    weights: Weights,
    lessons: Sequence[Lesson],
    anchors: Sequence[Lesson],
    steps: int = STEPS,
    tick: Callable[[], Any] = lambda: None,
    seed: int = 0,
) -> Factors:
    """The change, after so many steps of Adam on squares of both."""
    rng = np.random.default_rng(seed)
    side = min(LARGEST, *(min(one.L.shape) for one in (*lessons, *anchors))) // 32 * 32
    factors = begin(weights.params)
    rate = optax.warmup_cosine_decay_schedule(0.0, RATE, min(WARMUP, steps // 2), steps, RATE / 10)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    state = optimizer.init(factors)
    generator = build_generator(at_inference(weights.model))
    params, log_rarity = jax.device_put(weights.params), weights.log_rarity

    @jax.jit
    def step(factors: Factors, state: Any, batch: Lesson) -> tuple[Factors, Any]:
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
    said = generator.generate(changed(params, factors), batch.L[..., None] / 50 - 1, hints)
    assert said.bins is not None  # `adapt` is for weights that have them
    squared = jnp.square(said.chroma - batch.ab / CHROMA_SCALE).sum(-1).mean()
    return CHROMA_WEIGHT * squared + cross_entropy(said.bins - log_rarity, batch.probs).mean()


def _split(some: Sequence[Lesson]) -> tuple[list[Lesson], list[Lesson]]:
    """Those to learn from, and every fourth."""
    kept = [one for i, one in enumerate(some) if i % HELD_BACK]
    return kept, list(some[::HELD_BACK])


def _make_measure(weights: Weights) -> Callable[[Any, Sequence[Lesson]], float]:
    """Mean squared distance, squared ab units, of what parameters say unasked from what lessons tell."""
    generate = build_generator(at_inference(weights.model)).generate
    say = jax.jit(lambda params, L: mean_ab(generate(params, L[..., None] / 50 - 1, None)))

    def measure(params: Any, lessons: Sequence[Lesson]) -> float:
        params = jax.device_put(params)
        errors = []
        for one in lessons:
            height, width = one.L.shape
            said = np.asarray(say(params, padded(one.L[None], None)[0]))[0, :height, :width]
            errors.append(np.square(said - one.ab).sum(-1).mean())
        return float(np.mean(errors))

    return measure


def expected_loss(moved: float, anchors: Sequence[Lesson]) -> float:
    """What photographs like the anchors stand to lose, dB, when their colours have `moved` by so many squared ab units.

    The squared error of a mean that was right is its distribution's variance; what moves it adds its square.
    """
    return float(10 * np.log10(1 + moved / np.mean([_variance(one.probs) for one in anchors])))


def _variance(probs: Float[np.ndarray, "h8 w8 313"]) -> float:
    """Of the colours, squared ab units, mean over the picture."""
    probs = probs.astype(np.float32)
    mean = probs @ BIN_CENTRES
    return float((probs @ np.square(BIN_CENTRES).sum(-1) - np.square(mean).sum(-1)).mean())
