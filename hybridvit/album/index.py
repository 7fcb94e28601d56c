"""What is seen of an album's photographs, on disk: described once, read when it is needed, a piece at a time.

An entry is a file of arrays, written under another name and then renamed, so that a process that is killed leaves whole
entries only. A photograph is known by the digest of its file: it may be renamed, and is described anew when it changes.
"""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped
from safetensors import safe_open
from safetensors.numpy import save

VERSION = 5  # to be raised when something that is kept comes to be found in another way


class Index:
    """The entries in a folder, of photographs described alike (`about`); of others, none is kept."""

    def __init__(self, folder: pathlib.Path, about: Mapping[str, Any]):
        said = json.dumps(dict(about) | {"version": VERSION}, sort_keys=True)
        self.folder = folder / hashlib.sha256(said.encode()).hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        for other in folder.iterdir():
            if other != self.folder:
                shutil.rmtree(other) if other.is_dir() else other.unlink()

    def __contains__(self, key: str) -> bool:
        return self._path(key).exists()

    def put(self, key: str, **arrays: Shaped[np.ndarray, "..."]) -> None:
        """Keeps arrays under a key, which is part of a file's name. Raises OSError."""
        part = self.folder / f"{key}.part"
        part.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
        os.replace(part, self._path(key))

    def get(self, key: str, name: str) -> Shaped[np.ndarray, "..."]:
        """One array of an entry."""
        with safe_open(self._path(key), framework="numpy") as entry:
            return entry.get_tensor(name)

    def _path(self, key: str) -> pathlib.Path:
        return self.folder / f"{key}.safetensors"
