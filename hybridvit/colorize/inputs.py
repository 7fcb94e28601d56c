"""The pictures that a command line means: files, folders to their depths, globs.

In: arguments as typed. Out: `Source`s, each picture once, in the order of the arguments, sorted inside a folder.
"""

import dataclasses
import glob
import os
import pathlib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from hybridvit.provenance.iiif_read import Canvas, Files, Manifest, read_manifest

SUFFIXES = (  # of the files that are taken from a folder; a file that is named is tried whatever its name
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".bmp"),
    *(".gif", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm"),
)
HINTS_SUFFIX = ".hints.json"


@dataclasses.dataclass(frozen=True)
class Source:
    """A picture's file."""

    path: pathlib.Path  # as typed
    relative: pathlib.Path  # below the folder, or the fixed part of the glob, that it came from


@dataclasses.dataclass
class Found:
    """What the arguments mean."""

    sources: list[Source] = dataclasses.field(default_factory=list)
    passed_over: Counter[str] = dataclasses.field(default_factory=Counter)  # suffix -> files in folders
    unreadable: dict[str, str] = dataclasses.field(
        default_factory=dict
    )  # folder, or a manifest's picture -> reason
    manifests: list[Manifest] = dataclasses.field(default_factory=list)
    canvases: dict[pathlib.Path, Canvas] = dataclasses.field(
        default_factory=dict
    )  # of sources from manifests


def find_sources(
    arguments: Sequence[str],
    output: str | os.PathLike,
    images: pathlib.Path | None = None,
    suffixes: Collection[str] = SUFFIXES,
) -> Found:
    """The pictures, and what in folders is none.

    A file that is named and ends in .json is a IIIF manifest; its pictures lie in the folder `images`, or in its own.

    An argument that exists is a name, also with `*`, `?` or `[`; else it is a glob (`**`: folders to any depth).
    The folder `output` inside an input folder, hidden files and hint sidecars are passed over; linked folders are
    not entered. `suffixes` are those of the files that are taken from folders.

    Raises FileNotFoundError for an argument that names nothing, ValueError if there is no picture in all of them.
    """
    found, seen, avoid = Found(), set(), os.path.realpath(output)
    for argument in arguments:
        for path, root in _expand(os.path.expanduser(argument), avoid, found, images, suffixes):
            identity = os.path.realpath(path)
            if identity not in seen and not path.name.endswith(HINTS_SUFFIX):
                seen.add(identity)
                found.sources.append(Source(path, path.relative_to(root)))
    if not found.sources:
        others = f": other files are there ({describe(found.passed_over)})" if found.passed_over else ""
        reasons = "".join(f"; {folder}: {reason}" for folder, reason in found.unreadable.items())
        raise ValueError(f"no picture in {' '.join(arguments)}{others}{reasons}")
    return found


def folded(name: str) -> str:
    """The same for names that some disks take for one: A and a, and accents composed or not."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def describe(passed_over: Counter[str]) -> str:
    """ "3 .pdf, 1 without suffix", most first."""
    ordered = sorted(passed_over.items(), key=lambda pair: (-pair[1], pair[0] or "~"))
    return ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in ordered)


def _expand(
    argument: str, avoid: str, found: Found, images: pathlib.Path | None, suffixes: Collection[str]
) -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    """(file, the folder that its place is counted from)."""
    path = pathlib.Path(argument)
    if path.is_dir():
        for file in _walk(path, avoid, found, suffixes):
            yield file, path
    elif path.suffix.lower() == ".json" and path.is_file() and not path.name.endswith(HINTS_SUFFIX):
        yield from _of_manifest(path, images or path.parent, found)
    elif os.path.lexists(path):
        yield path, path.parent
    elif not glob.has_magic(argument):
        raise FileNotFoundError(f"{argument}: no such file or folder")
    else:
        root = _fixed_part(path)
        matches = [pathlib.Path(match) for match in sorted(glob.glob(argument, recursive=True))]
        if not matches:
            raise FileNotFoundError(f"{argument}: nothing matches this pattern")
        hidden = "" if _is_below(root, avoid) else avoid  # results of earlier runs are no input
        for match in matches:
            is_folder = match.is_dir()
            if hidden and _is_below(match if is_folder else match.parent, hidden):
                continue
            if not is_folder:
                yield match, root
            elif "**" not in argument:  # which finds by itself what folders hold
                for file in _walk(match, avoid, found, suffixes):
                    yield file, root


def _of_manifest(
    path: pathlib.Path, folder: pathlib.Path, found: Found
) -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    manifest = read_manifest(path)
    found.manifests.append(manifest)
    files = Files(folder, SUFFIXES)
    for canvas in manifest.canvases:
        try:
            picture = files.find(canvas)
        except ValueError as error:
            found.unreadable[f"{path}: {canvas.picture['id']}"] = str(error)
        else:
            found.canvases.setdefault(picture, canvas)
            yield picture, folder


def _walk(
    folder: pathlib.Path, avoid: str, found: Found, suffixes: Collection[str]
) -> Iterator[pathlib.Path]:
    def note(error: OSError) -> None:
        found.unreadable[error.filename] = f"the folder cannot be read ({error.strerror})"

    for parent, folders, files in os.walk(folder, onerror=note):
        inner = {name: os.path.realpath(os.path.join(parent, name)) for name in folders}
        folders[:] = sorted(name for name, path in inner.items() if name[0] != "." and path != avoid)
        for name in sorted(files):
            suffix = os.path.splitext(name)[1].lower()
            if name.startswith(".") or name.endswith(HINTS_SUFFIX):
                continue
            if suffix in suffixes:
                yield pathlib.Path(parent, name)
            else:
                found.passed_over[suffix] += 1


def _is_below(folder: str | os.PathLike, other: str) -> bool:
    return os.path.join(os.path.realpath(folder), "").startswith(os.path.join(other, ""))


def _fixed_part(pattern: pathlib.Path) -> pathlib.Path:
    parts = pattern.parts
    magic = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return pathlib.Path(*parts[:magic])
