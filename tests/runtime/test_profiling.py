"""The trace is there, of the steps that it says, and nothing else changes."""

import gzip
import json
import pathlib

import jax
import jax.numpy as jnp
import pytest

from hybridvit.runtime import profiling
from hybridvit.runtime.profiling import Profile
from hybridvit.train import train


def run(folder: pathlib.Path, start: int, end: int, active: bool = True) -> None:
    @jax.jit
    def triple(x):
        return 3 * x @ x

    with Profile(folder, start, end, active) as profile:
        x = jnp.eye(8)
        for step in range(start + 1, end + 1):
            profile.before(step, x)
            with jax.profiler.StepTraceAnnotation("train", step_num=step):
                x = triple(x) / 3
            profile.after(step, x)


def traced_steps(folder: pathlib.Path) -> list[int]:
    """The numbers of the steps in the one trace of the folder."""
    (trace,) = folder.glob("plugins/profile/*/perfetto_trace.json.gz")
    events = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    assert any("triple" in event.get("name", "") or "train_step" in event.get("name", "") for event in events)
    assert list(trace.parent.glob("*.xplane.pb"))
    return sorted(int(event["args"]["step_num"]) for event in events if event.get("name") == "train")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 20, [10, 11, 12, 13, 14, 15]),
        (100, 120, [110, 111, 112, 113, 114, 115]),
        (100, 112, [110, 111, 112]),
    ],
)
def test_a_trace_of_steps_10_to_15_of_a_start(tmp_path, start, end, expected):
    run(tmp_path, start, end)
    assert traced_steps(tmp_path) == expected


def test_too_few_steps_are_told(tmp_path, caplog):
    run(tmp_path, 100, 109)
    assert "no trace, for it begins at the 10th step of a start and this one has 9" in caplog.text
    assert not list(tmp_path.iterdir())


def test_none_without_being_asked(tmp_path):
    run(tmp_path, 0, 20, active=False)
    assert not list(tmp_path.iterdir())


def test_training_is_traced_and_its_numbers_are_the_same(quick_run, quick_config, tmp_path, monkeypatch):
    monkeypatch.setattr(profiling, "FIRST", 2)
    monkeypatch.setattr(profiling, "LAST", 4)
    quick_config.train.profile = True
    train(quick_config, tmp_path)
    assert traced_steps(tmp_path / "tensorboard") == [2, 3, 4]
    assert not list((quick_run / "tensorboard").glob("plugins"))
    logged = [(folder / "metrics.jsonl").read_text() for folder in (tmp_path, quick_run)]
    assert logged[0] == logged[1]
