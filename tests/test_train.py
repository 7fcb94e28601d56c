"""`train` from end to end on a tiny experiment, on eight devices."""

import json
import pathlib
import shutil

import jax
import numpy as np
import pytest
import safetensors.numpy
from flax import nnx
from flax.traverse_util import flatten_dict
from ml_collections import ConfigDict
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from hybridvit.color.bins import NUM_BINS
from hybridvit.inference.weights import Weights, save_weights
from hybridvit.measures.grid_headings import HEIGHT
from hybridvit.measures.tables import hints_table, quality_table
from hybridvit.models.efficientnet_lite import SIZES, Classifier
from hybridvit.models.embedding import own_encoder
from hybridvit.models.encoder_weights import FORMAT, for_gray, load_encoder_weights
from hybridvit.models.generator import build_generator
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh
from hybridvit.train import DivergedError, changed_fields, start_state, train
from hybridvit.training.optim import make_optimizer
from hybridvit.training.state import TrainState, abstract_state, build_networks


def metrics_of(workdir: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_a_checkpoint_explains_itself(tiny_run, tiny_config):
    with Checkpoints(tiny_run / "checkpoints") as checkpoints:
        assert checkpoints.steps[-2:] == (4, 6)
        assert checkpoints.best_step in (4, 6)
        run = checkpoints.read_run()
    assert run["config"] == json.loads(tiny_config.to_json())
    assert run["step"] == 6
    assert run["data"] == {"next_batch": 6, "seed": tiny_config.seed}
    assert run["versions"]["jax"] == jax.__version__
    assert json.loads((tiny_run / "config.json").read_text()) == run["config"]


def test_the_state_is_that_of_the_last_step(tiny_run, tiny_config):
    networks = build_networks(tiny_config)
    with Checkpoints(tiny_run / "checkpoints") as checkpoints:
        state, _ = checkpoints.restore(None, abstract_state(networks, build_mesh(1)))
    assert int(state.step) == 6
    assert int(state.skipped) == 0
    ema_moved = [
        np.abs(a - b).max()
        for a, b in zip(jax.tree.leaves(state.ema), jax.tree.leaves(state.params), strict=True)
    ]
    assert max(ema_moved) > 0
    assert float(state.bin_prior.std()) > 0


def test_each_step_is_logged_once_with_its_learning_rate(tiny_run, tiny_config):
    lines = metrics_of(tiny_run)
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
    _, schedule = make_optimizer(tiny_config.optim, 6)
    assert [line["learning_rate"] for line in steps] == pytest.approx([float(schedule(i)) for i in range(6)])
    weighted = {f"loss/{name}": 1.0 for name in ("chroma", "consistency", "restoration")}
    weighted["loss/bins"] = tiny_config.bins.weight
    for line in steps[1:]:  # the ramp of the consistency is over after two steps
        assert line["loss"] == pytest.approx(
            sum(line[name] * weight for name, weight in weighted.items()), rel=1e-4
        )
    assert [line["step"] for line in lines if "eval/psnr" in line] == [4, 6]


def test_tensorboard_shows_the_gate_by_chroma_the_collapse_alarm_and_pictures(tiny_run):
    board = EventAccumulator(str(tiny_run / "tensorboard"), size_guidance={"images": 0}).Reload()
    rates = {
        tag for tag in board.Tags()["scalars"] if tag.startswith(("confidence/chroma", "passed_share/chroma"))
    }
    assert len(rates) == 12
    for tag in ("loss", "mask_rate", "colorfulness/teacher", "colorfulness/student", "eval/psnr", *rates):
        assert tag in board.Tags()["scalars"], tag
    logged = {event.step: event.value for event in board.Scalars("colorfulness/teacher")}
    expected = {line["step"]: line["colorfulness/teacher"] for line in metrics_of(tiny_run) if "loss" in line}
    assert logged == pytest.approx(expected)
    assert [event.step for event in board.Images("eval/grid")] == [4, 6]
    assert "batch_size" in board.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()


def test_the_report_holds_the_numbers_of_the_last_evaluation(tiny_run):
    report = json.loads((tiny_run / "evaluation" / "report.json").read_text())
    assert (tiny_run / "evaluation" / "report.md").read_text().split("\n\n") == [
        quality_table(report),
        hints_table(report) + "\n",
    ]
    last = [line for line in metrics_of(tiny_run) if "eval/psnr" in line][-1]
    assert {name: last[f"eval/{name}"] for name in report["systems"]["model@0"]} == report["systems"][
        "model@0"
    ]


def test_the_grid_shows_the_pictures_that_the_report_measured(tiny_run, tiny_config):
    report = json.loads((tiny_run / "evaluation" / "report.json").read_text())
    grid = np.asarray(Image.open(tiny_run / "evaluation" / "grid.png"))
    size = tiny_config.eval.image_size
    assert grid.shape == (HEIGHT + tiny_config.eval.grid_pictures * size, 4 * size, 3)
    grid = grid[HEIGHT:]
    for row in (0, 1):  # the first and the last of three
        gray, model, truth, _ = np.split(grid[row * size : (row + 1) * size].astype(float), 4, axis=1)
        for name, picture in (("gray", gray), ("model@0", model)):
            psnr = 10 * np.log10(255**2 / ((picture - truth) ** 2).mean())
            reported = list(report["per_picture_psnr"][name].values())[2 * row]
            assert psnr == pytest.approx(reported, abs=2e-3)


def test_divergence_stops_the_run_and_leaves_a_sound_checkpoint(quick_run, quick_config, tmp_path):
    shutil.copytree(quick_run, tmp_path, dirs_exist_ok=True)
    quick_config.train.steps = 20
    quick_config.train.max_skipped = 3
    quick_config.optim.learning_rate = float("inf")
    with pytest.raises(DivergedError, match=r"last 3 steps .*config\.train\.max_skipped=3"):
        train(quick_config, tmp_path)
    last = metrics_of(tmp_path)[-1]
    assert (last["step"], last["skipped"], last["skipped_in_row"]) == (9, 3, 3)
    with Checkpoints(tmp_path / "checkpoints", keep_last=1) as checkpoints:
        assert checkpoints.latest_step == 6  # not 8, by when no step had worked any more


def test_supervised_alone(quick_run):
    lines = [line for line in metrics_of(quick_run) if "loss" in line]
    assert len(lines) == 6
    assert "loss/consistency" not in lines[0]
    assert (quick_run / "evaluation" / "report.json").exists()


def test_changed_fields_are_named():
    old = {"a": {"b": 1, "c": (1, 2)}, "gone": 0}
    new = ConfigDict({"a": {"b": 2, "c": (1, 2)}, "new": 1}).to_dict()
    assert changed_fields(old, new) == [
        "config.a.b: 1 -> 2",
        "config.gone: 0 -> None",
        "config.new: None -> 1",
    ]
    assert changed_fields({"a": [1, 2]}, {"a": (1, 2)}) == []  # what JSON makes of a tuple


def test_a_frozen_classifier_is_that_of_the_file(build_tiny_config, tmp_path):
    config = build_tiny_config()
    params = jax.tree.map(np.asarray, build_generator(config.model).init(jax.random.key(5))[0])
    path = tmp_path / "w.safetensors"
    save_weights(Weights(params, np.zeros(NUM_BINS, np.float32), config.model, "tiny", ""), path)
    with config.unlocked():
        config.model.update(name="Autoencoder", variant="test", hints=False, embedding=str(path))
        config.bins.weight = config.consistency.weight = 0.0
        config.data.unlabeled_batch_size = 0
    networks, mesh = build_networks(config), build_mesh(1)
    with Checkpoints(tmp_path / "checkpoints", keep_last=1) as checkpoints:
        state = start_state(config, networks, mesh, abstract_state(networks, mesh), checkpoints)
    expected = own_encoder(params, "test")
    for found in (state.stats["classifier"], state.ema["classifier"]):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-3), found, expected)
    with config.unlocked():
        config.model.embedding = str(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        start_state(config, networks, mesh, abstract_state(networks, mesh), checkpoints)


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory) -> pathlib.Path:
    """As python -m hybridvit.models.encoder_weights writes it, of the smallest encoder."""
    classifier = Classifier(SIZES["test"], rngs=nnx.Rngs(7))
    arrays = flatten_dict(nnx.to_pure_dict(nnx.state(classifier, nnx.Param)), sep="/")
    path = tmp_path_factory.mktemp("encoder") / "encoder.safetensors"
    arrays = {name: np.asarray(x) for name, x in arrays.items()}
    safetensors.numpy.save_file(arrays, path, metadata={"format": FORMAT, "variant": "test"})
    return path


