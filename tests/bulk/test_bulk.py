"""The job on Beam's local runner: what `hybridvit colorize` makes, once, with what failed named."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

beam = pytest.importorskip("apache_beam", reason="bulk colouring needs apache-beam")
from apache_beam.io.localfilesystem import LocalFileSystem  # noqa: E402

from hybridvit.bulk import command, pipeline  # noqa: E402
from hybridvit.colorize import command as colorize  # noqa: E402
from hybridvit.colorize import naming  # noqa: E402
from hybridvit.hints.frame import Frame  # noqa: E402
from hybridvit.hints.recipe import Recipe  # noqa: E402
from hybridvit.hints.shapes import Point  # noqa: E402
from hybridvit.hints.sidecar import Sidecar, pixels_digest, save_hints  # noqa: E402
from hybridvit.inference.weights import save_weights  # noqa: E402
from hybridvit.photo.photo import read_provenance  # noqa: E402
from hybridvit.runtime.devices import start_devices  # noqa: E402
from tests.commands import SIZE, call, results, write_scans  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path_factory) -> Iterator[None]:
    """What killed workers leave behind goes with it; its path is short, as those of sockets in it must be."""
    tmp_path_factory.getbasetemp()  # pytest's own folder is not to be in it
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield


@pytest.fixture
def scans(tmp_path, monkeypatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    return write_scans()


@pytest.fixture
def run(scans, stub_colorizer, monkeypatch, capsys):
    """`run("scans --output out") -> (exit code, lines of stdout, lines of stderr)`, with the stub as the model."""
    monkeypatch.setattr(pipeline, "load", lambda task: stub_colorizer)
    return lambda line: call(command.main, line, capsys)


def written(path: pathlib.Path) -> tuple[int, int]:
    """Changes when the file is replaced."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def failures(folder: str = "out") -> list[dict[str, str]]:
    return [json.loads(line) for line in pathlib.Path(folder, "failed.jsonl").read_text().splitlines()]


def test_a_folder_then_again_then_with_one_more(run, stub_colorizer):
    out = pathlib.Path("out").absolute()
    code, said, _ = run("scans --output out")
    assert (code, len(said)) == (0, 1)
    assert said[0].startswith(f"{out}: 2 coloured, 0.0 MB written")
    assert results() == ["a.jpg", "box/b.png", "failed.jsonl"]
    assert failures() == []
    settings = {
        "size": 256,
        "strength": 1.0,
        "decode": "vivid",
        "seed": 0,
        "borders": "auto",
        "palette": (),
        "protected": (),
        "frame": Frame(),
    }
    assert stub_colorizer.calls == [{"hints": ()} | settings] * 2
    before = written(pathlib.Path("out/a.jpg"))
    assert run("scans --output out")[1] == [f"{out}: 0 coloured, 2 done already, 0.0 MB written"]
    assert written(pathlib.Path("out/a.jpg")) == before
    Image.new("L", SIZE).save("scans/new.png")
    assert run("scans --output out")[1][0].startswith(f"{out}: 1 coloured, 2 done already")
    assert run("scans --output out --size 64")[1][0].startswith(f"{out}: 3 coloured, 0")


def test_the_very_files_of_colorize(run, stub_colorizer, monkeypatch):
    save_hints(pathlib.Path("scans/a.hints.json"), Sidecar(*SIZE, recipe=Recipe((Point(3, 4, "#804020"),))))
    flags = "--samples 2 --uncertainty --strength 0.5 --palette #804020,#208040"
    monkeypatch.setattr(colorize, "build_colorizer", lambda options: stub_colorizer)
    assert colorize.main(f"scans --output one {flags}".split()) == 0
    assert run(f"scans --output many {flags}")[0] == 0
    names = [name for name in results("many") if name != "failed.jsonl"]
    assert names == results("one")
    assert len(names) == 6
    for name in names:
        assert pathlib.Path("many", name).read_bytes() == pathlib.Path("one", name).read_bytes(), name


def test_bad_files_are_named_and_the_others_are_coloured(run):
    pathlib.Path("scans/bad.png").write_text("no picture")
    pathlib.Path("scans/box/b.hints.json").write_text("{")
    pathlib.Path("scans/notes.txt").touch()
    code, said, err = run("scans --output out")
    assert code == 1
    assert "1 coloured, 2 failed" in said[0]
    assert err == [f"failed: {pathlib.Path('out').absolute()}/failed.jsonl names each with the reason"]
    scans = pathlib.Path("scans").absolute()
    found = {one["photo"]: one["reason"] for one in failures()}
    assert found.keys() == {f"{scans}/bad.png", f"{scans}/box/b.png"}
    assert found[f"{scans}/bad.png"].startswith("no picture of a known format")
    assert found[f"{scans}/box/b.png"].startswith(f"{scans}/box/b.hints.json")
    assert not any("\n" in reason or "hybridvit-bulk" in reason for reason in found.values())
    assert results() == ["a.jpg", "failed.jsonl"]


