"""What all commands have in common: mistakes in one line, flags that are nearly right, paths, and how they end.

Of the standard library alone: a command that fails shall do so at once.
"""

import argparse
import difflib
import io
import os
import pathlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

UNREAD = 141  # exit code when nobody reads stdout any more: 128 + SIGPIPE, as shells say of cat or grep


def fail(message: str) -> NoReturn:
    """Prints one line and exits with code 2."""
    print("hybridvit:", " ".join(message.split()), file=sys.stderr)
    sys.exit(2)


def path(text: str) -> pathlib.Path:
    """An option's type: a path, in which ~ is the user's home."""
    return pathlib.Path(os.path.expanduser(text))


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`"; did you mean --output?"`, or nothing where none of `words` is like `word`."""
    nearest = difflib.get_close_matches(word, words, n=1, cutoff=0.7)
    return f"; did you mean {nearest[0]}?" if nearest else ""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line instead of the usage's ten."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Ends with the line and where more is said."""
        fail(f"{message} (see {self.prog} --help)")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> argparse.Namespace:
        """As argparse's; a misspelt flag is told before what is missing for want of it."""
        words = sys.argv[1:] if args is None else list(args)
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        if not {"-h", "--help"} & set(words):
            for word in words[: words.index("--") if "--" in words else None]:
                flag = word.split("=")[0]
                if word.startswith("--") and " " not in word and not any(k.startswith(flag) for k in known):
                    self.error(f"unrecognized arguments: {flag}{did_you_mean(flag, known)}")
        return super().parse_args(words, namespace)


def check_writable(flag: str, folder: pathlib.Path | None) -> None:
    """Raises OSError, one line that names the flag, if nothing can be written to `folder`, there already or not.

    A folder that is not there yet is made for it and removed again: a start that fails leaves none.
    """
    if folder is None:
        return
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise FileExistsError(f"--{flag} {folder}: a file of that name is there; name a folder") from None
    except OSError as error:
        raise OSError(f"--{flag} {folder}: nothing can be written there ({error.strerror})") from error
    finally:
        for one in missing:  # the innermost first
            if one.is_dir():
                one.rmdir()


def terminate(number: int, frame: object) -> NoReturn:
    """Ends on a signal as by an exception, which removes the file being written."""
    raise SystemExit(128 + number)


class _Stdout(io.FileIO):
    """The process's stdout, which ends the process silently once nobody reads it (`hybridvit inspect ... | head`).

    Not by SIGPIPE, nor by any BrokenPipeError: a worker's pipe, or a connection, that breaks is a fault and is told.
    """

    def write(self, data: Any) -> int | None:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)  # for what is still to be flushed
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if sys.is_finalizing():  # no exception can end it any more
                return len(data)
            raise SystemExit(UNREAD) from None


def watch_stdout() -> None:
    """From here on the process ends with UNREAD when it prints what nobody reads; stdout takes all names of files."""
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):
        return
    out.reconfigure(errors="backslashreplace")  # names may be in any encoding, and older than UTF-8
    if out is not sys.__stdout__:  # something else's, or watched already
        return
    raw = _Stdout(out.fileno(), "wb", closefd=False)
    sys.stdout = io.TextIOWrapper(
        raw if out.write_through else io.BufferedWriter(raw),
        encoding=out.encoding,
        errors=out.errors,
        line_buffering=out.line_buffering,
        write_through=out.write_through,
    )


def run_command(main: Callable[[], int | None]) -> NoReturn:
    """A command as a process: SIGTERM ends it as an exception does, and so does a reader of stdout that is gone."""
    signal.signal(signal.SIGTERM, terminate)
    watch_stdout()
    try:
        code = main()
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()  # here it still can end with UNREAD
    sys.exit(code)


def run_server(main: Callable[[], int]) -> NoReturn:
    """A command that serves until it is told to end, as a process; then at once."""
    signal.signal(signal.SIGTERM, terminate)
    try:
        code = main()
    except SystemExit as exit_:
        if not isinstance(exit_.code, int) or exit_.code < 128:  # nothing has begun
            raise
        code = exit_.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not waiting for threads that still compute what nobody will see
