"""Reads the tensors of a PyTorch state dict from a `.pth` file, without PyTorch and without running what is in it.

Such a file holds pickles, and a pickle can call anything. This one may only build dicts and name tensors: whatever else
it asks for is refused. Both forms are read: the zip archive of PyTorch 1.6 and later, and the older row of pickles.
"""

import collections
import io
import math
import os
import pathlib
import pickle
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    count: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a state dict by their names.

    Raises FileNotFoundError, or ValueError in one line for whatever is not a plain dict of tensors.
    """
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}: give the .pth file that was downloaded")
    try:
        with path.open("rb") as file:
            found, fetch = (_read_zip if zipfile.is_zipfile(file) else _read_legacy)(file)
        if not isinstance(found, dict) or not found:
            raise ValueError("it holds no state dict")
        for name, tensor in found.items():
            if not isinstance(name, str) or not isinstance(tensor, _Tensor):
                raise ValueError(f"its entry {name!r:.80} is no tensor: save model.state_dict() alone")
        return {name: _to_array(name, tensor, fetch) for name, tensor in found.items()}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except Exception as error:  # a damaged pickle may raise whatever it likes
        raise ValueError(f"{path} is no PyTorch file, or a damaged one ({type(error).__name__})") from None


def _read_zip(file: io.BufferedIOBase) -> tuple[Any, Callable[[str], bytes]]:
    file.seek(0)
    archive = zipfile.ZipFile(io.BytesIO(file.read()))
    infos = {info.filename.partition("/")[2]: info for info in archive.infolist()}
    if "data.pkl" not in infos:
        raise ValueError("a zip archive, but not of PyTorch: it has no data.pkl")
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos.values()):
        raise ValueError("its arrays are compressed, which PyTorch never does")
    if "byteorder" in infos and archive.read(infos["byteorder"]) != b"little":
        raise ValueError("it was written on a big-endian machine: save it again on another")
    found = _Unpickler(io.BytesIO(archive.read(infos["data.pkl"]))).load()
    return found, lambda key: archive.read(infos[f"data/{key}"])


def _read_legacy(file: io.BufferedIOBase) -> tuple[Any, Callable[[str], bytes]]:
    file.seek(0)
    if _Unpickler(file).load() != LEGACY_MAGIC:
        raise ValueError("no PyTorch file")
    version, about = _Unpickler(file).load(), _Unpickler(file).load()
    if version != 1001 or not about["little_endian"]:
        raise ValueError("of a version of PyTorch that is not known here: load and save it with a newer one")
    unpickler = _Unpickler(file)
    found = unpickler.load()
    content = {}
    for key in _Unpickler(file).load():
        storage, count = unpickler.storages[key], int.from_bytes(file.read(8), "little")
        if count != storage.count:
            raise ValueError(f"storage {key!r:.80} has {count} numbers, not {storage.count}")
        content[key] = file.read(count * storage.dtype.itemsize)
    return found, content.__getitem__


def _to_array(name: str, tensor: _Tensor, fetch: Callable[[str], bytes]) -> np.ndarray:
    storage, offset, shape, strides = tensor
    whole = (storage.count, offset, *shape, *strides)
    if not all(isinstance(x, int) and x >= 0 for x in whole) or len(shape) != len(strides):
        raise ValueError(f"{name}: its shape makes no sense")
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if math.prod(shape) > storage.count or last >= max(storage.count, 1):
        raise ValueError(f"{name}: it is larger than the numbers that the file has for it")
    numbers = np.frombuffer(fetch(storage.key), storage.dtype, storage.count)[offset:]
    strides = tuple(stride * storage.dtype.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(numbers, shape, strides, writeable=False)


class _Unpickler(pickle.Unpickler):
    """Knows dicts and tensors. What it hands out is its own, so a file can change nothing of ours."""

    def __init__(self, file: io.BufferedIOBase):
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in DTYPES:
            return np.dtype(DTYPES[name])
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if (module, name) == ("collections", "OrderedDict"):
            return type("Dict", (collections.OrderedDict,), {})
        raise ValueError(
            f"it asks for {f'{module}.{name}'!r:.80}, which is not of a plain state dict: not read"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count, *view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or any(view):
            raise ValueError(f"its storage {key!r:.80} is of a kind that is not read")
        return self.storages.setdefault(key, _Storage(key, dtype, count))
