import sys

import pytest

from hybridvit import cli


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, list[str]]]:
    """Names of the commands that were called, with what they found in sys.argv."""
    calls = []
    for name, (_, flags, what) in cli.COMMANDS.items():
        call = lambda name=name: calls.append((name, sys.argv))  # noqa: E731
        monkeypatch.setitem(cli.COMMANDS, name, (call, flags, what))
    return calls


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("train --config=c.py", ["hybridvit train", "--config=c.py"]),
        ("eval --checkpoint=runs/x", ["hybridvit eval", "--mode=eval", "--checkpoint=runs/x"]),
        ("pack photos records", ["hybridvit pack", "photos", "records"]),
    ],
)
def test_the_first_word_chooses(calls, monkeypatch, command, argv):
    monkeypatch.setattr(sys, "argv", ["hybridvit", *command.split()])
    cli.run()
    assert calls == [(command.split()[0], argv)]


@pytest.mark.parametrize(("words", "code"), [([], 2), (["paint"], 2), (["--help"], 0)])
def test_otherwise_the_commands_are_listed(calls, monkeypatch, capsys, words, code):
    monkeypatch.setattr(sys, "argv", ["hybridvit", *words])
    with pytest.raises(SystemExit) as exit_:
        cli.run()
    assert exit_.value.code == code
    assert not calls
    said = capsys.readouterr().err
    assert all(f"hybridvit {name}" in said for name in cli.COMMANDS)
