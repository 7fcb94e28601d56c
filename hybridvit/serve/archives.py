"""A zip of photographs in, a zip of results out; what an archive says of itself is not believed."""

import pathlib
import shutil
import zipfile

from hybridvit.colorize.inputs import HINTS_SUFFIX, SUFFIXES
from hybridvit.serve.limits import BATCH_BYTES, PICTURES

_PIECE = 2**20


def unpack(archive: pathlib.Path, folder: pathlib.Path) -> list[pathlib.Path]:
    """The photographs, with their sidecars, below `folder`; their paths in it, relative, in the archive's order.

    Raises ValueError, one line: it is no zip, is damaged, encrypted, holds no photograph, too many, or too much.
    """
    pictures, left = [], BATCH_BYTES
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                name = pathlib.PurePosixPath(entry.filename.replace("\\", "/"))
                is_picture = name.suffix.lower() in SUFFIXES
                hidden = any(
                    (part.startswith(".") and part != "..") or part == "__MACOSX" for part in name.parts
                )
                if entry.is_dir() or hidden or not (is_picture or name.name.endswith(HINTS_SUFFIX)):
                    continue
                if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
                    raise ValueError(f"{entry.filename[:100]!r} points out of the archive")
                if entry.flag_bits & 1:
                    raise ValueError(f"{entry.filename[:100]!r} is encrypted")
                target = folder.joinpath(*name.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, target.open("xb") as file:
                    while piece := source.read(_PIECE):
                        left -= len(piece)
                        if left < 0:
                            raise ValueError(f"it unpacks to more than {BATCH_BYTES // 2**20} MB")
                        file.write(piece)
                if is_picture:
                    pictures.append(pathlib.Path(*name.parts))
                if len(pictures) > PICTURES:
                    raise ValueError(f"it holds more than {PICTURES} photographs")
    except FileExistsError:
        raise ValueError("it holds a name twice") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ValueError(f"it is no sound zip ({' '.join(str(error).split()):.100})") from None
    except Exception as error:  # zlib's, lzma's: each has its own
        if isinstance(error, ValueError):
            raise
        raise ValueError(f"it is damaged ({type(error).__name__})") from None
    if not pictures:
        raise ValueError("it holds no photograph")
    return pictures


def pack(folder: pathlib.Path, archive: pathlib.Path) -> None:
    """All files of the folder; pictures are stored as they are, for they are compressed already."""
    partial = archive.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.write(path, path.relative_to(folder).as_posix())
    partial.replace(archive)
    shutil.rmtree(folder)
