"""Reads the tensors of a PyTorch state dict from a `.pth` file, without PyTorch and without unpickling.

Such a file holds pickles, and a pickle can call anything; how this one is read, `torch_pickle` says. Both forms are
read: the zip archive of PyTorch 1.6 and later, and the older row of pickles. Nothing is taken up that is larger than
the file itself.
"""

import functools
import io
import math
import os
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from hybridvit.models.torch_pickle import Storage, Tensor, read_pickle

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
MOST_AXES = 8


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a state dict by their names.

    Raises FileNotFoundError, or ValueError in one line for whatever is not a plain dict of tensors.
    """
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}: give the .pth file that was downloaded")
    try:
        file = io.BytesIO(path.read_bytes())
        found, fetch = (_read_zip if zipfile.is_zipfile(file) else _read_legacy)(file)
        if not isinstance(found, dict) or not found:
            raise ValueError("it holds no state dict")
        for name, tensor in found.items():
            if not isinstance(name, str) or not isinstance(tensor, Tensor):
                raise ValueError(f"its entry {name!r:.80} is no tensor: save model.state_dict() alone")
        return {name: _to_array(name, tensor, fetch) for name, tensor in found.items()}
    except ValueError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
    except Exception as error:  # a damaged file may raise whatever it likes
        raise ValueError(f"{path} is no PyTorch file, or a damaged one ({type(error).__name__})") from None


def _read_zip(file: io.BytesIO) -> tuple[Any, Callable[[str], bytes]]:
    archive = zipfile.ZipFile(file)
    infos = {info.filename.partition("/")[2]: info for info in archive.infolist()}
    if "data.pkl" not in infos:
        raise ValueError("a zip archive, but not of PyTorch: it has no data.pkl")
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos.values()):
        raise ValueError("its arrays are compressed, which PyTorch never does")
    if sum(info.file_size for info in infos.values()) > len(file.getbuffer()):
        raise ValueError("its parts are said to be larger than the file")
    if "byteorder" in infos and archive.read(infos["byteorder"]) != b"little":
        raise ValueError("it was written on a big-endian machine: save it again on another")
    found = read_pickle(io.BytesIO(archive.read(infos["data.pkl"])))
    return found, functools.cache(lambda key: archive.read(infos[f"data/{key}"]))


def _read_legacy(file: io.BytesIO) -> tuple[Any, Callable[[str], bytes]]:
    file.seek(0)
    if read_pickle(file) != LEGACY_MAGIC:
        raise ValueError("no PyTorch file")
    version, about = read_pickle(file), read_pickle(file)
    if version != 1001 or not about["little_endian"]:
        raise ValueError("of a version of PyTorch that is not known here: load and save it with a newer one")
    found = read_pickle(file)
    tensors = found.values() if isinstance(found, dict) else ()
    storages = {tensor.storage.key: tensor.storage for tensor in tensors if isinstance(tensor, Tensor)}
    content = {}
    for key in read_pickle(file):
        storage, count = storages[key], int.from_bytes(file.read(8), "little")
        if count != storage.count:
            raise ValueError(f"storage {key!r:.80} has {count} numbers, not {storage.count!r:.80}")
        content[key] = file.read(count * storage.dtype.itemsize)
    return found, content.__getitem__


def _to_array(name: str, tensor: Tensor, fetch: Callable[[str], bytes]) -> np.ndarray:
    storage, offset, shape, strides = tensor
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise ValueError(f"{name:.80}: it is no tensor")
    whole = (storage.count, offset, *shape[: MOST_AXES + 1], *strides[: MOST_AXES + 1])
    if (
        not all(isinstance(x, int) and 0 <= x < 2**63 for x in whole)
        or not len(shape) == len(strides) <= MOST_AXES
    ):
        raise ValueError(f"{name:.80}: its shape makes no sense")
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if math.prod(shape) > storage.count or last >= max(storage.count, 1):
        raise ValueError(f"{name:.80}: it is larger than the numbers that the file has for it")
    numbers = np.frombuffer(fetch(storage.key), storage.dtype, storage.count)[offset:]
    strides = tuple(stride * storage.dtype.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(numbers, shape, strides, writeable=False)
