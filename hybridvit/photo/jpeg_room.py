"""Metadata of a JPEG, whose segments hold 64 kB each."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.iptc import Property
from hybridvit.photo.jpeg import SEGMENT
from hybridvit.photo.metadata import Metadata
from hybridvit.photo.provenance import merge_provenance

LONG = 1000  # characters; provenance longer than this may be left out


def within_segments(
    path: Path, metadata: Metadata, before: bytes | None, provenance: Mapping[str, Any], texts: list[Property]
) -> Metadata:
    """What of metadata a JPEG holds: long provenance (hints) is replaced by its SHA-256, maker's notes are left out.

    Args:
      path: of the file, for the error.
      metadata: as it would be written.
      before: the XMP of the original, without provenance and texts.
      provenance: as `merge_provenance` takes it.
      texts: likewise.

    Raises:
      ValueError: its EXIF is too long all the same.
    """
    if len(metadata.xmp or b"") > SEGMENT - 29:
        short = {name: _shortened(value) for name, value in provenance.items()}
        metadata = dataclasses.replace(metadata, xmp=merge_provenance(before, short, texts))
    exif = metadata.exif or tags.Directory({})
    if len(tags.pack_block(exif)) > SEGMENT - 6:
        inner = {**tags.inner_of(exif.tags, tags.EXIF)}
        inner.pop(tags.MAKER_NOTE, None)
        exif = dataclasses.replace(exif, tags={**exif.tags, tags.EXIF: inner})
        metadata = dataclasses.replace(metadata, exif=exif)
    if len(tags.pack_block(exif)) > SEGMENT - 6:
        raise ValueError(f"{path}: jpeg holds 64 kB of EXIF, and there is more: choose tiff or png")
    return metadata


def _shortened(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= LONG:
        return value
    return {"left_out": "too long for JPEG", "sha256": hashlib.sha256(text.encode()).hexdigest()}
