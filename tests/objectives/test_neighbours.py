import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import ssl_vit
from hybridvit.color import bins
from hybridvit.objectives import consistency, neighbours
from hybridvit.objectives.bin_cross_entropy import encode_truth
from hybridvit.objectives.term import Material
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.state import build_networks, create_state
from hybridvit.training.step import make_train_step

WIDTHS = (3, 4)


def memory_of(rng: np.random.Generator, count: int) -> neighbours.Memory:
    """Of `count` cells; the others are empty."""
    memory = neighbours.init_memory(WIDTHS)
    drawn = rng.random((count, 313)) ** 8
    return memory | {
        "seen": [x.at[:count].set(rng.normal(3, 2, (count, x.shape[1]))) for x in memory["seen"]],
        "bins": memory["bins"].at[:count].set(drawn / drawn.sum(-1, keepdims=True)),
    }


def by_hand(memory: neighbours.Memory, count: int, cell: list[np.ndarray], weights: tuple) -> np.ndarray:
    """One cell's distribution, a loop over the memory's."""
    memory = {
        name: jax.tree.map(lambda x: np.asarray(x[:count], np.float64), memory[name])
        for name in ("seen", "bins")
    }
    scales = [(of.mean(0), of.std(0)) for of in memory["seen"]]

    def unit(x):
        return x / np.linalg.norm(x)

    def key(parts):
        found = []
        for x, (mean, deviation), weight in zip(parts, scales, weights, strict=True):
            x = (np.asarray(x, np.float64) - mean) / deviation
            found.append(weight * (x if len(x) == 1 else unit(x)))
        return unit(np.concatenate(found))

    total, answer = 0.0, np.zeros(313)
    for i in range(count):
        weight = np.exp(key([x[i] for x in memory["seen"]]) @ key(cell) / neighbours.TEMPERATURE)
        total, answer = total + weight, answer + weight * memory["bins"][i]
    return answer / total


@pytest.fixture
def weights(monkeypatch):
    chosen = (0.7, 1.0, 0.5, 0.3)
    monkeypatch.setattr(neighbours, "WEIGHTS", chosen)
    return chosen


@pytest.mark.parametrize("count", [40, neighbours.SIZE])
def test_votes_are_the_colours_of_what_looks_alike(count, weights):
    rng = np.random.default_rng(count)
    memory = memory_of(rng, count)
    seen = [jnp.asarray(rng.normal(3, 2, (1, 1, 2, x.shape[1])), jnp.float32) for x in memory["seen"]]
    found = neighbours.vote(memory, seen)
    assert found.shape == (1, 1, 2, 313)
    for i in range(2):
        expected = by_hand(memory, count, [x[0, 0, i] for x in seen], weights)
        np.testing.assert_allclose(found[0, 0, i], expected, rtol=0.02, atol=1e-5)


def test_a_cell_that_is_known_has_mostly_its_own_colours(weights):
    memory = memory_of(np.random.default_rng(1), 30)
    found = neighbours.vote(memory, [x[:30] for x in memory["seen"]])
    own = jnp.sum(jnp.sqrt(found * memory["bins"][:30]), -1)
    other = jnp.sum(jnp.sqrt(found * jnp.roll(memory["bins"][:30], 1, 0)), -1)
    assert float(own.min()) > 0.9
    assert bool((own > other + 0.1).all())


def test_colours_are_voted_as_often_as_labels_have_them(monkeypatch):
    monkeypatch.setattr(neighbours, "PRIOR", 0.0)
    rng = np.random.default_rng(2)
    prior = (rng.random(313) ** 8).astype(np.float32)
    prior /= prior.sum()
    flat = jnp.asarray(0.5 * rng.dirichlet(prior * 500 + 1e-3, (4, 8, 8)) + 0.5 / 313, jnp.float32)

    def distance(voted):
        return float(np.abs(np.asarray(voted, np.float64).mean((0, 1, 2)) - prior).sum())

    memory = neighbours.count_votes(neighbours.init_memory(WIDTHS), flat)
    aligned = neighbours.align(memory, flat, jnp.asarray(prior))
    np.testing.assert_allclose(aligned.sum(-1), 1, rtol=1e-4)
    assert distance(aligned) < 0.5 * distance(flat)
    ratio = (prior + 1e-5) / (np.asarray(memory["voted"]) + 1e-5)
    expected = np.asarray(flat[1, 2, 3]) * np.clip(ratio, 0.2, 5)
    np.testing.assert_allclose(aligned[1, 2, 3], expected / expected.sum(), rtol=1e-3)
    # A fifth of what is voted may be the prior itself
    monkeypatch.setattr(neighbours, "PRIOR", 0.2)
    mixed = neighbours.align(memory, flat, jnp.asarray(prior))
    np.testing.assert_allclose(mixed, 0.8 * aligned + 0.2 * prior, rtol=1e-3)


