"""Files of any filesystem that Beam knows (a path, gs://, s3://, hdfs://), copied to a worker's disk and back."""

import os
import pathlib
import re
import shutil
import uuid

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

_AS_IT_IS = CompressionTypes.UNCOMPRESSED  # Beam would unpack by the name


def is_remote(path: str) -> bool:
    """Whether the path begins with a filesystem's scheme."""
    return "://" in path


def exists(path: str) -> bool:
    """Whether a file of that name is there. Raises OSError if that cannot be known."""
    return FileSystems.exists(path)


def listed(folder: str) -> list[str]:
    """The names of the files in a folder, not below it. Raises OSError."""
    pattern = re.sub(r"[*?\[\]]", "?", folder)  # patterns of Beam's have no quoting
    (found,) = FileSystems.match([f"{pattern}/*"])
    parts = (file.path.rpartition("/") for file in found.metadata_list)
    return [name for parent, _, name in parts if parent == folder]


def fetch(path: str, local: pathlib.Path) -> None:
    """Copies a file to this machine, where folders are made as needed. Raises OSError."""
    local.parent.mkdir(parents=True, exist_ok=True)
    with FileSystems.open(path, compression_type=_AS_IT_IS) as source, open(local, "wb") as target:
        shutil.copyfileobj(source, target)


def put(local: pathlib.Path, path: str) -> int:
    """Copies a file from this machine; it appears at `path` whole or not at all. Returns its bytes; raises OSError."""
    folder, name = FileSystems.split(path)
    partial = FileSystems.join(folder, f".{name}.{uuid.uuid4().hex}.part")
    try:
        with open(local, "rb") as source, FileSystems.create(partial, compression_type=_AS_IT_IS) as target:
            shutil.copyfileobj(source, target)
        FileSystems.rename([partial], [path])
    except BaseException:
        if FileSystems.exists(partial):
            FileSystems.delete([partial])
        raise
    return os.path.getsize(local)
