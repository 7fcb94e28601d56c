"""FixMatch (Sohn et al. 2020) bent to colour: learning from grayscale photographs.

The EMA teacher colours the weak view (the luma as it is); the student must give the same colours on the strong view
(the same geometry, the luma aged). FixMatch keeps a pseudo-label whose largest probability passes 0.95. Two things
break that for colour: a perfect soft-encoded bin peaks near 0.65, and the surest pixels are the gray ones, so the
student would learn gray. So by default there is no gate: the student learns the teacher's distribution everywhere. With
`gate=radial_mass`

- the gate is the *radial mass*: the teacher's probability within `radius` of its own annealed mean;
- thresholds are per chroma ring: a cell must be surer than its ring is on average, so that vivid colours, of which the
  teacher is less sure, pass as often as gray ones (thresholds by class: FlexMatch, Zhang et al. 2021; by running
  confidence: FreeMatch, Wang et al. 2023);
- `views=2`: the teacher must agree with itself on the mirrored picture.

Other gates are there to be compared with: the standard deviation, FixMatch's own largest probability. For all of them
logits are calibrated, those of the network less the log of the bin loss's weights, so that confidence is a probability.
The student learns the teacher's distribution q with those weights w in it, and each cell counts 1 / sum(q / w): this is
the loss of labels drawn from the calibrated distribution p, E_p[w * cross-entropy], because q is p * w / E_p[w]. So
rare colours count for as much as they do in labels.
Where labels are few, the teacher knows them by heart before it has learnt much from them; `neighbours` is the share
that the votes of labeled places that look alike have in what it says.
Maps at the bin head's resolution are `[b, h8, w8]`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from ml_collections import ConfigDict

from hybridvit.color import bins
from hybridvit.color.bins import FACTOR
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.hints.simulate import simulate_hints
from hybridvit.measures.metrics import colorfulness
from hybridvit.models.generator import join
from hybridvit.models.prediction import Prediction
from hybridvit.objectives import bin_cross_entropy, neighbours
from hybridvit.objectives.supervised import chroma_loss
from hybridvit.objectives.term import Material, Metrics, Networks, Prepared, Seen, State, Term
from hybridvit.tasks.task import Task

# Of `config.gate`: (probabilities, their annealed mean, radius) -> how sure the teacher is, 0..1
CONFIDENCES: dict[str, Callable] = {
    "radial_mass": bins.radial_mass,
    "deviation": lambda probs, mean, radius: radius / (radius + bins.spread(probs)),
    "max_probability": lambda probs, mean, radius: probs.max(-1),
    "none": bins.radial_mass,  # all passes; how sure it is, is still logged
}


class PseudoLabels(NamedTuple):
    """What the teacher says of a batch of grayscale pictures, and where it is believed."""

    chroma: Float[Array, "b h w c"]
    bins: Float[Array, "b h8 w8 q"]  # distribution of the views, sharpened by the temperature
    rarity: Float[Array, "b h8 w8"]  # weight of the bin loss, expected of that distribution
    confidence: Float[Array, "b h8 w8"]  # 0..1
    ring: Float[Array, "b h8 w8 rings"]  # one-hot chroma ring of the teacher's mean
    gate: Bool[Array, "b h8 w8"]

    def gate_pixels(self) -> Bool[Array, "b h w 1"]:
        """The gate at full resolution."""
        gate = self.gate[..., None]
        gate = jnp.repeat(jnp.repeat(gate, FACTOR, 1), FACTOR, 2)
        return gate[:, : self.chroma.shape[1], : self.chroma.shape[2]]


def make_term(networks: Networks, config: ConfigDict, restoring: bool) -> Term | None:
    """The unlabeled pictures' pseudo-labels, from the whole config; the weight rises over `warmup_steps`."""
    task = networks.task
    if restoring or config.consistency.weight == 0 or config.data.unlabeled_batch_size == 0:
        return None

    def prepare(state: State, material: Material) -> Prepared:
        teacher = state.ema if config.consistency.teacher == "ema" else join(state.params, state.stats)
        log_rarity = bin_cross_entropy.log_rarity(state.bin_prior, config.bins)
        weak = []
        for columns in (slice(None), slice(None, None, -1))[: config.consistency.views]:  # as it is, mirrored
            seen = networks.generate(teacher, material.gray[:, :, columns], None)
            weak.append(Prediction(seen.chroma[:, :, columns], seen.bins[:, :, columns]))
        labels = make_pseudo_labels(weak, log_rarity, state.ring_confidence, config.consistency)
        memory = {}
        if config.consistency.neighbours > 0:
            memory = neighbours.remember(state.memory, networks, teacher, material, state.step, config.bins)
            voted = neighbours.vote(memory, neighbours.describe(networks, teacher, material.gray))
            memory = neighbours.count_votes(memory, voted)
            voted = neighbours.align(memory, voted, state.bin_prior)
            labels = mix_votes(labels, voted, log_rarity, config.consistency.neighbours)
        hints = None
        if config.model.hints and config.consistency.pseudo_hints:
            hints = simulate_hints(material.hint_key, labels.chroma, labels.gate_pixels(), config.hints)
        age = state.step - config.restoration.pretrain_steps  # since colours are learnt
        sure = update_ring_confidence(state.ring_confidence, labels)
        return Prepared(
            (
                labels,
                material.unlabeled.luma,
                jnp.minimum(1.0, (age + 1) / max(config.consistency.warmup_steps, 1)),
            ),
            {"ring_confidence": sure} | ({"memory": memory} if memory else {}),
            gate_statistics(labels, sure, config.consistency.gate)
            | {"colorfulness/teacher": mean_colorfulness(task, material.gray, labels.chroma)},
            hints,
        )

    def loss(own: Any, given: tuple[PseudoLabels, Array, Array], seen: Seen) -> tuple[Array, Metrics]:
        labels, luma, ramp = given
        value = consistency_loss(seen.unlabeled, labels, config.supervised.delta, config.bins.weight)
        colorful = mean_colorfulness(task, luma, seen.unlabeled.chroma)
        return config.consistency.weight * ramp * value, {
            "loss/consistency": value,
            "colorfulness/student": colorful,
        }

    return Term(prepare, loss, needs_gray=True)


