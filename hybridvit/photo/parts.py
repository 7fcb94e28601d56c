"""What a picture's file holds beside its pixels, block by block as it is there, before anything is made of it."""

import dataclasses
from typing import NamedTuple


class Density(NamedTuple):
    """Pixels across and down in the file's own unit: an inch, or one that it does not say."""

    x: float
    y: float
    per_inch: bool


@dataclasses.dataclass(frozen=True)
class Parts:
    """Blocks of each kind, in the order of the file: where one of a kind suffices, the first counts.

    Attributes:
      exif: EXIF blocks, with or without their head.
      xmp: packets.
      iptc: IIM records, or what holds them.
      resources: Photoshop's image resources.
      texts: keyword and text of PNG's texts, and of comments.
      density: said by the container itself; None: not.
      remarks: what could not be taken, a line each.
    """

    exif: tuple[bytes, ...] = ()
    xmp: tuple[bytes, ...] = ()
    iptc: tuple[bytes, ...] = ()
    resources: tuple[bytes, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    density: Density | None = None
    remarks: tuple[str, ...] = ()


def decoded(text: bytes) -> str:
    """UTF-8, whatever is declared; else Latin-1."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
