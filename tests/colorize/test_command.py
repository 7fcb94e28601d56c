"""The command: flags, messages, exit codes, signals. The model is a stub but for one test."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from hybridvit.colorize import command as colorize
from hybridvit.colorize import naming
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import PaletteColor, Point
from hybridvit.hints.sidecar import Sidecar, pixels_digest, save_hints
from tests.commands import SIZE, call, results, write_scans

DEVICE = "hybridvit: computing on "
STAND_IN = "hybridvit.inference.colorizer"  # the module that needs JAX


@pytest.fixture
def scans(tmp_path, monkeypatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    return write_scans()


@pytest.fixture
def run(scans, stub_colorizer, monkeypatch, capsys):
    """`run("scans --output out") -> (exit code, lines of stdout, lines of stderr)`, with the stub as the model.

    Without the line that names the device, see `test_the_device_is_named`.
    """
    monkeypatch.setitem(sys.modules, STAND_IN, SimpleNamespace(load=lambda path: stub_colorizer))

    def run(line):
        code, out, err = call(colorize.main, line, capsys)
        return code, out, [said for said in err if not said.startswith(DEVICE)]

    return run


def test_the_device_is_named(run, capsys):
    call(colorize.main, "scans --output out", capsys)
    code, _, err = call(colorize.main, "scans --output out", capsys)
    assert code == 0
    assert len(err) == 1
    assert re.fullmatch(rf"{DEVICE}(\d+ x )?cpu \(\d+ cores\)", err[0])


def test_a_folder_then_again_then_with_one_more(run, stub_colorizer):
    assert run("scans --output out") == (0, ["out: 2 coloured"], [])
    assert results() == ["a.jpg", "box/b.png"]
    defaults = {"hints": (), "size": 256, "strength": 1.0, "decode": "vivid", "seed": 0, "borders": "auto"}
    defaults |= {"palette": (), "protected": ()}
    assert stub_colorizer.calls == [defaults] * 2
    assert run("scans --output out") == (0, ["out: 0 coloured, 2 done already"], [])
    Image.linear_gradient("L").resize(SIZE).save("scans/new.png")
    assert run("scans --output out") == (0, ["out: 1 coloured, 2 done already"], [])
    assert run("scans --output out --overwrite") == (0, ["out: 3 coloured"], [])


def test_a_bad_file_is_named_and_the_exit_code_is_1(run):
    pathlib.Path("scans/b.png").write_text("no picture")
    pathlib.Path("scans/notes.pdf").touch()
    code, out, err = run("scans --output out")
    assert code == 1
    assert out == [
        "out: 2 coloured, 1 failed",
        "left alone: files that are no pictures by their names: 1 .pdf",
    ]
    assert len(err) == 1
    assert err[0].startswith("failed: scans/b.png: no picture")
    assert run("scans --output out")[:2] == (1, ["out: 0 coloured, 2 done already, 1 failed", out[1]])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "the following arguments are required: INPUT, --output"),
        ("scans", "the following arguments are required: --output"),
        ("scans nowhere --output out", "nowhere: no such file or folder"),
        ("scans/*.gif --output out", "scans/*.gif: nothing matches this pattern"),
        ("scans --output scans/a.jpg", "--output scans/a.jpg: a file of that name is there; name a folder"),
        (
            "scans --output scans/a.jpg/x",
            "--output scans/a.jpg/x: nothing can be written there (Not a directory)",
        ),
        ("scans --output out --samples 0", "argument --samples: '0' is not a whole number from 1 to 99"),
        ("scans --output out --strength x", "argument --strength: 'x' is not a number from 0 to 10"),
        ("scans --output out --strength nan", "argument --strength: 'nan' is not a number from 0 to 10"),
        ("scans --output out --size 8", "argument --size: '8' is not a whole number from 16 to 4096"),
        ("scans --output out --seed -1", "argument --seed: '-1' is not a whole number from 0 to"),
        ("scans --output out --format gif", "argument --format: invalid choice: 'gif'"),
        (
            "scans --output out --decode mean --samples 2",
            "--samples draws its colours, --decode mean does not",
        ),
        ("scans --output out --hints h.json", "--hints h.json is for one picture, and these are 2"),
        ("scans/a.jpg --output out --hints h.json", "--hints h.json: no such file"),
        (
            "scans --output out --hints h.json --no-hints",
            "argument --no-hints: not allowed with argument --hints",
        ),
        ("scans --ouput out", "unrecognized arguments: --ouput; did you mean --output?"),
        ("scans --output out --palette #102030,blue", "--palette: color: 'blue' is not"),
        (
            "scans --output out --reference scans/box/b.png",
            "--reference scans/box/b.png: a gray picture has no",
        ),
        ("scans --output out --reference nowhere.jpg", "nowhere.jpg: No such file or directory"),
    ],
)
def test_a_mistake_in_the_command_is_one_line_and_exit_code_2(run, line, said):
    code, out, err = run(line)
    assert code == 2
    assert out == []
    assert len(err) == 1
    assert err[0].startswith("hybridvit: ")
    assert said in err[0]
    assert not pathlib.Path("out").exists()


def test_no_weights(scans, capsys):
    with pytest.raises(SystemExit) as exit_:
        colorize.main(["scans", "--output", "out", "--weights", "nowhere.safetensors"])
    assert exit_.value.code == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("hybridvit: no weights at nowhere.safetensors: ")
    assert not pathlib.Path("out").exists()


def test_no_permission_to_write(run, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # root may write everywhere
    line = "hybridvit: --output out: nothing can be written there (Permission denied)"
    assert run("scans --output out") == (2, [], [line])


def test_a_full_disk(run, monkeypatch):
    def refuse(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    assert run("scans --output out") == (
        1,
        ["out: 0 coloured, 1 failed, 1 not reached"],
        [
            "failed: scans/a.jpg: out/a.jpg: No space left on device",
            "stopped: out: No space left on device; make room, and give the same command",
        ],
    )
    assert results() == []


def test_globs_formats_and_settings(run, stub_colorizer):
    line = "scans/**/*.png --output out --format jpeg --size 64 --strength 0.5 --decode mean --seed 3"
    assert run(line)[0] == 0
    assert results() == ["box/b.jpg"]
    told = {"hints": (), "size": 64, "strength": 0.5, "decode": "mean", "seed": 3, "borders": "auto"}
    told |= {"palette": (), "protected": ()}
    assert stub_colorizer.calls == [told]
    with Image.open("out/box/b.jpg") as image:
        assert (image.format, image.size) == ("JPEG", SIZE)


def test_samples_and_uncertainty(run, stub_colorizer):
    assert run("scans/a.jpg --output out --samples 2 --seed 5 --uncertainty")[0] == 0
    assert results() == ["a-1.jpg", "a-2.jpg", "a-uncertainty.png"]
    assert [(call["decode"], call["seed"]) for call in stub_colorizer.calls] == [("sample", 5), ("sample", 6)]


def test_beside_the_originals(run):
    before = pathlib.Path("scans/a.jpg").read_bytes()
    assert run("scans --output scans --uncertainty") == (0, ["scans: 2 coloured"], [])
    names = ["a-colorized-uncertainty.png", "a-colorized.jpg", "a.jpg"]
    assert results("scans") == [
        *names,
        *(f"box/{name}" for name in ("b-colorized-uncertainty.png", "b-colorized.png", "b.png")),
    ]
    assert pathlib.Path("scans/a.jpg").read_bytes() == before
    again = ["scans: 0 coloured, 2 done already", "left alone: 4 results of hybridvit among the inputs"]
    assert run("scans --output scans --uncertainty") == (0, again, [])


def test_an_output_folder_inside_the_input_is_no_input(run):
    assert run("scans --output scans/colour")[0] == 0
    assert run("scans --output scans/colour") == (0, ["scans/colour: 0 coloured, 2 done already"], [])


def test_hints_beside_the_picture_given_and_left(run, stub_colorizer):
    for path, x in (("scans/a.hints.json", 3), ("other.json", 5)):
        save_hints(path, Sidecar(*SIZE, recipe=Recipe((Point(x, 4, "#2e6b3a"),))))
    for flags in ("", "--hints other.json", "--no-hints"):
        assert run(f"scans/a.jpg --output out {flags}") == (0, ["out: 1 coloured"], [])
    given = [[hint.x for hint in call["hints"]] for call in stub_colorizer.calls]
    assert given == [[3], [5], []]


def test_a_palette_and_a_reference(run, stub_colorizer):
    assert run("scans/a.jpg --output out --palette #102030,#405060")[0] == 0
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:5], pixels[5:] = (200, 10, 10), (10, 10, 200)
    Image.fromarray(pixels).save("colours.png")
    assert run("scans/a.jpg --output out --reference colours.png")[0] == 0
    named, taken = (call["palette"] for call in stub_colorizer.calls)
    assert named == (PaletteColor("#102030"), PaletteColor("#405060"))
    assert {(color.color, color.weight) for color in taken} == {("#c80a0a", 0.25), ("#0a0ac8", 0.75)}


def test_remarks_and_unreadable_folders_are_told(run, monkeypatch):
    frames = [
        Image.linear_gradient("L").resize(SIZE).point(lambda tone, off=off: tone // off) for off in (1, 2)
    ]
    for name in ("c.gif", "d.gif"):
        frames[0].save(f"scans/{name}", save_all=True, append_images=frames[1:])
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("box"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert run("scans --output out") == (
        1,
        ["out: 3 coloured, 1 failed"],
        [
            "note: scans/c.gif, scans/d.gif: an animation: the first of its 2 frames is coloured",
            "failed: scans/box: the folder cannot be read (Permission denied)",
        ],
    )


def write_namesakes(folder: str) -> None:
    """scan.tif and scan.jpg, and a sidecar of the first."""
    picture = Image.linear_gradient("L").resize(SIZE)
    picture.save(f"{folder}/scan.tif")
    picture.transpose(Image.Transpose.ROTATE_180).save(f"{folder}/scan.jpg")
    recipe = Recipe((Point(3, 4, "#2e6b3a"),))
    save_hints(
        f"{folder}/scan.hints.json", Sidecar(*SIZE, pixels_digest(np.asarray(picture)[..., None]), recipe)
    )


def test_namesakes_have_a_sidecar_each(run, stub_colorizer):
    write_namesakes("scans/box")
    assert run("scans/box --output out") == (0, ["out: 3 coloured"], [])
    assert [len(call["hints"]) for call in stub_colorizer.calls] == [0, 0, 1]  # b.png, scan.jpg, scan.tif
    save_hints("scans/box/scan.jpg.hints.json", Sidecar(*SIZE, None, Recipe((Point(1, 1, "#804020"),))))
    assert run("scans/box --output out") == (0, ["out: 1 coloured, 2 done already"], [])
    assert stub_colorizer.calls[3]["hints"] == (Point(1, 1, "#804020"),)
    assert run("scans/box --output out --no-hints") == (0, ["out: 2 coloured, 1 done already"], [])


def test_names_that_differ_in_case_alone(run, monkeypatch):
    for name in ("photo.jpg", "Photo.jpg"):
        Image.linear_gradient("L").resize(SIZE).save(f"scans/{name}")
    if len(results("scans")) < 4:
        pytest.skip("this disk keeps one of two files whose names differ in case alone")
    assert run("scans --output out") == (0, ["out: 4 coloured"], [])
    assert results() == ["Photo.jpg", "a.jpg", "box/b.png", "photo.jpg"]
    monkeypatch.setattr(naming, "keeps_case", lambda folder: False)
    assert run("scans --output other") == (
        1,
        ["other: 2 coloured, 2 failed"],
        [
            "failed: scans/Photo.jpg, scans/photo.jpg: other/scans/Photo.jpg would be the result of each, and an input "
            "is never replaced: colour them into different folders"
        ],
    )
    assert results("other") == ["a.jpg", "box/b.png"]


def test_help_has_every_option_with_examples_that_parse(run):
    code, out, _ = run("--help")
    assert code == 0
    text = "\n".join(out)
    examples = re.findall(r"^  hybridvit colorize (.*?)(?:   .*)?$", text, re.MULTILINE)
    assert len(examples) >= 7
    for example in examples:
        colorize._parse(example.replace("'", "").split())
    options = {
        *(
            "--output",
            "--format",
            "--overwrite",
            "--strength",
            "--decode",
            "--samples",
            "--seed",
            "--size",
            "--borders",
        ),
        *("--hints", "--no-hints", "--palette", "--reference", "--uncertainty", "--weights", "--help"),
        "--method",
        *("--sign", "--certificate", "--premis", "--images", "--iiif", "--originals"),
    }
    assert set(re.findall(r"--[a-z-]+", text)) == options


PROCESS = """
import os, signal, sys, time, types
import numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the tests run in the background

