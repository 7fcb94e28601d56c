import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import base
from hybridvit.color import bins
from hybridvit.models.prediction import Prediction
from hybridvit.objectives import consistency
from hybridvit.objectives.bin_cross_entropy import bin_loss

UNSURE = jnp.zeros(313)


def config(**changes):
    section = base.get_config().consistency
    section.update({"gate": "radial_mass", "temperature": 0.38} | changes)
    return section


def sure_of(a: float, b: float) -> jax.Array:
    """Logits of a teacher that is sure of one colour."""
    return jnp.log(bins.soft_encode(jnp.array([a, b], jnp.float32)) + 1e-6)


def prediction(logits: list[jax.Array], chroma: float = 0.1) -> Prediction:
    """One picture, a row of cells of 8 px."""
    return Prediction(jnp.full((1, 8, 8 * len(logits), 2), chroma), jnp.stack(logits)[None, None])


def equal_rings() -> jax.Array:
    return jnp.full(bins.NUM_RINGS, 0.5)


def test_gate_passes_the_sure_and_stops_the_unsure():
    view = prediction([sure_of(0, 0), UNSURE, sure_of(50, 20)])
    labels = consistency.make_pseudo_labels([view], 0.0, equal_rings(), config())
    assert labels.gate[0, 0].tolist() == [True, False, True]
    assert labels.confidence[0, 0, 0] > 0.95  # the mass of a perfect bin lies within one bin's distance
    pixels = labels.gate_pixels()[0, :, :, 0]
    assert pixels.shape == (8, 24)
    assert bool(pixels[:, :8].all() and not pixels[:, 8:16].any() and pixels[:, 16:].all())


def test_maximum_probability_of_fixmatch_would_reject_a_perfect_teacher():
    perfect = jax.nn.softmax(sure_of(0, 0))
    assert perfect.max() < 0.95
    labels = consistency.make_pseudo_labels(
        [prediction([sure_of(0, 0)])], 0.0, equal_rings(), config(threshold=0.95)
    )
    assert bool(labels.gate.all())


def test_views_must_agree():
    one, other = prediction([sure_of(50, 0), sure_of(50, 0)]), prediction([sure_of(-50, 0), sure_of(50, 0)])
    gate = consistency.make_pseudo_labels([one, other], 0.0, equal_rings(), config(threshold=0.0)).gate
    assert gate[0, 0].tolist() == [False, True]


def test_vivid_rings_that_are_learnt_less_are_asked_for_less():
    learnt = jnp.linspace(0.9, 0.1, bins.NUM_RINGS)
    adaptive = consistency.thresholds(learnt, config(threshold=0.8, floor=0.25))
    np.testing.assert_allclose(adaptive[0], 0.8)  # always suffices
    np.testing.assert_allclose(adaptive[1:-1], learnt[1:-1])
    np.testing.assert_allclose(adaptive[-1], 0.25)  # and no less
    fixed = consistency.thresholds(learnt, config(adaptive=False, threshold=0.8))
    np.testing.assert_allclose(fixed, 0.8)


def test_equal_shares_of_vivid_and_gray_pass_although_the_teacher_is_surer_of_gray():
    """The point of adaptive thresholds, against a fixed one, which lets gray through and nothing else."""
    hesitant = [jnp.log(mass * jnp.exp(sure_of(60, 0)) + (1 - mass) / 313) for mass in (0.4, 0.6)]
    view = prediction([sure_of(0, 0), UNSURE, *hesitant])
    rings = equal_rings()
    assert not bool(
        consistency.make_pseudo_labels([view], 0.0, rings, config(adaptive=False)).gate[0, 0, 2:].any()
    )

    @jax.jit
    def learn(rings):
        labels = consistency.make_pseudo_labels([view], 0.0, rings, config())
        return consistency.update_ring_confidence(rings, labels), labels.gate

    for _ in range(500):
        rings, gate = learn(rings)
    assert gate[0, 0].tolist() == [True, False, False, True]


def test_ring_confidence_moves_only_where_the_ring_occurs():
    labels = consistency.make_pseudo_labels(
        [prediction([sure_of(0, 0), sure_of(0, 0)])], 0.0, equal_rings(), config()
    )
    after = consistency.update_ring_confidence(equal_rings(), labels, decay=0.9)
    np.testing.assert_allclose(after[0], 0.9 * 0.5 + 0.1 * labels.confidence.mean(), rtol=1e-5)
    np.testing.assert_array_equal(after[1:], 0.5)


def test_loss_is_zero_outside_the_gate_and_blind_to_the_student_there():
    view = prediction([UNSURE, UNSURE])
    labels = consistency.make_pseudo_labels([view], 0.0, equal_rings(), config())
    student = prediction([sure_of(80, 80), UNSURE], chroma=0.9)
    assert consistency.consistency_loss(student, labels, 0.1, 1.0) == 0


def test_loss_pulls_the_student_to_the_teacher():
    view = prediction([sure_of(50, 20)], chroma=0.3)
    labels = consistency.make_pseudo_labels([view], 0.0, equal_rings(), config())
    near = Prediction(view.chroma, jnp.log(labels.bins + 1e-9))
    far = prediction([sure_of(-50, 20)], chroma=-0.3)
    assert consistency.consistency_loss(far, labels, 0.1, 0.1) > 10 * consistency.consistency_loss(
        near, labels, 0.1, 0.1
    )