def test_votes_are_counted_in_a_running_mean():
    rng = np.random.default_rng(4)
    batches = [jnp.asarray(rng.dirichlet(np.ones(313), (2, 3)), jnp.float32) for _ in range(3)]
    memory, expected = neighbours.init_memory(WIDTHS), None
    for voted in batches:
        now = np.asarray(voted).reshape(-1, 313).mean(0)
        expected = now if expected is None else 0.9 * expected + 0.1 * now
        memory = neighbours.count_votes(memory, voted)
        np.testing.assert_allclose(memory["voted"], expected, rtol=1e-5)


@pytest.fixture
def config():
    config = ssl_vit.get_config().copy_and_resolve_references()
    config.model.variant = "Lite-test"
    config.model.hints = False
    config.data.image_size = 32
    config.data.batch_size = config.data.unlabeled_batch_size = 2
    config.restoration.weight = 0.0
    config.consistency.neighbours = 0.5
    return config


def material_of(pictures: jax.Array) -> Material:
    return Material(pictures, None, None, None, None, jax.random.key(5), None)


def test_the_memory_holds_the_cells_that_came_last(config, monkeypatch):
    monkeypatch.setattr(neighbours, "SIZE", 24)
    monkeypatch.setattr(neighbours, "CELLS", 5)
    networks = build_networks(config)
    params, stats, *_ = networks.init(jax.random.key(0))
    variables = params | stats
    memory, told = networks.memory(), []
    describe = jax.jit(lambda luma: neighbours.describe(networks, variables, luma))
    remember = jax.jit(
        lambda memory, pictures, step: neighbours.remember(
            memory, networks, variables, material_of(pictures), step, config.bins
        )
    )
    for step in range(4):  # ten cells each: the memory is full after three, and the oldest go
        pictures = jax.random.uniform(jax.random.key(step), (2, 32, 32, 3))
        memory = remember(memory, pictures, jnp.int32(step))
        examined = networks.task.examine(jax.random.split(jax.random.key(0), 2), pictures)
        told.append(
            (
                np.asarray(describe(examined.luma)[1]).reshape(16 * 2, -1),
                np.asarray(encode_truth(examined.target, config.bins.sigma)).reshape(16 * 2, -1),
            )
        )
        known = np.asarray(memory["bins"].sum(-1)) > 0
        assert known.sum() == min(10 * (step + 1), 24)
    ages = []
    for seen, colours in zip(np.asarray(memory["seen"][1]), np.asarray(memory["bins"]), strict=True):
        near = [
            (step, cell)
            for step, (features, _) in enumerate(told)
            for cell in np.flatnonzero(np.abs(features - seen).max(-1) < 1e-5)
        ]
        assert len(near) == 1  # what is seen belongs to one cell, and its colours are that cell's
        step, cell = near[0]
        np.testing.assert_allclose(told[step][1][cell], colours, atol=1e-5)
        ages.append(step)
    assert [ages.count(step) for step in range(4)] == [0, 4, 10, 10]


def test_votes_take_their_share_of_what_the_teacher_says():
    rng = np.random.default_rng(3)
    log_rarity = jnp.asarray(rng.normal(size=313) * 0.3, jnp.float32)
    logits = jnp.asarray(rng.normal(size=(1, 2, 2, 313)), jnp.float32)
    view = consistency.Prediction(jnp.full((1, 16, 16, 2), 0.1), logits)
    section = ssl_vit.get_config().consistency
    labels = consistency.make_pseudo_labels([view], log_rarity, jnp.full(bins.NUM_RINGS, 0.5), section)
    voted = jax.nn.softmax(jnp.asarray(rng.normal(size=(1, 2, 2, 313)) * 3, jnp.float32))

    none = consistency.mix_votes(labels, voted, log_rarity, 0.0)
    for mine, its in zip(none, labels, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-5)
    alone = consistency.mix_votes(labels, voted, log_rarity, 1.0)
    # Less the rarity, what is learnt is what was voted, and the chroma its mean
    np.testing.assert_allclose(alone.bins * jnp.exp(-log_rarity) * alone.rarity[..., None], voted, rtol=1e-4)
    mean = np.asarray(voted)[0, 0, 0] @ bins.BIN_CENTRES / 110
    np.testing.assert_allclose(alone.chroma[0, 0, 0], mean, rtol=1e-4)
    half = consistency.mix_votes(labels, voted, log_rarity, 0.5)
    np.testing.assert_allclose(half.bins, (labels.bins + alone.bins) / 2, rtol=1e-5)


def test_a_step_remembers_and_stays_finite(config):
    networks = build_networks(config)
    state = create_state(networks, build_mesh(1, jax.devices()[:1]), 0)
    rng = np.random.default_rng(0)
    batch = {
        "labeled": rng.integers(0, 256, (2, 32, 32, 3), np.uint8),
        "unlabeled": rng.integers(0, 256, (2, 32, 32, 1), np.uint8),
    }
    after, metrics = jax.jit(make_train_step(networks, config))(state, batch)
    assert np.isfinite(float(metrics["loss/consistency"]))
    assert int((after.memory["bins"].sum(-1) > 0).sum()) == 2 * neighbours.CELLS


def test_without_a_pretrained_encoder_there_is_nothing_to_compare_by(config):
    config.model.variant = "test"
    with pytest.raises(ValueError, match=r"config\.consistency\.neighbours=0\.5: HybridConvViT test has no"):
        build_networks(config)
