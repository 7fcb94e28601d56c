"""The photographs and films that a job's inputs mean, on any filesystem that Beam knows."""

import os
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from apache_beam.io.filesystems import FileSystems

from hybridvit.bulk.files import is_remote
from hybridvit.colorize.inputs import HINTS_SUFFIX, SUFFIXES
from hybridvit.film.names import is_film


class Found(NamedTuple):
    """A file, and the folder that its place is counted from: where results keep the folders below it."""

    path: str
    root: str

    @property
    def relative(self) -> str:
        """The path below the root."""
        return self.path[len(self.root) :].lstrip("/")


def absolute(path: str) -> str:
    """The path as every worker means it, without a slash at its end."""
    return path.rstrip("/") if is_remote(path) else os.path.abspath(os.path.expanduser(path))


def pattern_of(argument: str) -> tuple[str, str, bool]:
    """Of an input: a pattern for Beam, the folder that places are counted from, and whether all of that is meant.

    A folder is one that ends in a slash, or that is there; else the input is a file or a glob.
    """
    path = absolute(argument)
    magic = re.search(r"[*?\[]", path)
    if magic is None and (argument.endswith("/") or (not is_remote(path) and os.path.isdir(path))):
        return f"{path}/**", path, True
    return path, posixpath.dirname(path[: magic.start()] if magic else path), False


def is_there(argument: str) -> bool:
    """Whether the input means any file. Raises OSError if that cannot be known."""
    pattern, *_ = pattern_of(argument)
    return any(result.metadata_list for result in FileSystems.match([pattern], limits=[1]))


def find(argument: str, output: str) -> Iterator[Found]:
    """The photographs and films, without hidden files, hint sidecars, the `output` folder inside, and other suffixes.

    Raises OSError if a folder cannot be listed.
    """
    pattern, root, is_folder = pattern_of(argument)
    inside = f"{output}/" if output != root else None
    for result in FileSystems.match([pattern]):
        for file in result.metadata_list:
            found = Found(file.path, root)
            hidden = any(part.startswith(".") for part in found.relative.split("/"))
            known = os.path.splitext(file.path)[1].lower() in SUFFIXES or is_film(file.path)
            below = inside is not None and file.path.startswith(inside)
            if not (hidden or (is_folder and not known) or below or file.path.endswith(HINTS_SUFFIX)):
                yield found
