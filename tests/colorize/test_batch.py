"""The loop over pictures, with real files and without a model."""

import errno
import json
import os
import pathlib
import struct
import threading
import weakref
import zlib

import numpy as np
import pytest
from PIL import Image

from hybridvit.colorize import batch
from hybridvit.colorize.batch import colorize_files, leave_results
from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.naming import Job, plan
from hybridvit.colorize.summary import Summary, explain
from hybridvit.hints.frame import WHOLE
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PaletteColor, Point
from hybridvit.hints.sidecar import Sidecar, save_hints
from hybridvit.photo.photo import read_photo, read_provenance

SIZE = (40, 30)  # px of the pictures, width and height


@pytest.fixture
def scans(tmp_path, monkeypatch) -> pathlib.Path:
    """Three pictures in a folder of the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = pathlib.Path("scans")
    folder.mkdir()
    for i, name in enumerate(("a.jpg", "b.png", "c.tif")):
        Image.linear_gradient("L").resize(SIZE).point(lambda x, i=i: x // 2 + i).save(folder / name)
    return folder


@pytest.fixture
def colour(stub_colorizer):
    """`colour(..., samples=, heat_map=, settings=, palette=, sidecars=, overwrite=) -> Summary` of scans/ into out/."""

    def colour(
        *inputs: str,
        output="out",
        samples=None,
        heat_map=False,
        settings=None,
        palette=(),
        sidecars=None,
        overwrite=False,
    ) -> Summary:
        jobs = plan(
            find_sources(inputs or ["scans"], output).sources, pathlib.Path(output), None, samples, heat_map
        ).jobs
        summary = Summary(len(jobs))
        find = (sidecars or {}).get
        colorize_files(
            stub_colorizer,
            jobs,
            summary,
            sidecar_of=lambda picture: find(picture.name),
            settings=({"decode": "sample"} if samples else {}) | (settings or {}),
            palette=palette,
            overwrite=overwrite,
        )
        return summary

    return colour


def files(folder: str = "out") -> dict[str, bytes]:
    """Content by name, temporary files included."""
    return {
        path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()
    }


def counts(summary: Summary) -> tuple[int, int, int, int]:
    return summary.coloured, summary.done, len(summary.failed), summary.not_reached


def write_hints(
    path: str = "hints.json", width: int = SIZE[0], x: float = 3, sha256: str | None = None, **more
) -> pathlib.Path:
    save_hints(path, Sidecar(width, SIZE[1], sha256, Recipe((Point(x, 4, "#2e6b3a"),), **more)))
    return pathlib.Path(path)


def test_results_are_pictures_that_say_what_they_are(scans, colour, stub_colorizer):
    before = files("scans")
    palette = (PaletteColor("#102030"),)
    settings = {"size": 64, "strength": 0.5, "decode": "mean"}
    assert counts(colour(settings=settings, palette=palette)) == (3, 0, 0, 0)
    assert files("scans") == before
    assert list(files()) == ["a.jpg", "b.png", "c.tif"]
    told = {
        "hints": (),
        "size": 64,
        "strength": 0.5,
        "decode": "mean",
        "seed": 0,
        "borders": "auto",
        "palette": palette,
        "protected": (),
        "frame": WHOLE,
    }
    assert stub_colorizer.calls == [told] * 3
    gray, result = (np.asarray(Image.open(f"{folder}/b.png")) for folder in ("scans", "out"))
    np.testing.assert_array_equal(result[..., 0], gray)
    said = read_provenance("out/b.png")
    assert said["source"] == "b.png"
    assert json.loads(said["settings"]) == {"size": 64}


def test_what_is_done_is_skipped_also_after_moving_and_renaming(scans, colour, stub_colorizer, monkeypatch):
    colour(heat_map=True)
    before = files()
    pathlib.Path("out").rename("elsewhere")
    scans.rename("originals")
    for name in ("a.jpg", "a-uncertainty.png"):
        pathlib.Path("elsewhere", name).rename(pathlib.Path("elsewhere", name.replace("a", "x", 1)))
    pathlib.Path("originals/a.jpg").rename("originals/x.jpg")
    stub_colorizer.calls.clear()
    monkeypatch.setattr(batch, "read_photo", None)  # would be a failure
    assert counts(colour("originals", output="elsewhere", heat_map=True)) == (0, 3, 0, 0)
    assert not stub_colorizer.calls
    assert set(files("elsewhere").values()) == set(before.values())


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"size": 64}},
        {"settings": {"strength": 0.9}},
        {"settings": {"decode": "mean"}},
        {"palette": (PaletteColor("#102030"),)},
    ],
)
def test_other_settings_are_not_done(scans, colour, change):
    colour()
    assert counts(colour(**change)) == (3, 0, 0, 0)
    assert counts(colour(**change)) == (0, 3, 0, 0)


def test_other_weights_are_not_done(scans, colour, stub_colorizer):
    colour()
    stub_colorizer.digest = "6" * 64
    assert counts(colour()) == (3, 0, 0, 0)


def test_the_seed_counts_where_it_is_used(scans, colour):
    colour()
    assert counts(colour(settings={"seed": 1})) == (0, 3, 0, 0)
    colour(settings={"decode": "sample"})
    assert counts(colour(settings={"decode": "sample", "seed": 1})) == (3, 0, 0, 0)


def test_new_or_changed_hints_are_not_done(scans, colour, stub_colorizer):
    colour()
    palette = (PaletteColor("#102030"),)
    sidecars = {"b.png": write_hints(palette=palette)}
    stub_colorizer.calls.clear()
    assert counts(colour(sidecars=sidecars)) == (1, 2, 0, 0)
    assert stub_colorizer.calls[0]["hints"] == (Point(3, 4, "#2e6b3a"),)
    assert stub_colorizer.calls[0]["palette"] == palette
    assert counts(colour(sidecars=sidecars)) == (0, 3, 0, 0)
    write_hints(x=5)
    assert counts(colour(sidecars=sidecars)) == (1, 2, 0, 0)


def test_what_a_sidecar_says_of_settings_counts_where_nothing_else_is_said(scans, colour, stub_colorizer):
    corner = Protected(((0, 0), (9, 0), (0, 9)), Recipe())
    settings = Settings(size=64, strength=0.5, decode="sample", seed=4)
    sidecars = {"b.png": write_hints(settings=settings, protected=(corner,))}
    assert counts(colour("scans/b.png", sidecars=sidecars)) == (1, 0, 0, 0)
    assert counts(colour("scans/b.png", sidecars=sidecars, settings={"strength": 2.0})) == (1, 0, 0, 0)
    first, second = stub_colorizer.calls
    assert (first["size"], first["strength"], first["decode"], first["seed"]) == (64, 0.5, "sample", 4)
    assert first["protected"] == (corner,)
    assert second == first | {"strength": 2.0}


def test_a_changed_original_does_not_replace_the_result_of_the_old_one(scans, colour):
    colour()
    before = files()
    Image.new("L", SIZE, 9).save(scans / "b.png")
    summary = colour()
    assert counts(summary) == (0, 2, 1, 0)
    assert "out/b.png is the result of another file" in summary.failed["scans/b.png"]
    assert files() == before
    assert counts(colour(overwrite=True)) == (3, 0, 0, 0)
    assert files()["b.png"] != before["b.png"]


def test_files_of_others_are_not_replaced(scans, colour):
    pathlib.Path("out").mkdir()
    Image.new("RGB", SIZE).save("out/b.png")
    pathlib.Path("out/c.tif").symlink_to("nowhere")
    summary = colour()
    assert counts(summary) == (1, 0, 2, 0)
    assert "out/b.png is there, and no result of this command" in summary.failed["scans/b.png"]
    assert pathlib.Path("out/c.tif").is_symlink()
    assert counts(colour(overwrite=True)) == (3, 0, 0, 0)


def test_an_original_behind_a_link_is_not_replaced(scans, colour):
    pathlib.Path("out").mkdir()
    pathlib.Path("out/b.png").symlink_to(scans.absolute() / "b.png")
    before = files("scans")
    assert counts(colour(overwrite=True)) == (3, 0, 0, 0)
    assert files("scans") == before
    assert pathlib.Path("out/b.png").is_symlink()
    assert read_provenance("out/scans/b.png")["source"] == "b.png"


def bomb() -> bytes:
    """A PNG that promises 10^10 pixels."""
    head = struct.pack(">IIBBBBB", 10**5, 10**5, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    parts = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"hello", "no picture"),
        (bomb(), "100000 x 100000 px are more than"),
        ("cut", "damaged or cut short"),
    ],
)
def test_a_bad_file_is_named_in_a_line_and_the_others_are_coloured(scans, colour, content, reason):
    whole = (scans / "b.png").read_bytes()
    (scans / "b.png").write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    summary = colour()
    assert counts(summary) == (2, 0, 1, 0)
    assert reason in summary.failed["scans/b.png"]
    assert "\n" not in summary.failed["scans/b.png"]
    assert "scans/b.png" not in summary.failed["scans/b.png"]
    assert list(files()) == ["a.jpg", "c.tif"]
    (scans / "b.png").write_bytes(whole)
    assert counts(colour()) == (1, 2, 0, 0)


def test_a_file_that_vanishes_or_is_closed_to_us(scans, colour, monkeypatch):
    digest = batch._sha256

    def refuse(path: pathlib.Path) -> str:
        if path.name == "a.jpg":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        if path.name == "c.tif":
            path.unlink()
        return digest(path)

    monkeypatch.setattr(batch, "_sha256", refuse)  # root may read everything
    assert colour().failed == {"scans/a.jpg": "Permission denied", "scans/c.tif": "No such file or directory"}
    assert list(files()) == ["b.png"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED:\nout of memory")])
def test_whatever_the_model_meets_the_others_are_coloured(scans, colour, stub_colorizer, monkeypatch, error):
    colorize = stub_colorizer.colorize

    def fail_once(photo, *args, **kwargs):
        if photo.source.name == "b.png":
            raise error
        return colorize(photo, *args, **kwargs)

    monkeypatch.setattr(stub_colorizer, "colorize", fail_once)
    summary = colour()
    assert counts(summary) == (2, 0, 1, 0)
    assert summary.failed["scans/b.png"] == explain(error)
    assert "\n" not in explain(error)
    assert "memory" in explain(error)


def fail_at(monkeypatch, function: str, call: int, number: int) -> None:
    """The `call`-th call of a function of os raises an OSError."""
    original, calls = getattr(os, function), []

    def wrapped(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            raise OSError(number, os.strerror(number))
        return original(*args, **kwargs)

    monkeypatch.setattr(os, function, wrapped)


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_stops_the_run_and_leaves_nothing_half(scans, colour, monkeypatch, function):
    with monkeypatch.context() as patch:
        fail_at(patch, function, 2, errno.ENOSPC)
        summary = colour()
    assert counts(summary) == (1, 0, 1, 1)
    assert summary.stopped == os.strerror(errno.ENOSPC)
    assert summary.failed == {"scans/b.png": f"out/b.png: {os.strerror(errno.ENOSPC)}"}
    assert list(files()) == ["a.jpg"]
    assert counts(colour()) == (2, 1, 0, 0)


def test_a_result_that_cannot_be_written_does_not_stop_the_others(scans, colour, monkeypatch):
    with monkeypatch.context() as patch:
        fail_at(patch, "replace", 2, errno.EACCES)
        summary = colour()
    assert counts(summary) == (2, 0, 1, 0)
    assert summary.failed == {"scans/b.png": "out/b.png: Permission denied"}
    assert list(files()) == ["a.jpg", "c.tif"]


def test_interrupted_it_goes_on_where_it_stood(scans, colour, stub_colorizer, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            colour("scans/b.png")
    assert files() == {}
    colour("scans/b.png")
    stub_colorizer.calls.clear()
    assert counts(colour()) == (2, 1, 0, 0)
    assert len(stub_colorizer.calls) == 2


def test_samples_have_seeds_and_more_of_them_cost_only_themselves(scans, colour, stub_colorizer):
    colour("scans/b.png", samples=2, settings={"decode": "sample", "seed": 7})
    assert [call["seed"] for call in stub_colorizer.calls] == [7, 8]
    assert list(files()) == ["b-1.png", "b-2.png"]
    assert counts(colour("scans/b.png", samples=3, settings={"decode": "sample", "seed": 7})) == (
        1,
        0,
        0,
        0,
    )
    assert [call["seed"] for call in stub_colorizer.calls] == [7, 8, 9]
    blue = [Image.open(f"out/b-{k}.png").getpixel((0, 0))[2] for k in (1, 2, 3)]
    assert blue == [blue[0], blue[0] + 1, blue[0] + 2]


def test_the_heat_map(scans, colour, stub_colorizer):
    colour("scans/b.png")
    before = files()["b.png"]
    assert counts(colour("scans/b.png", heat_map=True)) == (1, 0, 0, 0)
    assert list(files()) == ["b-uncertainty.png", "b.png"]
    assert files()["b.png"] == before
    with Image.open("out/b-uncertainty.png") as image:
        assert image.size == (43, 32)  # the picture's aspect, 8 px a cell
    assert "10 ab units" in read_provenance("out/b-uncertainty.png")["shows"]
    heat_map = files()["b-uncertainty.png"]
    strong = {"strength": 2.0}  # which it does not depend on
    assert counts(colour("scans/b.png", heat_map=True, settings=strong)) == (1, 0, 0, 0)
    assert files()["b-uncertainty.png"] == heat_map
    stub_colorizer.calls.clear()
    colour("scans/c.tif", heat_map=True, samples=2)
    assert list(files()) == ["b-uncertainty.png", "b.png", "c-1.tif", "c-2.tif", "c-uncertainty.png"]
    assert len(stub_colorizer.calls) == 2


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda: write_hints(width=99), "hints.json: picture: the hints are for one of 99 x 30 px"),
        (
            lambda: pathlib.Path("hints.json").write_text('{"version": 9}'),
            "hints.json: version: 9 is not known",
        ),
        (lambda: None, "hints.json: No such file"),
    ],
)
def test_wrong_hints_are_named(scans, colour, write, reason):
    write()
    summary = colour(sidecars={"b.png": pathlib.Path("hints.json")})
    assert counts(summary) == (2, 0, 1, 0)
    assert summary.failed["scans/b.png"].startswith(reason)


def test_results_are_no_originals(scans, colour):
    colour(heat_map=True)
    sources = find_sources(["scans", "out"], "elsewhere").sources
    originals, results = leave_results(sources)
    assert [str(source.path) for source in originals] == ["scans/a.jpg", "scans/b.png", "scans/c.tif"]
    assert results == 6


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_in_other_encodings_do_not_stop_the_others(scans, colour):
    odd = scans / os.fsdecode(b"M\xfcller.png")
    (scans / "b.png").rename(odd)
    originals, _ = leave_results(find_sources(["scans"], "out").sources)
    assert len(originals) == 3
    summary = colour()
    assert {"a.jpg", "c.tif"} <= set(files())
    assert (odd.name in files()) != (str(odd) in summary.failed)


def test_remarks_are_kept(scans, colour):
    frames = [
        Image.linear_gradient("L").resize(SIZE).point(lambda tone, off=off: tone // off) for off in (1, 2)
    ]
    for name in ("c.gif", "d.gif"):
        frames[0].save(scans / name, save_all=True, append_images=frames[1:])
    said = "an animation: the first of its 2 frames is coloured"
    assert colour().remarks == {said: ["scans/c.gif", "scans/d.gif"]}


def test_the_next_picture_is_read_meanwhile(scans, colour, stub_colorizer, monkeypatch):
    read = {name: threading.Event() for name in ("a.jpg", "b.png", "c.tif")}
    following = {"a.jpg": "b.png", "b.png": "c.tif", "c.tif": "c.tif"}
    met, colorize = [], stub_colorizer.colorize

    def note(path: pathlib.Path):
        read[path.name].set()
        return read_photo(path)

    def wait(photo, *args, **kwargs):
        met.append(read[following[photo.source.name]].wait(10))
        return colorize(photo, *args, **kwargs)

    monkeypatch.setattr(batch, "read_photo", note)
    monkeypatch.setattr(stub_colorizer, "colorize", wait)
    colour()
    assert met == [True, True, True]


def test_a_large_picture_is_gone_before_the_next_is_read(scans, colour, monkeypatch):
    photos = []

    def note(path: pathlib.Path):
        alive.extend(ref().source.name for ref in photos if ref() is not None)
        photo = read_photo(path)
        photos.append(weakref.ref(photo))
        return photo

    alive: list[str] = []
    monkeypatch.setattr(batch, "read_photo", note)
    monkeypatch.setattr(batch, "READ_AHEAD", 0)
    assert counts(colour()) == (3, 0, 0, 0)
    assert alive == []


@pytest.mark.parametrize("cores", [1, 2])
def test_pictures_made_on_several_cores_come_in_their_order_and_a_large_one_is_made_alone(cores, monkeypatch):
    monkeypatch.setattr(batch, "READ_AHEAD", 10)
    at_work, seen = set(), {}

    def prepare(job):
        name = job.source.name
        return batch.Work(batch.photo_of(np.zeros((1, 20 if name == "large" else 1), np.uint8)), [], None)

    def finish(job, ready):
        name = job.source.name
        at_work.add(name)
        ready.popleft().result()
        if name == "second" and cores == 2:
            gone.wait(5)  # a later one is done before
        seen[name] = set(at_work)
        at_work.remove(name)
        if name == "third":
            gone.set()
            raise ValueError(name)
        return name

    names, gone = ["first", "second", "third", "large", "last"], threading.Event()
    jobs = [Job(pathlib.Path(name), (), None, "png") for name in names]
    made = list(batch._made(batch._ahead(prepare, jobs), finish, cores))
    assert [job.source.name for job, _ in made] == names
    assert [one.exception() is None for _, one in made] == [True, True, False, True, True]
    assert seen["large"] == {"large"}
    assert ("second" in seen["third"]) == (cores == 2)
