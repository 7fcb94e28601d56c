"""The pickle of a PyTorch state dict, read without unpickling: the few instructions that such a file is made of.

    bytes -> dicts, lists, tuples, texts, numbers, `Storage` and `Tensor`; `torch_file` gives them their numbers

A pickle is a program, and Python's own machine for it calls whatever is asked for, fills tables up to any index that is
named, and falls over what is nested deep. This one knows 30 instructions of 68 and nothing but the names below; what it
builds is not larger than the file.
"""

import io
import pickletools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


class Storage(NamedTuple):
    """So many numbers of a type, which the file has under the name `key`."""

    key: str
    dtype: np.dtype
    count: int


class Tensor(NamedTuple):
    """A view of a storage; `offset` and `strides` count numbers. Nothing of it has been checked."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_pickle(file: io.BytesIO) -> Any:
    """What the pickle at the file's position stands for; the position is then behind it.

    Raises ValueError in one line for whatever no state dict has; IndexError, KeyError
    or TypeError for a damaged one.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(file):
        name = opcode.name
        if name in VALUES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name]())
        elif name in PUTS:
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in GETS:
            stack.append(memo[argument])
        elif name in ITEMS:
            items = _to_mark(stack) if name.endswith("S") else [stack.pop() for _ in range(ITEMS[name])][::-1]
            _add(stack[-1], items)
        elif name in TUPLES:
            count = TUPLES[name]
            stack.append(
                tuple(_to_mark(stack) if count is None else [stack.pop() for _ in range(count)][::-1])
            )
        elif name == "GLOBAL":
            stack.append(_named(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            last = stack.pop()
            stack.append(_named(stack.pop(), last))
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_call(stack.pop(), arguments))
        elif name == "BINPERSID":
            stack.append(_storage(*stack.pop()))
        elif name == "BUILD":  # PyTorch's notes on its modules' versions
            stack.pop()
        elif name == "STOP":
            return stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"it has the instruction {name}, which is not of a plain state dict: not read")
    raise ValueError("its end is lost")


class _Mark:
    """Where the items of a list, dict or tuple begin."""


VALUES = ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")
VALUES += ("BINSTRING", "SHORT_BINSTRING")  # written by Python 2
CONSTANTS: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
CONSTANTS |= {"NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "MARK": lambda: _Mark}
PUTS, GETS = ("BINPUT", "LONG_BINPUT", "MEMOIZE"), ("BINGET", "LONG_BINGET")
ITEMS = {"APPEND": 1, "APPENDS": None, "SETITEM": 2, "SETITEMS": None}
TUPLES = {"TUPLE": None, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _to_mark(stack: list[Any]) -> list[Any]:
    """Takes off what lies above the last mark, and the mark."""
    items = []
    while (item := stack.pop()) is not _Mark:
        items.append(item)
    return items[::-1]


def _add(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, dict):
        for name, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(name, str | int):  # a tuple of tuples of tuples ... has no end of a hash
                raise ValueError("it has a dict whose keys are no names: not a plain state dict")
            target[name] = value
    else:
        raise ValueError("it adds to what is neither list nor dict: not a plain state dict")


def _named(module: Any, name: Any) -> Any:
    if module == "torch" and isinstance(name, str) and name in DTYPES:
        return np.dtype(DTYPES[name])
    if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
        return Tensor
    if (module, name) == ("collections", "OrderedDict"):
        return dict
    raise ValueError(f"it asks for {f'{module}.{name}'!r:.80}, which is not of a plain state dict: not read")


def _call(what: Any, arguments: Any) -> Tensor | dict:
    if what is dict and arguments in ((), ([],)):
        return {}
    if what is Tensor and isinstance(arguments, tuple) and len(arguments) >= 4:
        return Tensor(*arguments[:4])
    raise ValueError("it calls what is not of a plain state dict: not read")


def _storage(kind: Any, dtype: Any, key: Any, _: Any, count: Any, *view: Any) -> Storage:
    if kind != "storage" or not isinstance(dtype, np.dtype) or not isinstance(key, str) or any(view):
        raise ValueError("it has a storage of a kind that is not read")
    return Storage(key, dtype, count)
