"""What all commands have in common."""

import pathlib

import pytest

from hybridvit.command_line import Parser, check_writable, did_you_mean, path, terminate


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="hybridvit test")
    parser.add_argument("inputs", nargs="*")
    parser.add_argument("--output", required=True)
    parser.add_argument("--over-write", action="store_true")
    return parser


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outptu", "x"], "unrecognized arguments: --outptu; did you mean --output?"),
        (["--outptu=x"], "unrecognized arguments: --outptu; did you mean --output?"),
        (["--xyzzy"], "unrecognized arguments: --xyzzy (see"),
        ([], "the following arguments are required: --output"),
        (["--o", "x"], "ambiguous option: --o could match --output, --over-write"),
    ],
)
def test_a_mistake_is_a_line(parser, capsys, words, said):
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args(words)
    out, err = capsys.readouterr()
    assert (exit_.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("hybridvit: ")
    assert err.endswith("(see hybridvit test --help)\n")
    assert said in err


def test_flags_may_be_short_and_words_may_look_like_them(parser):
    options = parser.parse_args(["--out", "x", "--", "--name"])
    assert (options.output, options.inputs) == ("x", ["--name"])


def test_help_goes_before_mistakes(parser, capsys):
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args(["--xyzzy", "--help"])
    assert exit_.value.code == 0
    assert "--output" in capsys.readouterr().out


def test_the_nearest_word_or_none():
    assert did_you_mean("colorise", ["studio", "colorize"]) == "; did you mean colorize?"
    assert did_you_mean("paint", ["studio", "colorize"]) == ""


def test_a_path_from_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert path("~/a") == pathlib.Path("/home/me/a")
    assert path("a/~") == pathlib.Path("a/~")


def test_what_can_be_written_is_left_as_it_was(tmp_path):
    check_writable("output", tmp_path / "deep" / "er")
    check_writable("output", None)
    assert not list(tmp_path.iterdir())
    (tmp_path / "there").mkdir()
    check_writable("output", tmp_path / "there")
    assert list(tmp_path.iterdir()) == [tmp_path / "there"]


def test_what_cannot_be_written_is_a_line_with_the_flag(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match=r"--data .*file: a file of that name is there"):
        check_writable("data", tmp_path / "file")
    with pytest.raises(OSError, match=r"--data .*: nothing can be written there"):
        check_writable("data", tmp_path / "file" / "below")


def test_a_signal_ends_as_an_exception():
    with pytest.raises(SystemExit) as exit_:
        terminate(15, None)
    assert exit_.value.code == 143