def mean_colorfulness(
    task: Task, luma: Float[Array, "b h w 1"], chroma: Float[Array, "b h w c"]
) -> Float[Array, ""]:
    """Mean colorfulness, at 1/8 resolution, where it is cheap: teacher above student and both falling is a collapse."""
    return jnp.mean(colorfulness(task.draw(bins.pool(luma), bins.pool(jax.lax.stop_gradient(chroma)))))


def make_pseudo_labels(
    views: list[Prediction],
    log_rarity: Float[Array, " q"] | float,
    ring_confidence: Float[Array, " rings"],
    config: ConfigDict,
) -> PseudoLabels:
    """Pseudo-labels from the teacher's predictions on one or more weak views, all turned back to one geometry.

    `log_rarity` is that of the bin loss, `config` the section `consistency`. No gradient passes.
    """
    views = jax.lax.stop_gradient(views)
    logits = sum(view.bins for view in views) / len(views) - log_rarity
    mean = bins.annealed_mean(logits, config.temperature)  # [b, h8, w8, 2], ab units
    confidence = CONFIDENCES[config.gate](jax.nn.softmax(logits), mean, config.radius)
    ring = jax.nn.one_hot(bins.chroma_ring(mean), bins.NUM_RINGS)
    gate = jnp.ones(confidence.shape, bool)
    if config.gate != "none":
        gate = confidence >= ring @ thresholds(ring_confidence, config)
        for view in views:
            own = bins.annealed_mean(view.bins - log_rarity, config.temperature)
            distance = jnp.linalg.norm(own - mean, axis=-1)
            # From their mean: half of what two views are apart
            gate &= distance <= config.agreement / 2
    mixed = sum(jax.nn.softmax(view.bins / config.temperature) for view in views) / len(views)
    return PseudoLabels(
        chroma=sum(view.chroma for view in views) / len(views),
        bins=mixed,
        rarity=1 / jnp.sum(mixed * jnp.exp(-log_rarity), -1),
        confidence=confidence,
        ring=ring,
        gate=gate,
    )


