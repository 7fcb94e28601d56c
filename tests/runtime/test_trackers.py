"""MLflow's file store and W&B's offline files, really written and read back by their own readers."""

import json
import logging
import pathlib
import struct
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from absl import logging as absl_logging
from PIL import Image

from hybridvit.runtime.revision import CLONE, git_revision
from hybridvit.runtime.trackers import open_tracker
from hybridvit.runtime.writer import Writer

CONFIG = {"name": "faded", "optim": {"learning_rate": 5e-4}, "eval": {"hint_counts": (0, 10)}}
ABOUT = {"software": "hybridvit 0", "git_revision": "a" * 40}
PICTURE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """None of what whoever runs the tests has set for their own runs; what a tracker sets is taken back."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


def train(kind: str, folder: pathlib.Path, start: int, steps: list[int], outcome: str = "finished") -> None:
    """What a training tells its writer."""
    with Writer(folder, start, tracker=open_tracker(kind, folder, "faded")) as writer:
        writer.config(CONFIG, ABOUT)
        for step in steps:
            writer.scalars(step, {"loss": 1 / step, "eval/psnr": 20.0 + step})
            writer.images(step, "eval/grid", PICTURE)
            writer.checkpoint(step, folder / "checkpoints" / str(step))
        writer.end(outcome)


def test_mlflow_has_config_scalars_grids_and_checkpoint_each_step_once(tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="pip install 'hybridvit[mlflow]'")
    tmp_path.joinpath("run").mkdir()
    train("mlflow", tmp_path / "run", 0, [1, 2, 3], "stopped")
    train("mlflow", tmp_path / "run", 2, [3, 4])  # killed before step 3 was saved
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "run" / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("hybridvit").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "faded"
    assert run.data.params == {
        "name": "faded",
        "optim.learning_rate": "0.0005",
        "eval.hint_counts": "(0, 10)",
    }
    assert run.data.tags["mlflow.source.git.commit"] == "a" * 40
    assert run.data.tags["checkpoint"] == str(tmp_path / "run" / "checkpoints" / "4")
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)]
    assert [one.step for one in client.get_metric_history(run.info.run_id, "eval/psnr")] == [1, 2, 3, 4]
    local = pathlib.Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    grids = sorted((local / "images").glob("*+step+4+*.png"))
    np.testing.assert_array_equal(np.asarray(Image.open(grids[0])), PICTURE)
    assert json.loads((local / "config.json").read_text())["optim"] == CONFIG["optim"]


def test_mlflow_goes_where_its_variable_says(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="pip install 'hybridvit[mlflow]'")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "shared").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "prints")
    train("mlflow", tmp_path, 0, [1], "failed")
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "shared").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("prints").experiment_id])
    assert run.info.status == "FAILED"
    assert not (tmp_path / "mlruns").exists()
    client.delete_run(run.info.run_id)
    (tmp_path / "tracker.json").write_text('{"run": 3}')
    with pytest.raises(ValueError, match=r"tracker.json names no run: remove it"):
        open_tracker("mlflow", tmp_path, "faded")


def read_wandb(path: pathlib.Path) -> list:
    """W&B's file is a LevelDB log: blocks of 32 KiB of chunks, each with checksum, length and place in its record."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, record, records = path.read_bytes(), 7, b"", []  # behind its own header
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:  # no room for a chunk
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or its last
            records.append(Record.FromString(record))
            record = b""
    return records


def test_wandb_offline_has_the_same(tmp_path):
    pytest.importorskip("wandb", reason="pip install 'hybridvit[wandb]'")
    train("wandb", tmp_path, 0, [1, 2, 3], "stopped")
    train("wandb", tmp_path, 2, [3, 4])
    files = sorted(tmp_path.glob("wandb/offline-run-*/run-*.wandb"), key=lambda path: path.stat().st_mtime)
    assert len({path.name for path in files}) == 1  # two starts of one run
    records = [record for path in files for record in read_wandb(path)]
    rows = []
    for record in records:
        if record.HasField("history"):
            items = record.history.item
            rows.append({"/".join(one.nested_key): json.loads(one.value_json) for one in items})
    assert [(row["_step"], row["loss"]) for row in rows] == [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)]
    grid = next(files[0].parent.glob(f"files/{rows[0]['eval/grid/path']}"))
    np.testing.assert_array_equal(np.asarray(Image.open(grid)), PICTURE)
    said = {}
    for record in records:
        for update in (*record.config.update, *record.summary.update):
            said["/".join(update.nested_key) or update.key] = json.loads(update.value_json)
    assert said["optim"] == CONFIG["optim"]
    assert said["git_revision"] == "a" * 40
    assert said["checkpoint"] == str(tmp_path / "checkpoints" / "4")
    assert said["outcome"] == "finished"


class Failing:
    place, is_new = "the tracker at nowhere", True

    def __init__(self, calls: int):
        self.left, self.told = calls, []

    def __getattr__(self, name):
        def tell(*args) -> None:
            if not self.left:
                raise ConnectionError("gone\naway")
            self.left -= 1
            self.told.append((name, args[0]))

        return tell


def test_a_training_goes_on_without_a_tracker_that_fails(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(absl_logging.get_absl_logger(), "propagate", True)
    tracker = Failing(2)
    with caplog.at_level(logging.WARNING), Writer(tmp_path, tracker=tracker) as writer:
        for step in (1, 2, 3, 4):
            writer.scalars(step, {"loss": 1.0})
    assert tracker.told == [("scalars", 1), ("scalars", 2)]
    (record,) = caplog.records
    assert record.getMessage() == (
        "the tracker at nowhere takes nothing more (ConnectionError: gone away): from step 3 on only metrics.jsonl "
        "and tensorboard/ have it"
    )
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 4


def test_a_run_that_breaks_has_failed(tmp_path):
    tracker = Failing(9)
    with pytest.raises(KeyError), Writer(tmp_path, tracker=tracker):
        raise KeyError
    assert tracker.told == [("close", "failed")]


@pytest.mark.parametrize("kind", ["mlflow", "wandb"])
def test_what_is_not_installed_is_named_as_its_extra(kind, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(ModuleNotFoundError) as error:  # to which train.py adds the extra of that name
        open_tracker(kind, tmp_path, "x")
    assert error.value.name == kind
    extras = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras[kind]
    assert open_tracker("tensorboard", tmp_path, "x") is None


def test_the_git_revision(tmp_path, monkeypatch):
    if (CLONE / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=CLONE, capture_output=True, text=True)
        assert (git_revision() or head.stdout.strip()).removesuffix("-dirty") == head.stdout.strip()
    monkeypatch.setattr("hybridvit.runtime.revision.CLONE", tmp_path)
    assert git_revision() is None
