"""One device, eight data-parallel ones, and two by four with the parameters split: the same run within rounding."""

import dataclasses
import pathlib
from collections.abc import Callable

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from hybridvit.data.pipeline import make_train_dataset
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import MIN_SHARDED_SIZE, build_mesh, put_batch
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.state import Networks, TrainState, abstract_state, build_networks, create_state

STEPS, SAVED = 4, 2


@dataclasses.dataclass
class Run:
    """A short run on one kind of mesh."""

    mesh: Mesh
    networks: Networks
    train_step: Callable
    seed: np.uint32
    folder: pathlib.Path  # with a checkpoint of step SAVED
    born: dict[str, np.ndarray]
    curve: list[dict[str, float]]
    state: TrainState

    def step_on(self, state: TrainState, batches: list) -> tuple[TrainState, list[dict[str, float]]]:
        curve = []
        for batch in batches:
            state, metrics = self.train_step(state, put_batch(batch, self.mesh), self.seed)
            curve.append({name: float(value) for name, value in metrics.items()})
        return state, curve


@pytest.fixture(scope="module")
def batches(sharding_config) -> list[dict[str, np.ndarray]]:
    dataset = make_train_dataset(sharding_config.data, sharding_config.seed)
    return [dataset[i] for i in range(STEPS)]


@pytest.fixture(scope="module")
def sharding_config(build_tiny_config):
    config = build_tiny_config()
    config.adversarial.update({"weight": 0.1, "width": 8, "num_layers": 1})
    return config


@pytest.fixture(scope="module")
def runs(sharding_config, batches, tmp_path_factory) -> dict[str, Run]:
    """The runs by name: one, data, fsdp."""
    meshes = {"one": build_mesh(1, jax.devices()[:1]), "data": build_mesh(1), "fsdp": build_mesh(4)}
    networks = build_networks(sharding_config)
    runs = {}
    for name, mesh in meshes.items():
        step = jit_train_step(networks, sharding_config, abstract_state(networks, mesh), mesh)
        run = Run(mesh, networks, step, seed_of(sharding_config), tmp_path_factory.mktemp(name), {}, [], None)
        if name == "data":  # replicated as on one device: what is born is known, and compiling takes long
            shardings = jax.tree.map(lambda x: x.sharding, abstract_state(networks, mesh))
            state = jax.device_put(create_state(networks, meshes["one"], sharding_config.seed), shardings)
        else:
            state = create_state(networks, mesh, sharding_config.seed)
        run.born = to_host(state)
        state, first = run.step_on(state, batches[:SAVED])
        with Checkpoints(run.folder, keep_last=1) as checkpoints:
            checkpoints.save(SAVED, state, {})
        run.state, rest = run.step_on(state, batches[SAVED:])
        run.curve = first + rest
        runs[name] = run
    return runs


def to_host(state: TrainState) -> dict[str, np.ndarray]:
    return {
        jax.tree_util.keystr(path): np.asarray(x) for path, x in jax.tree_util.tree_leaves_with_path(state)
    }


def assert_same(curve: list[dict[str, float]], other: list[dict[str, float]]) -> None:
    for step, (ours, theirs) in enumerate(zip(curve, other, strict=True)):
        assert ours == pytest.approx(theirs, rel=2e-5, abs=1e-6), step


def test_the_run_has_all_objectives(runs):
    losses = {name for name in runs["one"].curve[-1] if name.startswith("loss/")}
    objectives = ("chroma", "bins", "consistency", "restoration", "generator", "discriminator")
    assert losses == {f"loss/{name}" for name in objectives}
    assert all(runs["one"].curve[-1][name] != 0 for name in losses)
    assert 0 < runs["one"].curve[-1]["mask_rate"] < 1
    assert runs["one"].curve[-1]["skipped"] == 0


def test_the_state_is_born_the_same(runs):
    for path, value in runs["one"].born.items():
        np.testing.assert_allclose(runs["fsdp"].born[path], value, rtol=1e-6, atol=1e-7, err_msg=path)


@pytest.mark.parametrize("name", ["data", "fsdp"])
def test_the_curve_is_the_same(runs, name):
    assert_same(runs[name].curve, runs["one"].curve)


@pytest.mark.parametrize("name", ["data", "fsdp"])
def test_the_parameters_end_the_same(runs, name, sharding_config):
    ours, theirs = to_host(runs[name].state), to_host(runs["one"].state)
    largest = STEPS * sharding_config.optim.learning_rate
    for path, value in theirs.items():
        if "params" in path:  # Adam's direction is a sign where a gradient is all rounding
            np.testing.assert_allclose(ours[path], value, rtol=0, atol=0.1 * largest, err_msg=path)


def test_parameters_moments_and_averages_are_really_split(runs):
    state = runs["fsdp"].state
    for tree in (state.params, state.ema, state.opt_state, state.disc_params):
        leaves = [x for x in jax.tree.leaves(tree) if x.size >= MIN_SHARDED_SIZE]
        split = [x for x in leaves if x.addressable_shards[0].data.size == x.size // 4]
        assert leaves
        assert len(split) == len(leaves)
        for leaf in split:  # each quarter on the two devices of its column
            assert len({str(shard.index) for shard in leaf.addressable_shards}) == 4
    held = sum(x.addressable_shards[0].data.nbytes for x in jax.tree.leaves(state))
    whole = sum(x.nbytes for x in jax.tree.leaves(state))
    assert held < 0.35 * whole
    assert all(x.is_fully_replicated for x in jax.tree.leaves(runs["data"].state))


@pytest.mark.parametrize(("source", "target"), [("fsdp", "one"), ("one", "fsdp")])
def test_a_checkpoint_goes_on_elsewhere(runs, batches, source, target):
    run = runs[target]
    abstract = abstract_state(run.networks, run.mesh)
    with Checkpoints(runs[source].folder) as checkpoints:
        state, _ = checkpoints.restore(SAVED, abstract)
    for leaf, wanted in zip(jax.tree.leaves(state), jax.tree.leaves(abstract), strict=True):
        assert leaf.sharding == wanted.sharding
    _, curve = run.step_on(state, batches[SAVED:])
    assert_same(curve, runs[source].curve[SAVED:])