class Stub:
    digest = "5" * 64
    def colorize(self, photo, hints=(), **settings):
        rgb = np.repeat(photo.pixels[..., :1], 3, -1)
        doubt = np.zeros((4, 4), np.float32)
        return types.SimpleNamespace(rgb=rgb, uncertainty=doubt, photo=photo, provenance={}, remarks=(), further=())

replace = os.replace
def replaced(source, target):
    if str(target).endswith("b.png"):
        print("between", flush=True)
        time.sleep(600)
    replace(source, target)

os.replace = replaced
sys.modules["hybridvit.inference.colorizer"] = types.SimpleNamespace(load=lambda path: Stub())
from hybridvit.colorize import command as colorize
sys.argv = ["hybridvit colorize", "scans", "--output", "out"]
colorize.run()
"""
ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_told_to_stop_between_writing_and_renaming(run, number, code):
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "between\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == code
    assert "Traceback" not in err
    if number == signal.SIGKILL:
        assert {name for name in results() if not name.endswith(".part")} == {"a.jpg"}
    else:
        assert results() == ["a.jpg"]
        assert out == "out: 1 coloured, 1 not reached\n"
    if number == signal.SIGINT:
        device, last = err.splitlines()
        assert device.startswith(DEVICE)
        assert last == "hybridvit: interrupted; the same command goes on from here"
    assert run("scans --output out")[:2] == (0, ["out: 1 coloured, 1 done already"])
    assert "box/b.png" in results()


def test_with_a_model(scans, tiny_run, capsys):
    assert colorize.main(f"scans --output out --size 32 --uncertainty --weights {tiny_run}".split()) == 0
    assert capsys.readouterr().out == "out: 2 coloured\n"
    assert results() == ["a-uncertainty.png", "a.jpg", "box/b-uncertainty.png", "box/b.png"]
    gray, result = (rgb2lab(Image.open(f"{folder}/box/b.png").convert("RGB")) for folder in ("scans", "out"))
    assert np.abs(result[..., 0] - gray[..., 0]).max() <= 0.5
    assert np.abs(result[..., 1:]).max() > 5
    assert colorize.main(f"scans --output out --size 32 --uncertainty --weights {tiny_run}".split()) == 0
    assert capsys.readouterr().out == "out: 0 coloured, 2 done already\n"
