"""Each objective's term by itself, on networks of a few numbers: what it asks for, its loss, its changes, its log."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import base
from hybridvit.color.bins import NUM_BINS, NUM_RINGS
from hybridvit.measures.metrics import colorfulness
from hybridvit.models.prediction import Prediction
from hybridvit.objectives import adversarial, bin_cross_entropy, consistency, restoration, supervised
from hybridvit.objectives.joint_batch import interleave
from hybridvit.objectives.term import Material, Seen
from hybridvit.objectives.terms import make_terms
from hybridvit.tasks.task import Examined, Task, Views

rng = np.random.default_rng(5)
LOGITS = rng.normal(0, 3, (NUM_BINS,)).astype(np.float32)
PRIOR = rng.dirichlet(np.ones(NUM_BINS)).astype(np.float32)
LEARNT = np.linspace(0.6, 0.2, NUM_RINGS).astype(np.float32)


def drawn(*shape: int) -> jnp.ndarray:
    return jnp.asarray(rng.uniform(-1, 1, shape), jnp.float32)


@pytest.fixture
def config() -> ConfigDict:
    config = base.get_config()
    config.adversarial.update({"weight": 3.0, "start_step": 2, "loss": "least_squares"})
    config.supervised.update({"weight": 2.0, "delta": 0.2})
    config.bins.update({"weight": 0.4, "uniform_mix": 0.3, "sigma": 7.0, "prior_decay": 0.8})
    config.restoration.update({"weight": 0.7, "pretrain_steps": 5})
    config.consistency.update(
        {"weight": 0.6, "warmup_steps": 4, "gate": "radial_mass", "threshold": 0.5, "pseudo_hints": False}
    )
    return config


def generate(variables: dict, luma: jnp.ndarray, hints: None) -> Prediction:
    """A teacher that does not colour a mirrored picture as the mirror of the picture."""
    assert hints is None
    across = jnp.linspace(0.1, 1, luma.shape[2])[:, None]
    chroma = variables["gain"] * luma * across * jnp.array([0.5, -0.3])
    cells = (luma * across)[:, ::8, ::8]
    return Prediction(chroma, variables["gain"] * cells * LOGITS)


def examine(keys: jnp.ndarray, pictures: jnp.ndarray) -> Examined:
    return Examined(pictures[..., :1] * keys[:, None, None, None], None, None)


@pytest.fixture
def networks() -> SimpleNamespace:
    task = Task(2, None, None, examine, lambda luma, chroma: jnp.concatenate([luma, chroma], -1), None)
    return SimpleNamespace(
        task=task, generate=generate, restorer=lambda key: {}, discriminate=lambda p, s, x: (x @ p, s + 1)
    )


@pytest.fixture
def state() -> SimpleNamespace:
    return SimpleNamespace(
        step=jnp.int32(6),
        params={"gain": jnp.float32(2)},
        stats={},
        ema={"gain": jnp.float32(3)},
        bin_prior=jnp.asarray(PRIOR),
        ring_confidence=jnp.asarray(LEARNT),
        disc_params=drawn(3, 1),
        disc_stats=jnp.float32(4),
    )


@pytest.fixture
def material() -> Material:
    gray, pictures = drawn(2, 16, 24, 1), drawn(4, 16, 24, 3)
    labeled = Views(drawn(4, 16, 24, 1), None)
    return Material(
        pictures, labeled, drawn(4, 16, 24, 2), gray, Views(drawn(2, 16, 24, 1), None), jnp.ones((), int), 0
    )


@pytest.fixture
def seen() -> Seen:
    def prediction(count: int) -> Prediction:
        return Prediction(drawn(count, 16, 24, 2), 3 * drawn(count, 2, 3, NUM_BINS))

    return Seen(prediction(4), prediction(2), drawn(6, 4, 6, 5))


def near(found, wanted, rtol=1e-5) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-7)


@pytest.mark.parametrize("restoring", [False, True])
@pytest.mark.parametrize(
    "off", [(), ("bins",), ("consistency",), ("adversarial",), ("consistency", "adversarial")]
)
def test_what_a_step_is_made_of(networks, config, off, restoring):
    for name in off:
        config[name].weight = 0.0
    terms = make_terms(networks, config, restoring)
    losses = ["chroma", "bins", "consistency", "generator", "restoration"]
    without = {"adversarial": "generator"}
    losses = [name for name in losses if name not in [without.get(one, one) for one in off]]
    if restoring:  # of the bins the prior alone
        losses = [name for name in losses if name in ("bins", "restoration")]
    assert [term.needs_gray for term in terms] == [name in ("consistency", "restoration") for name in losses]
    assert [term.own for term in terms] == ["restorer" if name == "restoration" else None for name in losses]
    assert [bool(term.oppose) for term in terms] == [name == "generator" for name in losses]
    assert [bool(term.loss) for term in terms] == [not (restoring and name == "bins") for name in losses]


def test_gray_pictures_teach_nothing_where_there_are_none(networks, config):
    config.data.unlabeled_batch_size = 0
    assert consistency.make_term(networks, config, False) is None
    config.data.unlabeled_batch_size = 1
    assert consistency.make_term(networks, config, False) is not None
    networks.restorer = None
    assert restoration.make_term(networks, config, False) is None


def test_supervised(networks, config, state, material, seen):
    term = supervised.make_term(networks, config, False)
    prepared = term.prepare(state, material)
    loss, metrics = term.loss(None, prepared.given, seen)
    error = np.abs(np.asarray(seen.labeled.chroma - material.target))
    wanted = np.where(error < 0.2, error**2 / 2, 0.2 * (error - 0.1)).sum(-1).mean() / 0.2
    near(metrics["loss/chroma"], wanted)
    near(loss, 2 * wanted)
    assert metrics.keys() == {"loss/chroma"}
    assert (prepared.changed, prepared.metrics, prepared.hints) == ({}, {}, None)


def test_bins(networks, config, state, material, seen):
    term = bin_cross_entropy.make_term(networks, config, False)
    prepared = term.prepare(state, material)
    target = np.asarray(bin_cross_entropy.encode_truth(material.target, 7.0))
    near(prepared.changed["bin_prior"], 0.8 * PRIOR + 0.2 * target.mean((0, 1, 2)))
    weights = 1 / (0.7 * PRIOR + 0.3 / NUM_BINS)
    weights /= (PRIOR * weights).sum()
    logits = np.asarray(seen.labeled.bins, np.float64)
    entropy = np.log(np.exp(logits).sum(-1)) - (target * logits).sum(-1)
    wanted = (weights[target.argmax(-1)] * entropy).mean()  # by the prior before this batch
    loss, metrics = term.loss(None, prepared.given, seen)
    near(metrics["loss/bins"], wanted, rtol=1e-4)
    near(loss, 0.4 * wanted, rtol=1e-4)
    restoring = bin_cross_entropy.make_term(networks, config, True)
    near(restoring.prepare(state, material).changed["bin_prior"], prepared.changed["bin_prior"])
    near(bin_cross_entropy.log_rarity(state.bin_prior, config.bins), np.log(weights), rtol=1e-4)


@pytest.mark.parametrize(("step", "heard"), [(1, 0), (2, 1), (3, 1)])
def test_the_generator_against_the_discriminator(networks, config, state, material, seen, step, heard):
    state.step = jnp.int32(step)
    term = adversarial.make_term(networks, config, False)
    loss, metrics = term.loss(None, term.prepare(state, material).given, seen)
    judged = np.concatenate([material.labeled.luma, seen.labeled.chroma], -1) @ state.disc_params
    near(metrics["loss/generator"], ((judged - 1) ** 2).mean())
    near(loss, 3 * heard * ((judged - 1) ** 2).mean())


def test_the_discriminator_against_the_generator(networks, config, state, material, seen):
    term = adversarial.make_term(networks, config, False)
    answer = term.oppose(term.prepare(state, material).given, seen)
    real, fake = (
        np.concatenate([material.labeled.luma, chroma], -1)
        for chroma in (material.target, seen.labeled.chroma)
    )
    to_one, to_zero = real @ state.disc_params - 1, fake @ state.disc_params
    near(answer.metrics["loss/discriminator"], 0.5 * ((to_one**2).mean() + (to_zero**2).mean()))
    wanted = (to_one * real + to_zero * fake).mean((0, 1, 2))[:, None]
    near(answer.grads["disc_params"], wanted, rtol=1e-4)
    assert answer.changed == {"disc_stats": 5}
    assert answer.grads.keys() == {"disc_params"}


def test_the_penalty_is_off_at_0_and_counts_below_1(config):
    config.adversarial.r1_weight = 0.5
    real, fake, kernel = drawn(2, 3, 3, 2), drawn(2, 3, 3, 2), drawn(3, 3, 2)

    def judge(pictures):
        return (pictures * kernel).sum((1, 2, 3), keepdims=True), 0

    with_it, _ = adversarial.discriminator_objective(judge, real, fake, config.adversarial)
    config.adversarial.r1_weight = 0.0
    without, _ = adversarial.discriminator_objective(judge, real, fake, config.adversarial)
    near(with_it - without, 0.25 * jnp.sum(kernel**2), rtol=1e-4)


def test_restoration(networks, config, state, material, seen, monkeypatch):
    monkeypatch.setattr(restoration.jax.random, "split", lambda key, count: key * (1 + jnp.arange(count)))
    term = restoration.make_term(networks, config, False)
    prepared = term.prepare(state, material)
    whole = material.pictures[..., :1] * np.arange(1, 5)[:, None, None, None]  # a key for each picture
    near(prepared.given, interleave(whole, material.gray))
    own = {"kernel": drawn(5, 16), "bias": drawn(16)}
    values = np.asarray(seen.features) @ np.asarray(own["kernel"]) + np.asarray(own["bias"])
    restored = values.reshape(6, 4, 6, 4, 4).swapaxes(2, 3).reshape(6, 16, 24, 1)
    loss, metrics = term.loss(own, prepared.given, seen)
    wanted = np.abs(restored - prepared.given).mean()
    near(metrics["loss/restoration"], wanted)
    near(loss, 0.7 * wanted)
    smaller = restoration.restore_luma(own, seen.features, 14, 23)
    near(smaller, restored[:, :14, :23], rtol=1e-4)


def test_the_restoring_map_begins_with_unit_variance():
    params = restoration.init_restoration(jax.random.key(0), 400)
    assert params["kernel"].shape == (400, 16)
    assert float(jnp.std(params["kernel"])) == pytest.approx(0.05, rel=0.03)
    assert params["bias"].shape == (16,)
    assert not params["bias"].any()
    assert params["kernel"].dtype == params["bias"].dtype == jnp.float32


def views_of(material: Material, gain: float) -> list[Prediction]:
    """What the teacher says of the pictures and of their mirrors, turned back."""
    mirrored = generate({"gain": gain}, material.gray[:, :, ::-1], None)
    return [
        generate({"gain": gain}, material.gray, None),
        Prediction(mirrored.chroma[:, :, ::-1], mirrored.bins[:, :, ::-1]),
    ]


@pytest.mark.parametrize(("teacher", "gain"), [("ema", 3.0), ("live", 2.0)])
@pytest.mark.parametrize("views", [1, 2])
def test_pseudo_labels_are_of_the_teacher_that_is_asked_for(
    networks, config, state, material, teacher, gain, views
):
    config.consistency.update({"teacher": teacher, "views": views})
    prepared = consistency.make_term(networks, config, False).prepare(state, material)
    labels, luma, _ = prepared.given
    said = views_of(material, gain)[:views]
    near(labels.chroma, np.mean([one.chroma for one in said], 0), rtol=1e-4)
    rarity = bin_cross_entropy.log_rarity(state.bin_prior, config.bins)
    wanted = consistency.make_pseudo_labels(said, rarity, state.ring_confidence, config.consistency)
    for name in labels._fields:
        near(getattr(labels, name), getattr(wanted, name), rtol=1e-3)
    near(luma, material.unlabeled.luma)
    assert prepared.changed.keys() == {"ring_confidence"}
    sure = consistency.update_ring_confidence(state.ring_confidence, wanted)
    near(prepared.changed["ring_confidence"], sure, rtol=1e-4)
    near(prepared.metrics["confidence/chroma0"], sure[0], rtol=1e-4)
    assert "mask_rate" in prepared.metrics
    colours = np.concatenate([material.gray, labels.chroma], -1)
    small = colours.reshape(2, 2, 8, 3, 8, 3).mean((2, 4))
    near(prepared.metrics["colorfulness/teacher"], np.mean(colorfulness(jnp.asarray(small))), rtol=1e-4)


@pytest.mark.parametrize(
    ("step", "warmup", "ramp"), [(5, 4, 0.25), (6, 4, 0.5), (8, 4, 1), (20, 4, 1), (5, 0, 1), (5, 1, 1)]
)
def test_the_weight_rises_from_where_colours_are_learnt(
    networks, config, state, material, seen, step, warmup, ramp
):
    state.step = jnp.int32(step)
    config.consistency.warmup_steps = warmup
    term = consistency.make_term(networks, config, False)
    prepared = term.prepare(state, material)
    labels, _, found = prepared.given
    near(found, ramp)
    loss, metrics = term.loss(None, prepared.given, seen)
    wanted = consistency.consistency_loss(seen.unlabeled, labels, 0.2, 0.4)
    near(metrics["loss/consistency"], wanted)
    near(loss, 0.6 * ramp * wanted)
    colours = np.concatenate([material.unlabeled.luma, seen.unlabeled.chroma], -1)
    small = colours.reshape(2, 2, 8, 3, 8, 3).mean((2, 4))
    near(metrics["colorfulness/student"], np.mean(colorfulness(jnp.asarray(small))), rtol=1e-4)
    assert metrics.keys() == {"loss/consistency", "colorfulness/student"}


@pytest.mark.parametrize(
    ("hints", "pseudo", "given"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_what_the_teacher_is_sure_of_is_given_as_hints(
    networks, config, state, material, monkeypatch, hints, pseudo, given
):
    config.model.hints, config.consistency.pseudo_hints = hints, pseudo
    asked = []
    monkeypatch.setattr(consistency, "simulate_hints", lambda *of: asked.append(of) or "hints")
    prepared = consistency.make_term(networks, config, False).prepare(state, material)
    assert prepared.hints == ("hints" if given else None)
    if given:
        [(key, chroma, allowed, section)] = asked
        labels = prepared.given[0]
        assert (key, section) == (material.hint_key, config.hints)
        near(chroma, labels.chroma)
        np.testing.assert_array_equal(allowed, np.kron(labels.gate, np.ones((1, 8, 8), bool))[..., None])


def test_the_students_colours_are_not_taught_by_their_colorfulness(networks):
    def measure(chroma):
        return consistency.mean_colorfulness(networks.task, jnp.zeros((1, 8, 16, 1)), chroma)

    assert not jax.grad(measure)(drawn(1, 8, 16, 2)).any()


@pytest.mark.parametrize("gate", ["deviation", "max_probability", "none"])
def test_other_gates(config, gate):
    section = config.consistency
    section.update({"gate": gate, "radius": 20.0, "adaptive": False, "threshold": 0.3, "agreement": 1e3})
    logits = np.linspace(0.3, 6, 6).reshape(1, 2, 3, 1) * LOGITS / 3
    view = Prediction(jnp.zeros((1, 14, 20, 2)), jnp.asarray(logits, jnp.float32))
    labels = consistency.make_pseudo_labels([view], jnp.zeros(NUM_BINS), jnp.asarray(LEARNT), section)
    probs = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    centres = np.asarray(consistency.bins.BIN_CENTRES, np.float64)
    distance = ((centres - (probs @ centres)[..., None, :]) ** 2).sum(-1)
    confidence = {
        "deviation": 20 / (20 + np.sqrt((probs * distance).sum(-1))),
        "max_probability": probs.max(-1),
        "none": (probs * (distance <= 400)).sum(-1),
    }[gate]
    near(labels.confidence, confidence, rtol=1e-3)
    passed = np.ones_like(confidence, bool) if gate == "none" else confidence >= 0.3
    np.testing.assert_array_equal(labels.gate, passed)
    assert gate == "none" or 0 < passed.mean() < 1
    pixels = np.kron(passed, np.ones((1, 8, 8), bool))[:, :14, :20, None]
    np.testing.assert_array_equal(labels.gate_pixels(), pixels)
    logged = consistency.gate_statistics(labels, jnp.asarray(LEARNT), gate)
    assert ("mask_rate" in logged) == any("passed_share" in name for name in logged) == (gate != "none")
    assert logged["ring_share/chroma45"] == labels.ring[..., 5].mean()


def test_rings_that_do_not_occur_keep_what_they_had():
    ring = jnp.asarray(np.eye(NUM_RINGS, dtype=np.float32)[[[[0, 0, 2]]]])
    labels = consistency.PseudoLabels(
        None, None, None, jnp.array([[[0.2, 0.4, 0.9]]]), ring, jnp.ones((1, 1, 3), bool)
    )
    wanted = LEARNT.copy()
    wanted[0], wanted[2] = 0.75 * LEARNT[0] + 0.25 * 0.3, 0.75 * LEARNT[2] + 0.25 * 0.9
    near(consistency.update_ring_confidence(jnp.asarray(LEARNT), labels, decay=0.75), wanted)
    default = consistency.update_ring_confidence(jnp.asarray(LEARNT), labels)
    near(default[0], 0.99 * LEARNT[0] + 0.01 * 0.3)
