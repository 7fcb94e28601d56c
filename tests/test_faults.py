"""What happens to a run when something around it breaks; the README's table of faults names these tests."""

import contextlib
import itertools
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from hybridvit import train as train_module
from hybridvit.data.sources import SourceGoneError
from hybridvit.runtime.checkpoint import Checkpoints, UnwrittenError
from hybridvit.runtime.lock import lock_folder
from hybridvit.runtime.writer import Writer
from hybridvit.train import train

ROOT = pathlib.Path(__file__).parent.parent
YEARS = 365 * 24 * 3600
SCRIPT = """
import pathlib, sys, time
from hybridvit.runtime.lock import lock_folder
with lock_folder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows past this, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def full_disk(request, tmp_path) -> Iterator[tuple[pathlib.Path, Callable]]:
    """A folder, and a context in which it is full: a file system of 2 MB, or a limit on files."""
    if request.param == "limit":
        yield tmp_path, lambda: largest_file(100_000)
        return
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system takes root")

    @contextlib.contextmanager
    def filled() -> Iterator[None]:
        ballast = folder / "ballast"
        with contextlib.suppress(OSError):
            ballast.write_bytes(bytes(2**21))
        try:
            yield
        finally:
            ballast.unlink()

    try:
        yield folder, filled
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def state_of(seed: int) -> dict:
    numbers = np.random.default_rng(seed).normal(size=100_000).astype(np.float32)
    return {"params": {"kernel": jnp.asarray(numbers)}, "step": jnp.int32(seed)}


def wait_until_quiet(folder: pathlib.Path) -> None:
    """Until no file has come or gone for a second; a minute at most."""
    seen, same, end = None, 0, time.monotonic() + 60
    while same < 10 and time.monotonic() < end:
        now = sorted(folder.rglob("*"))
        seen, same = now, same + 1 if now == seen else 0
        time.sleep(0.1)


@pytest.mark.parametrize("full_disk", ["limit", "mount"], indirect=True)
def test_a_full_disk_while_a_checkpoint_is_written(full_disk, capfd):
    folder, filled = full_disk
    abstract = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), state_of(1)
    )

    def run() -> None:
        with Checkpoints(folder / "checkpoints", keep_last=2) as checkpoints:
            checkpoints.save(1, state_of(1), {"step": 1})
            checkpoints.wait()
            with filled():
                checkpoints.save(2, state_of(2), {"step": 2})
                checkpoints.wait()

    with pytest.raises(UnwrittenError, match=r"could not be written to .*checkpoints \(.*\)") as error:
        run()
    assert "\n" not in str(error.value)
    assert "Traceback" not in "".join(capfd.readouterr())
    wait_until_quiet(
        folder
    )  # a user's next start is another process: here the failed save's threads still run
    with Checkpoints(folder / "checkpoints", keep_last=2) as checkpoints:
        state, run = checkpoints.restore(None, abstract)
        assert run == {"step": 1}
        np.testing.assert_array_equal(state["params"]["kernel"], state_of(1)["params"]["kernel"])
        checkpoints.save(2, state_of(2), {"step": 2})
        assert checkpoints.restore(None, abstract)[1] == {"step": 2}


@pytest.mark.parametrize("full_disk", ["limit", "mount"], indirect=True)
def test_a_full_disk_while_a_step_is_logged(full_disk):
    folder, filled = full_disk
    picture = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    writer = Writer(folder / "run")

    def log() -> None:
        for step in range(1, 10):
            writer.images(step, "grid", picture)
            writer.scalars(step, {"loss": 1.0})

    with filled(), pytest.raises(OSError, match=r"run cannot be written to \(.*\): make room there"):
        log()
    writer.close()
    with Writer(folder / "run", start_step=0) as writer:
        writer.scalars(1, {"loss": 2.0})
    assert json.loads((folder / "run" / "metrics.jsonl").read_text()) == {"step": 1, "loss": 2.0}


@pytest.fixture(scope="module")
def set_back(tiny_run, build_tiny_config, tmp_path_factory) -> tuple[pathlib.Path, str]:
    """A finished run whose last checkpoint was cut short, gone on with after the clock was set back; what it said."""
    workdir = tmp_path_factory.mktemp("set_back") / "run"
    shutil.copytree(tiny_run, workdir)
    files = [path for path in (workdir / "checkpoints/6/params").rglob("*") if path.is_file()]
    largest = max(files, key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    for path in workdir.rglob("*"):
        os.utime(path, (time.time() + 10 * YEARS,) * 2)
    said, ticks, now = [], itertools.count(), time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: now() - 20 * YEARS - next(ticks))  # and it goes backwards
        patch.setattr("absl.logging.warning", lambda form, *values: said.append(form % values))
        train(build_tiny_config(), workdir)
    return workdir, "\n".join(said)


def test_a_truncated_checkpoint_is_told_and_the_one_before_taken(set_back):
    assert "checkpoint 6 is damaged (" in set_back[1]
    assert "; going back to 4" in set_back[1]


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", "evaluation/report.json", "checkpoints/6/digests/data.json"]
)
def test_with_the_clock_set_back_and_a_checkpoint_lost_the_run_is_the_same(set_back, tiny_run, name):
    assert (set_back[0] / name).read_text() == (tiny_run / name).read_text()


@pytest.fixture
def folder_config(tiny_config, tmp_path, monkeypatch) -> ConfigDict:
    """On a folder of twelve sound pictures and three broken ones, read when a batch is asked for and not before."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(12):
        noise = np.random.default_rng(i).integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(noise).resize((40, 40), Image.Resampling.BICUBIC).save(folder / f"{i:02}.png")
    (folder / "empty.jpg").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:300])
    monkeypatch.setenv("HOME", str(tmp_path))  # where the look through a folder is remembered
    tiny_config.data.kind = "folder"
    tiny_config.data.color_dir = str(folder)
    tiny_config.data.eval_fraction = 0.2
    tiny_config.data.num_threads = 0
    return tiny_config


