"""Pseudo-labels and their loss against numpy, written out from the definitions, with every number of the config away
from where it would not count."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import base
from hybridvit.color.bins import BIN_CENTRES, NUM_BINS, NUM_RINGS, RING_EDGES
from hybridvit.models.prediction import Prediction
from hybridvit.objectives import consistency

rng = np.random.default_rng(3)
LOG_RARITY = rng.normal(0, 0.5, NUM_BINS)
LEARNT = np.linspace(0.6, 0.2, NUM_RINGS)


def config(**changes) -> ConfigDict:
    section = base.get_config().consistency
    numbers = {"temperature": 0.38, "radius": 14.0, "agreement": 9.0, "floor": 0.25, "threshold": 0.55}
    section.update({"gate": "radial_mass", "adaptive": True} | numbers | changes)
    return section


def logits_around(ab: np.ndarray, width: float) -> np.ndarray:
    return -((ab[..., None, :] - BIN_CENTRES) ** 2).sum(-1) / (2 * width**2) + LOG_RARITY


@pytest.fixture(scope="module")
def views() -> list[tuple[np.ndarray, np.ndarray]]:
    """Logits `[1, 4, 6, q]` and chroma of a teacher more or less sure, that agrees with itself or not."""
    ab = rng.uniform(-60, 60, (1, 4, 6, 2))
    apart = np.tile(np.linspace(1, 14, 12).reshape(1, 2, 6, 1), (1, 2, 1, 1)) * np.array([0.6, 0.8])
    sides = (-0.5, 0.5)
    return [
        (
            np.concatenate([logits_around(ab + side * apart, 7.0)[:, :2], logits_around(ab, 13.0)[:, 2:]], 1),
            rng.normal(0, 0.3, (1, 32, 48, 2)),
        )
        for side in sides
    ]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def reference(views: list[tuple[np.ndarray, np.ndarray]], c: ConfigDict) -> dict[str, np.ndarray]:
    """The labels in double precision."""
    logits = np.mean([one for one, _ in views], 0) - LOG_RARITY
    mean = softmax(logits / c.temperature) @ BIN_CENTRES
    near = np.linalg.norm(mean[..., None, :] - BIN_CENTRES, axis=-1) <= c.radius
    confidence = (softmax(logits) * near).sum(-1)
    ring = np.digitize(np.linalg.norm(mean, axis=-1), RING_EDGES)
    asked = np.clip(LEARNT, c.floor, c.threshold)[ring]
    gate = confidence >= asked
    for one, _ in views:
        own = softmax((one - LOG_RARITY) / c.temperature) @ BIN_CENTRES
        gate &= np.linalg.norm(own - mean, axis=-1) <= c.agreement / 2
    mixed = np.mean([softmax(one / c.temperature) for one, _ in views], 0)
    return {
        "chroma": np.mean([chroma for _, chroma in views], 0),
        "bins": mixed,
        "rarity": 1 / (mixed / np.exp(LOG_RARITY)).sum(-1),
        "confidence": confidence,
        "ring": np.eye(NUM_RINGS)[ring],
        "gate": gate,
    }


def labels_of(views: list[tuple[np.ndarray, np.ndarray]], c: ConfigDict) -> consistency.PseudoLabels:
    predictions = [
        Prediction(jnp.asarray(chroma, jnp.float32), jnp.asarray(logits, jnp.float32))
        for logits, chroma in views
    ]
    rarity, learnt = (jnp.asarray(x, jnp.float32) for x in (LOG_RARITY, LEARNT))
    return consistency.make_pseudo_labels(predictions, rarity, learnt, c)


@pytest.mark.parametrize(
    "changes",
    [{}, {"temperature": 1.0}, {"agreement": 4.0}, {"radius": 8.0}, {"floor": 0.5}, {"threshold": 0.3}],
)
def test_the_labels_are_those_of_the_definitions(views, changes):
    found, wanted = labels_of(views, config(**changes)), reference(views, config(**changes))
    for name, value in wanted.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=2e-3, atol=1e-5, err_msg=name)
    assert 0 < wanted["gate"].mean() < 1


def test_every_number_of_the_config_counts(views):
    """Each of the changes above changes the labels."""
    before = labels_of(views, config())
    for changes in ({"agreement": 4.0}, {"radius": 8.0}, {"floor": 0.5}, {"threshold": 0.3}):
        assert bool((labels_of(views, config(**changes)).gate != before.gate).any()), changes
    sharper = labels_of(views, config(temperature=0.2))
    assert bool((sharper.bins.max(-1) > before.bins.max(-1)).all())


@pytest.mark.parametrize(("agreement", "believed"), [(9.0, False), (11.0, True)])
def test_views_agree_within_the_distance_that_is_asked_for(agreement, believed):
    """Two views that are 10 units of ab apart, each 5 from their mean."""
    views = [(logits_around(np.array([[[[a, 20.0]]]]), 3.0), np.zeros((1, 8, 8, 2))) for a in (20.0, 30.0)]
    settings = config(agreement=agreement, threshold=0.0, floor=0.0, radius=30.0)
    assert bool(labels_of(views, settings).gate.all()) == believed


def test_the_loss_is_huber_and_weighted_cross_entropy_inside_the_gate(views):
    c, delta, weight = config(), 0.2, 0.3
    student_logits, student = rng.normal(0, 2, views[0][0].shape), rng.normal(0, 0.3, views[0][1].shape)
    wanted = reference(views, c)
    error = np.abs(student - wanted["chroma"])
    huber = np.where(error < delta, error**2 / 2, delta * (error - delta / 2)).sum(-1) / delta
    gate = np.kron(wanted["gate"], np.ones((1, 8, 8)))
    log_probs = np.log(softmax(student_logits))
    entropy = -(wanted["bins"] * log_probs).sum(-1) * wanted["rarity"]
    expected = (huber * gate).mean() + weight * (entropy * wanted["gate"]).mean()
    prediction = Prediction(jnp.asarray(student, jnp.float32), jnp.asarray(student_logits, jnp.float32))
    found = consistency.consistency_loss(prediction, labels_of(views, c), delta, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_what_is_learnt_of_rings_and_what_is_logged(views):
    found, wanted = labels_of(views, config()), reference(views, config())
    before = jnp.asarray(LEARNT, jnp.float32)
    count = wanted["ring"].sum((0, 1, 2))
    occurs = count > 0
    assert occurs.sum() > 1
    mean = (wanted["confidence"][..., None] * wanted["ring"]).sum((0, 1, 2)) / np.maximum(count, 1)
    learnt = np.where(occurs, 0.99 * LEARNT + 0.01 * mean, LEARNT)
    np.testing.assert_allclose(consistency.update_ring_confidence(before, found), learnt, rtol=1e-4)
    statistics = consistency.gate_statistics(found, before, "radial_mass")
    assert statistics["mask_rate"] == pytest.approx(wanted["gate"].mean())
    assert statistics["confidence"] == pytest.approx(wanted["confidence"].mean(), rel=1e-3)
    passed = (wanted["gate"][..., None] * wanted["ring"]).sum((0, 1, 2))
    for ring, edge in enumerate((0, 5, 10, 20, 30, 45)):
        assert statistics[f"passed_share/chroma{edge}"] == pytest.approx(passed[ring] / count.sum())
        assert statistics[f"confidence/chroma{edge}"] == pytest.approx(LEARNT[ring])
        assert statistics[f"ring_share/chroma{edge}"] == pytest.approx(count[ring] / count.sum())


def test_the_teacher_is_not_taught(views):
    def loss(shift):
        moved = [(jnp.asarray(logits, jnp.float32) + shift, chroma) for logits, chroma in views]
        predictions = [Prediction(jnp.asarray(c, jnp.float32) + shift, logits) for logits, c in moved]
        labels = consistency.make_pseudo_labels(
            predictions, jnp.asarray(LOG_RARITY, jnp.float32), jnp.asarray(LEARNT, jnp.float32), config()
        )
        return labels.chroma.sum() + labels.bins[..., 0].sum() + labels.rarity.sum() + labels.confidence.sum()

    assert jax.grad(loss)(0.0) == 0
