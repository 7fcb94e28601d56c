"""Experiment trackers beside TensorBoard: what `runtime.writer` writes, once more to MLflow or Weights & Biases.

Which of their runs it is stands in `tracker.json` in the work folder: a training that goes on goes on there. Where runs
go is for their own environment variables to say; without them they go into the work folder, and nothing is sent.
"""

import json
import os
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image

Outcome = Literal["finished", "stopped", "failed"]  # stopped: the same command goes on


@runtime_checkable
class Tracker(Protocol):
    """A run in a tracker; `place` says in words where a user finds it, `is_new` that no start was before this one."""

    place: str
    is_new: bool

    def config(self, config: Mapping[str, Any], about: Mapping[str, str]) -> None:
        """The config with its sections, and what else is to be known of the run."""
        ...

    def scalars(self, step: int, values: Mapping[str, float]) -> None: ...

    def images(self, step: int, name: str, image: UInt8[np.ndarray, "h w 3"]) -> None: ...

    def checkpoint(self, step: int, path: pathlib.Path) -> None:
        """Where the last checkpoint is."""
        ...

    def close(self, outcome: Outcome) -> None: ...


class MlflowTracker:
    """A run in MLflow: where MLFLOW_TRACKING_URI says, else in `folder`/mlruns."""

    def __init__(self, folder: pathlib.Path, name: str):
        import mlflow
        from mlflow.entities import Metric
        from mlflow.exceptions import MlflowException

        self._metric = Metric
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            uri = (folder / "mlruns").absolute().as_uri()
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # else it wants a database
        self.place = f"{uri} (mlflow)"
        self._client = mlflow.MlflowClient(tracking_uri=uri)
        known = _run_of(folder, "mlflow", uri)
        try:
            if known:
                self._run = self._client.get_run(known).info.run_id
                self._client.update_run(self._run, status="RUNNING")
            else:
                experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "hybridvit"
                found = self._client.get_experiment_by_name(experiment)
                number = found.experiment_id if found else self._client.create_experiment(experiment)
                self._run = self._client.create_run(number, run_name=name).info.run_id
        except MlflowException as error:
            raise OSError(f"MLflow at {uri}: {' '.join(str(error).split()):.200}") from None
        self.is_new = not known
        _note_run(folder, "mlflow", uri, self._run)

    def config(self, config: Mapping[str, Any], about: Mapping[str, str]) -> None:
        """Parameters cannot change in MLflow: those of a run's first start; each start's config is an artifact."""
        from mlflow.entities import Param, RunTag

        names = {"git_revision": "mlflow.source.git.commit"}  # by which MLflow shows it
        tags = [RunTag(names.get(name, name), value) for name, value in about.items()]
        params = [Param(name, str(value)[:6000]) for name, value in _flat(config).items()]
        self._client.log_batch(self._run, params=params if self.is_new else (), tags=tags)
        self._client.log_dict(self._run, dict(config), "config.json")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        now = int(1000 * time.time())
        metrics = [self._metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def images(self, step: int, name: str, image: UInt8[np.ndarray, "h w 3"]) -> None:
        self._client.log_image(self._run, Image.fromarray(image), key=name, step=step)

    def checkpoint(self, step: int, path: pathlib.Path) -> None:
        self._client.set_tag(self._run, "checkpoint", str(path))

    def close(self, outcome: Outcome) -> None:
        status = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}[outcome]
        self._client.set_terminated(self._run, status)


class WandbTracker:
    """A run in Weights & Biases: into `folder`/wandb for `wandb sync`, or as WANDB_MODE says."""

    def __init__(self, folder: pathlib.Path, name: str):
        import wandb

        mode = os.environ.get("WANDB_MODE") or "offline"
        known = _run_of(folder, "wandb", mode)
        self.is_new = not known
        self._image = wandb.Image
        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT") or "hybridvit",
                name=name,
                id=known,
                resume="allow" if known else None,
                dir=folder,
                mode=mode,  # pyright: ignore[reportArgumentType]
                settings=wandb.Settings(console="off", silent=True, disable_git=True, x_disable_stats=True),
            )
        except (wandb.Error, ValueError) as error:
            raise OSError(f"Weights & Biases: {' '.join(str(error).split()):.200}") from None
        sent = None if mode == "offline" else self._run.url
        sync = f"; `wandb sync {pathlib.Path(self._run.dir).parent}` sends it" if mode == "offline" else ""
        self.place = f"{sent or folder / 'wandb'} (wandb, {mode}{sync})"
        _note_run(folder, "wandb", mode, self._run.id)

    def config(self, config: Mapping[str, Any], about: Mapping[str, str]) -> None:
        self._run.config.update({**config, **about}, allow_val_change=True)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def images(self, step: int, name: str, image: UInt8[np.ndarray, "h w 3"]) -> None:
        self._run.log({name: self._image(image)}, step=step)

    def checkpoint(self, step: int, path: pathlib.Path) -> None:
        self._run.summary["checkpoint"] = str(path)

    def close(self, outcome: Outcome) -> None:
        self._run.summary["outcome"] = outcome
        self._run.finish(exit_code=1 if outcome == "failed" else 0)


TRACKERS: dict[str, Callable[[pathlib.Path, str], Tracker]] = {
    "mlflow": MlflowTracker,
    "wandb": WandbTracker,
}


def open_tracker(kind: str, folder: pathlib.Path, name: str) -> Tracker | None:
    """The run of a training in a tracker, new or gone on with; None of "tensorboard", which is always written.

    Raises ModuleNotFoundError where it is not installed, OSError, one line, where the tracker takes nothing.
    """
    return TRACKERS[kind](folder, name) if kind in TRACKERS else None


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        inner = isinstance(value, Mapping)
        flat |= _flat(value, f"{prefix}{name}.") if inner else {f"{prefix}{name}": value}
    return flat


def _run_of(folder: pathlib.Path, kind: str, place: str) -> str | None:
    """The run that was noted, if it is of this kind at this place."""
    try:
        noted = json.loads((folder / "tracker.json").read_bytes())
        return noted["run"] if (noted["kind"], noted["place"]) == (kind, place) else None
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{folder / 'tracker.json'} names no run: remove it to begin a new one") from None


def _note_run(folder: pathlib.Path, kind: str, place: str, run: str) -> None:
    (folder / "tracker.json").write_text(json.dumps({"kind": kind, "place": place, "run": run}) + "\n")
