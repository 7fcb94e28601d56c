import importlib
import subprocess
import sys

import pytest

from hybridvit import cli


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, list[str]]]:
    """Modules and functions that were called, with what they found in sys.argv."""
    calls = []
    for module, function, *_ in cli.COMMANDS.values():
        call = lambda name=f"{module}.{function}": calls.append((name, sys.argv))  # noqa: E731
        monkeypatch.setattr(importlib.import_module(module), function, call)
    return calls


@pytest.mark.parametrize(
    ("command", "called", "argv"),
    [
        ("colorize a --output b", "hybridvit.colorize.run", ["hybridvit colorize", "a", "--output", "b"]),
        (
            "studio scans --port 0",
            "hybridvit.studio.command.run",
            ["hybridvit studio", "scans", "--port", "0"],
        ),
        ("train --config=c.py", "hybridvit.main.run", ["hybridvit train", "--config=c.py"]),
        ("eval --checkpoint=r", "hybridvit.main.run", ["hybridvit eval", "--mode=eval", "--checkpoint=r"]),
        ("compare --config=c.py", "hybridvit.compare.run", ["hybridvit compare", "--config=c.py"]),
        ("bulk a --output b", "hybridvit.bulk.command.run", ["hybridvit bulk", "a", "--output", "b"]),
        ("export --output a.onnx", "hybridvit.export.main", ["hybridvit export", "--output", "a.onnx"]),
        ("pack photos records", "hybridvit.data.pack.main", ["hybridvit pack", "photos", "records"]),
    ],
)
def test_the_first_word_chooses(calls, monkeypatch, command, called, argv):
    monkeypatch.setattr(sys, "argv", ["hybridvit", *command.split()])
    cli.run()
    assert calls == [(called, argv)]


@pytest.mark.parametrize(("words", "code"), [([], 2), (["paint"], 2), (["--help"], 0)])
def test_otherwise_the_commands_are_listed(calls, monkeypatch, capsys, words, code):
    monkeypatch.setattr(sys, "argv", ["hybridvit", *words])
    with pytest.raises(SystemExit) as exit_:
        cli.run()
    assert exit_.value.code == code
    assert not calls
    said = capsys.readouterr().err
    assert all(f"hybridvit {name}" in said for name in cli.COMMANDS)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["colorize", "--help"],
        ["colorize", "nothing", "--output=o"],
        ["bulk", "--help"],
        ["export", "--help"],
        ["export", "--output=a.pt"],
        ["studio", "--help"],
        ["studio", "nothing"],
    ],
)
def test_what_needs_no_model_loads_none(words):
    script = (
        "import sys; from hybridvit import cli\n"
        f"sys.argv = ['hybridvit', *{words}]\n"
        "try: cli.run()\n"
        "except SystemExit: pass\n"
        "print(sorted({'jax', 'numpy', 'pyvips'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
