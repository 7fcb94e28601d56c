"""Says what coloured files are: made by what, of which original, what of their colours is evidence, signed by whom.

    hybridvit verify coloured/portrait.jpg --original scans/portrait.tif
    hybridvit verify coloured/ --original scans/ --trust authority.pem --json

Exit codes: 0 all is known and as it should be, signed or not; 1 something does not hold (changed after signing, another
original, not signed by those who are trusted), each is named; 2 a mistake in the command; 3 of a file nothing is known.
"""

import json
import os
import pathlib
from collections.abc import Sequence
from typing import NoReturn

from hybridvit.colorize.inputs import Source, find_sources
from hybridvit.colorize.summary import explain
from hybridvit.command_line import Parser, fail, path, run_command
from hybridvit.extras import needing

FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = Parser(prog="hybridvit verify", description=__doc__)
    add = parser.add_argument
    add("inputs", nargs="+", metavar="FILE", help="a picture, a folder (to its depths), or a glob")
    add("--original", type=path, metavar="PATH", help="the original, or its folder: compared by its digest")
    add("--trust", type=path, metavar="PEM", help="certificates; a signature has to lead to one of them")
    add("--json", action="store_true", help="as a JSON list, a file an entry")
    options = parser.parse_args(argv)
    try:
        sources = find_sources(options.inputs, os.devnull).sources
        if options.original is not None and not options.original.exists():
            raise FileNotFoundError(f"--original {options.original}: no such file or folder")
        anchors = _anchors(options.trust)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(explain(error))
    from hybridvit.provenance.account import account_of, told

    accounts = []
    for source in sources:
        try:
            original = _original(options.original, source)
            account = account_of(source.path, original, anchors, _of_film(source.path))
        except (ValueError, OSError, ModuleNotFoundError) as error:
            fail(f"{source.path}: {explain(error, source.path)}")
        accounts.append(account)
        if not options.json:
            print("\n".join(told(account)))
    if options.json:
        print(json.dumps(accounts, indent=1))
    if any(account["trouble"] for account in accounts):
        return 1
    return 0 if all(account["known"] for account in accounts) else 3


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)


def _original(given: pathlib.Path | None, source: Source) -> pathlib.Path | None:
    """The original, or the folder that holds it: results lie in folders as their originals did."""
    if given is None or not given.is_dir():
        return given
    folder = given / source.relative.parent
    return folder if folder.is_dir() else given


def _of_film(path: pathlib.Path) -> dict[str, str] | None:
    """What a film's container says; None of what is no film by its name."""
    if path.suffix.lower() not in FILMS:
        return None
    with needing("film", "films need"):
        from hybridvit.film.statement import statement_of
    return statement_of(path) or {}


def _anchors(path: pathlib.Path | None) -> str | None:
    if path is None:
        return None
    with needing("c2pa", "--trust needs"):
        from hybridvit.provenance.keys import read_anchors
    return read_anchors(path)


if __name__ == "__main__":
    run()
