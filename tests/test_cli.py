import importlib
import subprocess
import sys

import pytest

import hybridvit
from hybridvit import cli
from hybridvit.version import VERSION


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, list[str]]]:
    """Modules and functions that were called, with what they found in sys.argv."""
    calls = []
    for command in cli.COMMANDS.values():
        name = f"{command.module}.{command.function}"
        call = lambda name=name: calls.append((name, sys.argv))  # noqa: E731
        monkeypatch.setattr(importlib.import_module(command.module), command.function, call)
    return calls


@pytest.mark.parametrize(
    ("command", "called", "argv"),
    [
        (
            "colorize a --output b",
            "hybridvit.colorize.command.run",
            ["hybridvit colorize", "a", "--output", "b"],
        ),
        (
            "studio scans --port 0",
            "hybridvit.studio.command.run",
            ["hybridvit studio", "scans", "--port", "0"],
        ),
        ("train --config=c.py", "hybridvit.main.run", ["hybridvit train", "--config=c.py"]),
        ("eval --checkpoint=r", "hybridvit.main.run", ["hybridvit eval", "--mode=eval", "--checkpoint=r"]),
        ("compare --config=c.py", "hybridvit.compare.run", ["hybridvit compare", "--config=c.py"]),
        ("bulk a --output b", "hybridvit.bulk.command.run", ["hybridvit bulk", "a", "--output", "b"]),
        (
            "export --output a.onnx",
            "hybridvit.export.command.main",
            ["hybridvit export", "--output", "a.onnx"],
        ),
        ("inspect a.tif --json", "hybridvit.inspect.run", ["hybridvit inspect", "a.tif", "--json"]),
        ("pack photos records", "hybridvit.data.pack.main", ["hybridvit pack", "photos", "records"]),
    ],
)
def test_the_first_word_chooses(calls, monkeypatch, command, called, argv):
    monkeypatch.setattr(sys, "argv", ["hybridvit", *command.split()])
    cli.run()
    assert calls == [(called, argv)]


def ended(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["hybridvit", *words])
    with pytest.raises(SystemExit) as exit_:
        cli.run()
    return exit_.value.code, *capsys.readouterr()


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"]])
def test_otherwise_the_commands_are_listed(calls, monkeypatch, capsys, words):
    code, out, err = ended(monkeypatch, capsys, *words)
    assert (code, bool(out), bool(err)) == ((0, True, False) if words else (2, False, True))
    assert all(f"hybridvit {name}" in out + err for name in cli.COMMANDS)
    assert not calls


@pytest.mark.parametrize(
    ("word", "said"), [("paint", "no command paint (see"), ("colorise", "did you mean colorize? (see")]
)
def test_an_unknown_command_is_a_line(calls, monkeypatch, capsys, word, said):
    code, out, err = ended(monkeypatch, capsys, word)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not calls


def test_the_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["hybridvit", "--version"])
    cli.run()
    assert capsys.readouterr().out == f"hybridvit {VERSION}\n"
    assert hybridvit.__version__ == VERSION


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["colorize", "--help"],
        ["colorize", "nothing", "--output=o"],
        ["bulk", "--help"],
        ["export", "--help"],
        ["export", "--output=a.pt"],
        ["studio", "--help"],
        ["verify", "--help"],
        ["verify", "nothing"],
        ["studio", "nothing"],
    ],
)
def test_what_needs_no_model_loads_none(words):
    assert not loaded_by(words) & {"jax", "numpy", "pyvips"}


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--help"],
        ["eval", "--help"],
        ["compare", "--help"],
        ["train", "--config=ssl_vit", "--help"],
        ["train", "--config=nothing"],
    ],
)
def test_what_trains_nothing_loads_no_jax(words):
    assert "jax" not in loaded_by(words)


def loaded_by(words: list[str]) -> set[str]:
    """Top names of the modules that a process has when the command is at its end."""
    script = (
        "import sys; from hybridvit import cli\n"
        f"sys.argv = ['hybridvit', *{words}]\n"
        "try: cli.run()\n"
        "except SystemExit: pass\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())