def test_a_file_of_another_is_left(run):
    pathlib.Path("out").mkdir()
    Image.new("RGB", SIZE).save("out/a.jpg")
    before = pathlib.Path("out/a.jpg").read_bytes()
    assert run("scans --output out")[0] == 1
    assert [one["reason"].partition(" is there")[0] for one in failures()] == [
        f"{pathlib.Path('out').absolute()}/a.jpg"
    ]
    assert pathlib.Path("out/a.jpg").read_bytes() == before
    assert run("scans --output out --overwrite")[0] == 0
    assert pathlib.Path("out/a.jpg").read_bytes() != before


def test_namesakes_have_a_sidecar_each(run, stub_colorizer, tmp_path, monkeypatch):
    """Also where files have to be fetched, and folders are called like patterns."""
    monkeypatch.setattr(ElsewhereFileSystem, "ELSEWHERE", str(tmp_path))
    folder = pathlib.Path("scans/box [1]")
    folder.mkdir()
    picture = Image.linear_gradient("L").resize(SIZE)
    picture.save(folder / "scan.tif")
    picture.transpose(Image.Transpose.ROTATE_180).save(folder / "scan.jpg")
    digest = pixels_digest(np.asarray(picture)[..., None])
    save_hints(folder / "scan.hints.json", Sidecar(*SIZE, digest, Recipe((Point(3, 4, "#2e6b3a"),))))
    for scans, out in (("scans", "out"), ("elsewhere://scans", "elsewhere://there")):
        stub_colorizer.calls.clear()
        assert run(f"{scans}/ --output {out}")[0] == 0
        assert sorted(len(call["hints"]) for call in stub_colorizer.calls) == [0, 0, 0, 1]
        name = out.rpartition("/")[2]
        assert "recipe_sha256" in read_provenance(f"{name}/box [1]/scan.tif")
    save_hints(folder / "scan.jpg.hints.json", Sidecar(*SIZE, None, Recipe((Point(1, 1, "#804020"),))))
    assert "1 coloured, 3 done already" in run("scans --output out")[1][0]
    assert stub_colorizer.calls[-1]["hints"] == (Point(1, 1, "#804020"),)


def test_names_that_differ_in_case_alone(run, monkeypatch):
    for name in ("photo.jpg", "Photo.jpg"):
        Image.new("L", SIZE).save(f"scans/{name}")
    if len(results("scans")) < 4:
        pytest.skip("this disk keeps one of two files whose names differ in case alone")
    assert run("scans --output out")[0] == 0
    assert results() == ["Photo.jpg", "a.jpg", "box/b.png", "failed.jsonl", "photo.jpg"]
    monkeypatch.setattr(naming, "keeps_case", lambda folder: False)
    assert "2 coloured, 2 failed" in run("scans --output other")[1][0]
    assert results("other") == ["a.jpg", "box/b.png", "failed.jsonl"]


def test_two_of_one_name_are_both_named(run):
    shutil.copytree("scans", "other")
    code, said, _ = run("scans other/a.jpg --output out")
    assert code == 1
    assert "1 coloured, 2 failed" in said[0]
    assert all("would be that of" in one["reason"] for one in failures())
    assert results() == ["box/b.png", "failed.jsonl"]


def test_beside_the_photographs_and_another_format(run):
    assert run("scans --output scans --format jpeg")[0] == 0
    expected = ["a-colorized.jpg", "a.jpg", "box/b.png", "box/b.png-colorized.jpg", "failed.jsonl"]
    assert results("scans") == expected
    code, said, _ = run("scans --output scans --format jpeg")
    assert code == 0
    assert "2 done already" in said[0]
    assert said[1] == "left alone: 2 results of hybridvit among the inputs"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("none --output out", "hybridvit: none: no such file or folder, or nothing in it"),
        ("scans", "hybridvit: the following arguments are required: --output (see hybridvit bulk --help)"),
        (
            "scans --output out --runer=x",
            "hybridvit: unrecognized arguments: --runer (see hybridvit bulk --help)",
        ),
        (
            "scans --output out --samples 2 --decode mean",
            "hybridvit: --samples draws its colours, --decode mean",
        ),
        ("scans --output out --palette blue", "hybridvit: --palette: "),
    ],
)
def test_mistakes_are_one_line(run, line, said):
    code, _, err = run(line)
    assert code == 2
    assert len(err) == 1
    assert err[0].startswith(said)
    assert not pathlib.Path("out").exists()


def test_a_full_disk_ends_the_job(run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "put", full)
    code, _, err = run("scans --output out")
    assert code == 1
    assert "No space left on device" in err[-2]
    assert err[-1] == "hybridvit: the same command goes on from here"


