"""What all commands have in common."""

import os
import pathlib
import subprocess
import sys

import pytest

from hybridvit.command_line import UNREAD, Parser, check_writable, did_you_mean, path, terminate


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


def ended_unread(body: str, *flags: str) -> tuple[int, str]:
    """Exit code and stderr of a command whose `main` is that, when nobody reads its stdout."""
    main = "\n ".join(["def main():", *body.splitlines()])
    code = f"import os, sys\nfrom hybridvit.command_line import run_command\n{main}\nrun_command(main)"
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as unread:
        words = [sys.executable, *flags, "-c", code]
        done = subprocess.run(words, stdout=unread, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


MUCH = "try:\n  for i in range(10**5): print(i)\nexcept OSError:\n  return 2\nreturn 0"


@pytest.mark.parametrize("flags", [[], ["-u"]])
@pytest.mark.parametrize("body", [MUCH, "print('a')\nreturn 0", "print('a')\nsys.exit(2)"])
def test_when_nobody_reads_stdout_it_ends_silently(body, flags):
    assert ended_unread(body, *flags) == (UNREAD, "")


def test_another_pipe_that_breaks_is_told():
    code, err = ended_unread("reading, writing = os.pipe()\nos.close(reading)\nos.write(writing, b'a')")
    assert code == 1
    assert err.splitlines()[-1] == "BrokenPipeError: [Errno 32] Broken pipe"


def test_what_is_read_is_whole():
    code = "from hybridvit.command_line import run_command\nrun_command(lambda: print('ä\\udcff' * 9999))"
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "ä\\udcff" * 9999 + os.linesep