def test_no_gradient_reaches_the_teacher():
    def loss(shift):
        view = prediction([sure_of(50, 20) + shift], chroma=0.3)
        labels = consistency.make_pseudo_labels([view], 0.0, equal_rings(), config())
        return consistency.consistency_loss(prediction([UNSURE]), labels, 0.1, 1.0)

    assert jax.grad(loss)(0.0) == 0


def test_statistics_by_chroma():
    labels = consistency.make_pseudo_labels(
        [prediction([sure_of(0, 0), UNSURE, sure_of(60, 0), sure_of(60, 0)])], 0.0, equal_rings(), config()
    )
    sure = jnp.linspace(0.1, 0.6, bins.NUM_RINGS)
    statistics = consistency.gate_statistics(labels, sure, "radial_mass")
    assert statistics["mask_rate"] == 0.75
    assert statistics["passed_share/chroma45"] == pytest.approx(0.5)
    assert statistics["ring_share/chroma45"] == pytest.approx(0.5)
    assert statistics["confidence/chroma45"] == pytest.approx(0.6)
    for name, whole in (("ring_share", 1), ("passed_share", 0.75)):
        assert sum(v for k, v in statistics.items() if k.startswith(name)) == pytest.approx(whole)
    # A ring that no cell is in has no rate, which would read as if nothing passed
    assert statistics["passed_share/chroma20"] == statistics["ring_share/chroma20"] == 0
    assert not any(name.startswith("mask_rate/") for name in statistics)


def test_without_a_gate_what_is_logged_is_how_sure_the_teacher_is():
    view = prediction([sure_of(0, 0), UNSURE, sure_of(60, 0), sure_of(60, 0)])
    labels = consistency.make_pseudo_labels([view], 0.0, equal_rings(), config(gate="none"))
    sure = consistency.update_ring_confidence(jnp.zeros(bins.NUM_RINGS), labels, decay=0.0)
    statistics = consistency.gate_statistics(labels, sure, "none")
    assert not any(
        "mask" in name or "passed" in name for name in statistics
    )  # it would be 1, whatever is learnt
    assert statistics["confidence/chroma45"] > 0.95
    assert 0.5 < statistics["confidence"] < 0.99


@pytest.mark.parametrize("gate", consistency.CONFIDENCES)
def test_every_confidence_prefers_the_sure(gate):
    view = prediction([sure_of(0, 0), UNSURE])
    confidence = consistency.make_pseudo_labels([view], 0.0, equal_rings(), config(gate=gate)).confidence[
        0, 0
    ]
    assert bool((confidence >= 0).all() & (confidence <= 1.001).all())
    assert confidence[0] > 2 * confidence[1]


def test_without_a_gate_all_passes():
    view, other = (prediction([sure_of(a, 0), UNSURE, sure_of(80, 60)]) for a in (-50, 50))
    for adaptive in (False, True):
        settings = config(gate="none", adaptive=adaptive)
        assert bool(consistency.make_pseudo_labels([view, other], 0.0, equal_rings(), settings).gate.all())


def test_deviation_against_numpy():
    logits = jax.random.normal(jax.random.key(0), (313,)) * 3
    probs = np.asarray(jax.nn.softmax(logits), float)
    mean = probs @ bins.BIN_CENTRES
    deviation = np.sqrt(probs @ ((bins.BIN_CENTRES - mean) ** 2).sum(-1))
    found = consistency.make_pseudo_labels(
        [prediction([logits])], 0.0, equal_rings(), config(gate="deviation")
    )
    assert found.confidence[0, 0, 0] == pytest.approx(10 / (10 + deviation), abs=1e-4)


def test_confidence_is_calibrated_and_what_is_learnt_keeps_the_rarity():
    rarity = jnp.linspace(-2.0, 2.0, 313)
    views = [prediction([sure_of(0, 0) + rarity]), prediction([sure_of(10, 0) + rarity])]
    plain = [prediction([sure_of(0, 0)]), prediction([sure_of(10, 0)])]
    found = consistency.make_pseudo_labels(views, rarity, equal_rings(), config(temperature=1.0))
    wanted = consistency.make_pseudo_labels(plain, 0.0, equal_rings(), config(temperature=1.0))
    np.testing.assert_allclose(found.confidence, wanted.confidence, atol=1e-5)
    average = sum(jax.nn.softmax(view.bins) for view in views) / 2
    np.testing.assert_allclose(found.bins, average, atol=1e-6)


def test_the_student_learns_what_labels_drawn_from_the_teacher_would_teach():
    """The gradient of the bin loss, expected over truths drawn from the teacher's calibrated distribution."""
    rng = np.random.default_rng(0)
    prior = jax.nn.softmax(jnp.asarray(rng.normal(size=313), jnp.float32))
    log_rarity = jnp.log(bins.rebalancing_weights(prior, 0.5))
    teacher, student = (jnp.asarray(2 * rng.normal(size=313), jnp.float32) for _ in range(2))
    none = config(gate="none", temperature=1.0)
    labels = consistency.make_pseudo_labels([prediction([teacher])], log_rarity, equal_rings(), none)

    def ours(logits):
        chroma = prediction([logits])._replace(chroma=labels.chroma)
        return consistency.consistency_loss(chroma, labels, 0.1, 1.0)

    def drawn(logits):
        each = jax.vmap(lambda truth: bin_loss(logits[None, None, None], truth[None, None, None], prior, 0.5))
        return jax.nn.softmax(teacher - log_rarity) @ each(jnp.eye(313))

    np.testing.assert_allclose(jax.grad(ours)(student), jax.grad(drawn)(student), atol=1e-6)
