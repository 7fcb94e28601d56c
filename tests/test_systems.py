"""Every system of configs/ trains: its loss falls in 20 steps, and it goes on from a checkpoint as if never stopped."""

import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import autoencoder, pix2pix
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh, put_batch
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.phases import phase_at, plan_phases
from hybridvit.training.state import TrainState, abstract_state, build_networks, init_state
from hybridvit.training.validate import check_config

STEPS, SAVED = 20, 17
SIDE, BATCH = 32, 4
TINY = {
    "data.image_size": SIDE,
    "data.batch_size": BATCH,
    "model.variant": "test",
    "adversarial.width": 4,
    "adversarial.num_layers": 1,
    "adversarial.learning_rate": 1e-3,
    "cycle.pool_size": 6,
    **dict.fromkeys(("degrade.scratches", "degrade.dust", "degrade.jpeg"), 0.0),  # long to compile
    "hints.min_count": 16,
    "hints.max_count": 64,
    "optim.learning_rate": 1e-2,
    "optim.warmup_steps": 0,
    "train.steps": STEPS,
}
OWN = {
    "ssl_vit:few": {"model.variant": "Lite-test"},
    "autoencoder:alpha": {"model.variant": "alpha"},  # "test" is full in all but size
    "autoencoder:beta": {"model.variant": "beta", "optim.learning_rate": 1e-3, "data.image_size": 16},
    # Aged pictures are what supervised_vit shows
    "release:128": {"model.variant": "Lite-test", "degrade.labeled_probability": 0.0},
}
LOSSES = {"cyclegan:256": "loss/cycle", "colorful:folder": "loss/bins"}  # the others': the supervised one
SYSTEMS = (
    *("ssl_vit:few", "supervised_vit:folder", "release:128", "restore_vit:folder", "hsv_cifar100:hsv"),
    *(f"pix2pix:{variant}" for variant in pix2pix.VARIANTS),
    *("cyclegan:256", "hscau:folder", "colorful:folder", "siggraph:folder"),
    *(f"autoencoder:{variant}" for variant in autoencoder.VARIANTS),
)


def load(system: str) -> ConfigDict:
    module, variant = system.split(":")
    config = importlib.import_module(f"configs.{module}").get_config(variant)
    config.update_from_flattened_dict(TINY | OWN.get(system, {}))
    if config.data.unlabeled_batch_size:
        config.data.unlabeled_batch_size = BATCH
    check_config(config)
    return config


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Squares of many brightnesses under one colour, which is to be learnt; and gray ones, in the fourth channel."""
    small = np.random.default_rng(0).integers(0, 256, (BATCH, 4, 4, 2))
    color = small[..., :1] * np.array([1.0, 0.6, 0.2])
    pictures = np.concatenate([color, small[..., 1:]], -1).astype(np.uint8)
    return np.kron(pictures, np.ones((1, SIDE // 4, SIDE // 4, 1), np.uint8))


def run(
    step_at: Callable, state: TrainState, batch: Any, steps: int
) -> tuple[TrainState, list[dict[str, float]]]:
    curve = []
    for _ in range(steps):
        state, metrics = step_at(int(state.step))(state, batch)
        curve.append({name: float(value) for name, value in metrics.items()})
    return state, curve


def test_every_recipe_is_among_them():
    recipes = {path.stem for path in (pathlib.Path(__file__).parent.parent / "configs").glob("*.py")}
    others = {"__init__", "base", "collection", "compare", "label_efficiency", "protocols"}
    assert {system.split(":")[0] for system in SYSTEMS} == recipes - others


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_learns_and_goes_on_from_its_checkpoint(system, pictures, tmp_path):
    config = load(system)
    mesh = build_mesh(1, jax.devices()[:1])
    networks = build_networks(config)
    abstract = abstract_state(networks, mesh)
    pictures = pictures[:, : config.data.image_size, : config.data.image_size]
    batch = {"labeled": pictures if config.data.kind == "pairs" else pictures[..., :3]}
    if config.data.unlabeled_batch_size:
        batch["unlabeled"] = pictures[::-1, ..., 3:]
    batch = put_batch(batch, mesh)

    programs = {
        phase: jit_train_step(networks, config, abstract, mesh, phase) for phase in plan_phases(config)
    }

    def step(number: int) -> Callable:
        program = programs[phase_at(tuple(programs), number)]
        return lambda state, batch: program(state, batch, seed_of(config))

    shardings = jax.tree.map(lambda x: x.sharding, abstract)
    born = jax.jit(lambda: init_state(networks, config.seed), out_shardings=shardings)()
    state, before = run(step, born, batch, SAVED)
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        checkpoints.save(SAVED, state, {"config": config.to_dict()})
        state, after = run(step, state, batch, STEPS - SAVED)
        restored, told = checkpoints.restore(SAVED, abstract)
    restored, again = run(step, restored, batch, STEPS - SAVED)

    curve = before + after
    name = LOSSES.get(system, "loss/chroma")
    loss = [metrics[name] for metrics in curve if name in metrics]
    assert np.mean(loss[-4:]) < 0.9 * np.mean(loss[:2]), loss
    assert curve[-1]["skipped"] == 0
    assert again == after
    assert told["config"]["name"] == config.name
    for (path, one), other in zip(jax.tree.leaves_with_path(state), jax.tree.leaves(restored), strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes(), jax.tree_util.keystr(path)
