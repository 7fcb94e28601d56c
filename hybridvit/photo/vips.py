"""What libvips knows of a file, by type: a field is a text, a number or a block of bytes, whatever pyvips may give."""

import os
from pathlib import Path
from typing import Any

import pyvips


def source_of(path: Path) -> pyvips.Source:
    """The file as a source: a plain file name would be searched for [options]."""
    name: Any = os.fsencode(path)  # pyvips takes bytes, its stub texts alone
    return pyvips.Source.new_from_file(name)


def text_of(image: pyvips.Image, name: str) -> str:
    """A field that is a text; empty where there is none."""
    value = image.get(name) if name in image.get_fields() else ""
    return value if isinstance(value, str) else ""


def number_of(image: pyvips.Image, name: str, default: int) -> int:
    """A field that is a whole number, or `default` where there is none."""
    value = image.get(name) if name in image.get_fields() else default
    return value if isinstance(value, int) else default


def block_of(image: pyvips.Image, name: str) -> bytes | None:
    """A field that is a block of bytes; None where there is none."""
    value: Any = image.get(name) if name in image.get_fields() else None  # the stub knows no blocks
    return None if value is None else bytes(value)


def set_block(image: pyvips.Image, name: str, block: bytes) -> None:
    """Gives an image that nobody else holds a block of bytes."""
    value: Any = block
    image.set_type(pyvips.GValue.blob_type, name, value)