@pytest.fixture
def lite_config(build_quick_config, encoder_file) -> ConfigDict:
    """Supervised, on the smallest encoder."""
    config = build_quick_config()
    config.model.update(name="HybridConvViT", variant="Lite-test", encoder_weights=str(encoder_file))
    config.train.update(steps=2, eval_every=2, checkpoint_every=2)
    config.optim.warmup_steps = 1
    return config


def started(config: ConfigDict, folder: pathlib.Path) -> TrainState:
    networks, mesh = build_networks(config), build_mesh(1)
    with Checkpoints(folder / "checkpoints", keep_last=1) as checkpoints:
        return start_state(config, networks, mesh, abstract_state(networks, mesh), checkpoints)


def test_a_pretrained_encoder_is_where_the_run_begins(lite_config, encoder_file, tmp_path, capsys):
    state = started(lite_config, tmp_path)
    assert f"The encoder starts from {encoder_file}." in capsys.readouterr().out
    expected = for_gray(load_encoder_weights(encoder_file, "test"))
    assert expected["stem"]["kernel"].shape[2] == 1
    for found in (state.params, state.ema):
        jax.tree.map(np.testing.assert_array_equal, found["half"]["encoder"], expected)
    with lite_config.unlocked():
        lite_config.model.encoder_weights = ""
    plain = started(lite_config, tmp_path)
    assert jax.tree.structure(plain.params) == jax.tree.structure(state.params)
    kernel = plain.params["half"]["encoder"]["stem"]["kernel"]
    assert np.abs(kernel - expected["stem"]["kernel"]).max() > 0.01
    without = lambda params: params | {"half": params["half"] | {"encoder": {}}}  # noqa: E731
    jax.tree.map(np.testing.assert_array_equal, without(plain.params), without(state.params))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"variant": "test"},
            "HybridConvViT test has no such encoder: set it to an empty string, or .* Lite2",
        ),
        ({"name": "UNet", "variant": "test"}, "UNet test has no such encoder"),
        (
            {"encoder_weights": "none.safetensors"},
            "no encoder weights at none.safetensors: give one of Lite0",
        ),
        ({"variant": "Lite2"}, "encoder.safetensors does not hold the encoder Lite2"),
    ],
)
def test_encoder_weights_that_do_not_fit_are_said_so(lite_config, tmp_path, changes, said):
    lite_config.model.update(changes)
    with pytest.raises((ValueError, FileNotFoundError), match=said) as error:
        started(lite_config, tmp_path)
    assert "\n" not in str(error.value)


def test_a_run_on_a_pretrained_encoder_leaves_its_frozen_stages_alone(lite_config, encoder_file, tmp_path):
    lite_config.optim.update(kind="muon", frozen_stages=2, encoder_scale=0.5, layer_decay=0.9, warmup_steps=1)
    lite_config.model.drop_path = 0.5
    train(lite_config, tmp_path)
    state = started(lite_config, tmp_path)  # Muon's state is restored as any
    assert int(state.step) == 2
    assert [line["step"] for line in metrics_of(tmp_path) if "loss" in line] == [1, 2]
    before = for_gray(load_encoder_weights(encoder_file, "test"))
    for stage, parameters in state.params["half"]["encoder"].items():
        changes = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), parameters, before[stage])
        assert (max(jax.tree.leaves(changes)) == 0) == (stage in ("stem", "stage1")), stage