def mix_votes(
    labels: PseudoLabels,
    voted: Float[Array, "b h8 w8 q"],
    log_rarity: Float[Array, " q"] | float,
    share: float,
) -> PseudoLabels:
    """The pseudo-labels with `share` of the votes in them: probabilities of the labeled places that look alike."""
    weighted = voted * jnp.exp(log_rarity)
    mixed = (1 - share) * labels.bins + share * weighted / weighted.sum(-1, keepdims=True)
    chroma = jnp.einsum("bhwq,qc->bhwc", voted, bins.BIN_CENTRES.astype(np.float32)) / CHROMA_SCALE
    chroma = jax.image.resize(chroma, labels.chroma.shape, "linear")
    return labels._replace(
        chroma=(1 - share) * labels.chroma + share * chroma,
        bins=mixed,
        rarity=1 / jnp.sum(mixed * jnp.exp(-log_rarity), -1),
    )


def thresholds(ring_confidence: Float[Array, " rings"], config: ConfigDict) -> Float[Array, " rings"]:
    """Confidence asked for in each chroma ring: its running mean, within `floor` and `threshold`."""
    if not config.adaptive:
        return jnp.full_like(ring_confidence, config.threshold)
    return jnp.clip(ring_confidence, config.floor, config.threshold)


def update_ring_confidence(
    ring_confidence: Float[Array, " rings"], labels: PseudoLabels, decay: float = 0.99
) -> Float[Array, " rings"]:
    """Running mean of the confidence by ring; a ring that does not occur keeps its value."""
    count = labels.ring.sum((0, 1, 2))
    mean = jnp.einsum("bhw,bhwr->r", labels.confidence, labels.ring) / jnp.maximum(count, 1)
    return jnp.where(count > 0, decay * ring_confidence + (1 - decay) * mean, ring_confidence)


def consistency_loss(
    student: Prediction, labels: PseudoLabels, delta: float, bins_weight: float
) -> Float[Array, ""]:
    """Huber on the chroma plus `bins_weight` times cross-entropy on the bins, inside the gate, mean over all pixels."""
    regression = chroma_loss(student.chroma, labels.chroma, delta, labels.gate_pixels().astype(jnp.float32))
    entropy = labels.rarity * bin_cross_entropy.cross_entropy(student.bins, labels.bins)
    return regression + bins_weight * jnp.mean(labels.gate * entropy)


def gate_statistics(
    labels: PseudoLabels, ring_confidence: Float[Array, " rings"], gate: str
) -> dict[str, Float[Array, ""]]:
    """Scalars to log, by chroma ring: how sure the teacher is (running mean), the share of all cells, and of these
    what the gate lets through, if there is one. To be held against each other: a ring may have no cell in a batch.
    """
    cells = labels.gate.size
    rings = {"confidence": ring_confidence, "ring_share": labels.ring.sum((0, 1, 2)) / cells}
    statistics = {"confidence": labels.confidence.mean()}
    if gate != "none":
        statistics["mask_rate"] = labels.gate.mean()
        rings["passed_share"] = (
            jnp.einsum("bhw,bhwr->r", labels.gate.astype(jnp.float32), labels.ring) / cells
        )
    for name, values in rings.items():
        for edge, value in zip(
            (0.0, *bins.RING_EDGES), values, strict=True
        ):  # from this chroma (ab units) on
            statistics[f"{name}/chroma{edge:g}"] = value
    return statistics