def test_broken_pictures_are_left_out_and_a_source_that_disappears_ends_the_run(
    folder_config, tmp_path, monkeypatch, caplog, capsys
):
    folder, away, workdir = tmp_path / "photos", tmp_path / "away", tmp_path / "run"
    put, batches = train_module.put_batch, itertools.count(1)

    def disappearing(batch, mesh):
        if next(batches) == 3:
            folder.rename(away)
        return put(batch, mesh)

    with caplog.at_level("WARNING"), monkeypatch.context() as patch:
        patch.setattr(train_module, "put_batch", disappearing)
        with pytest.raises(
            SourceGoneError, match=r"the pictures of .*photos are gone \(no such file"
        ) as error:
            train(folder_config, workdir)
    assert "\n" not in str(error.value)
    for name in ("empty.jpg", "text.png", "cut.png"):
        assert f"unreadable picture photos/{name}" in caplog.text
    assert "passed over" not in caplog.text  # the pictures of a folder that is gone are not broken
    away.rename(folder)
    capsys.readouterr()
    train(folder_config, workdir)
    assert "Resuming at step 2 of 6" in capsys.readouterr().out
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4, 5, 6]


def test_a_folder_that_is_empty_is_a_disk_taken_away(folder_config, tmp_path):
    source = train_module.make_train_dataset(folder_config.data, 0, cache_dir="")
    for path in (tmp_path / "photos").iterdir():
        path.unlink()
    with pytest.raises(SourceGoneError, match=r"photos are gone \(it is empty\)"):
        source[0]


def test_a_work_folder_that_is_read_only(tiny_config, tmp_path, monkeypatch):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere, but here
        folder = pathlib.Path("/sys")
        if not folder.is_dir():
            pytest.skip("no folder that root cannot write to")
    monkeypatch.setattr(train_module, "make_train_dataset", pytest.fail)
    with pytest.raises(
        OSError, match=rf"the work folder {folder}/run cannot be written to \(.*--workdir$"
    ) as error:
        train(tiny_config, folder / "run")
    assert "\n" not in str(error.value)


def test_a_second_run_in_a_work_folder_is_refused_until_the_first_ends_in_whatever_way(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(
                OSError, match=rf"another run is at work in {tmp_path} \(process {first.pid} on "
            ) as error,
            lock_folder(tmp_path),
        ):
            pytest.fail("it was held twice")
        assert "\n" not in str(error.value)
        first.send_signal(signal.SIGKILL)
        first.wait()
    with lock_folder(tmp_path):
        assert f"process {os.getpid()} on " in (tmp_path / "lock").read_text()


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, caplog):
    def flock(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("hybridvit.runtime.lock.fcntl.flock", flock)
    with caplog.at_level("WARNING"), lock_folder(tmp_path):
        pass
    assert "no lock on" in caplog.text