class ElsewhereFileSystem(LocalFileSystem):
    """elsewhere://x is ELSEWHERE/x: stands for the object stores, whose names are no paths."""

    ELSEWHERE = ""

    @classmethod
    def scheme(cls):
        return "elsewhere"

    def _here(self, path):
        return path.replace("elsewhere://", f"{self.ELSEWHERE}/")

    def join(self, base, *paths):
        return "/".join([base.rstrip("/"), *paths])

    def split(self, path):
        return path.rpartition("/")[::2]

    def _list(self, prefix):
        for file in super()._list(self._here(prefix)):
            file.path = file.path.replace(f"{self.ELSEWHERE}/", "elsewhere://")
            yield file

    def open(self, path, *rest, **options):
        return super().open(self._here(path), *rest, **options)

    def create(self, path, *rest, **options):
        return super().create(self._here(path), *rest, **options)

    def metadata(self, path):
        found = super().metadata(self._here(path))
        found.path = path
        return found

    def exists(self, path):
        return super().exists(self._here(path))

    def delete(self, paths):
        return super().delete([self._here(path) for path in paths])

    def mkdirs(self, path):
        return super().mkdirs(self._here(path))

    def rename(self, sources, targets):
        return super().rename(*([self._here(path) for path in paths] for paths in (sources, targets)))


def test_on_another_filesystem(run, tmp_path, monkeypatch):
    monkeypatch.setattr(ElsewhereFileSystem, "ELSEWHERE", str(tmp_path))
    save_hints(pathlib.Path("scans/a.hints.json"), Sidecar(*SIZE, recipe=Recipe((Point(3, 4, "#804020"),))))
    pathlib.Path("scans/bad.png").write_text("no picture")
    assert run("elsewhere://scans/ --output elsewhere://out")[0] == 1
    assert results() == ["a.jpg", "box/b.png", "failed.jsonl"]
    assert [one["photo"] for one in failures()] == ["elsewhere://scans/bad.png"]
    assert "2 done already, 1 failed" in run("elsewhere://scans/ --output elsewhere://out")[1][0]


def test_many_views_at_once_give_the_same(scans, weights, capsys):
    for i in range(5):
        Image.linear_gradient("L").resize(SIZE).point(lambda x, i=i: x // (i + 2)).save(scans / f"{i}.png")
    Image.linear_gradient("L").resize((150, 90)).save(scans / "wide.png")
    flags = f"--weights {weights} --size 64"
    for batch in (1, 4):
        assert command.main(f"scans --output b{batch} {flags} --batch-size {batch}".split()) == 0
        assert f"hybridvit: computing on {start_devices()}\n" in capsys.readouterr().err
    names = [name for name in results("b1") if name.endswith("png")]
    assert len(names) == 7
    for name in names:
        one, many = (np.asarray(Image.open(f"b{batch}/{name}")).astype(int) for batch in (1, 4))
        difference = np.abs(one - many)  # sums of other orders
        assert difference.max() <= 3
        assert difference.mean() < 0.02
        assert np.ptp(one, axis=-1).max() > 3


@pytest.fixture(scope="module")
def weights(tiny_weights, tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(tiny_weights, path)
    return path


def workers_of(pid: int) -> list[int]:
    """Beam's worker processes below that one."""
    below = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            is_worker = b"sdk_worker_main" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
            below += workers_of(child) or ([child] if is_worker else [])
    return below


def is_alive(pid: int) -> bool:
    """Whether it is there, and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not pathlib.Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_worker_is_killed_and_the_same_command_goes_on(scans, weights, tmp_path):
    count = 60
    for i in range(count):
        Image.linear_gradient("L").resize(SIZE).point(lambda x, i=i: x // 2 + i).save(scans / f"{i:02d}.png")
    line = f"-m hybridvit.bulk {scans.absolute()} --output {tmp_path / 'out'} --weights {weights} --size 64"
    flags = "--runner=DirectRunner --direct_running_mode=multi_processing --direct_num_workers=2"
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}

    def start() -> subprocess.Popen:
        words = [sys.executable, *line.split(), *flags.split()]
        return subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    with start() as job:
        deadline = time.monotonic() + 900
        while not list((tmp_path / "out").rglob("*.png")):
            assert job.poll() is None, job.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        workers = workers_of(job.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        _, said = job.communicate(timeout=60)
    while any(map(is_alive, workers)):  # the other one finishes what it is at
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert job.returncode == 1
    # Not by lines: what a dying worker says may stand before them
    assert "hybridvit: the job failed: Worker subprocess exited with return code" in said
    assert "hybridvit: the same command goes on from here" in said
    pictures = [path for path in (tmp_path / "out").rglob("[!.]*") if path.suffix in (".png", ".jpg", ".tif")]
    done = {path: written(path) for path in pictures}
    assert 0 < len(done) < count
    with start() as job:
        out, said = job.communicate(timeout=900)
    assert job.returncode == 0, said
    assert f"{len(done)} done already" in out
    assert all(written(path) == before for path, before in done.items())
    words = f"{scans} --output one --weights {weights} --size 64".split()
    assert colorize.main(words) == 0
    names = [name for name in results("one")]
    assert len(names) == count + 2
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == pathlib.Path("one", name).read_bytes(), name
