"""What a result was made of, in its own XMP: by that a later run knows that there is nothing to do.

It survives moving and renaming, cannot get lost or out of step with the file as a list beside the files could, and
appears in the same rename as the pixels.
"""

import dataclasses
import hashlib
import json
import os
from typing import Any

from hybridvit.photo.photo import read_provenance

SOURCE, RECIPE = "source_sha256", "recipe_sha256"  # names in the provenance


@dataclasses.dataclass(frozen=True)
class Record:
    """Digests, SHA-256 in hex: of the original file's bytes; of all that the result depends on."""

    source: str
    recipe: str

    def provenance(self) -> dict[str, str]:
        """For `write_photo`."""
        return {SOURCE: self.source, RECIPE: self.recipe}


def make_record(source: str, **ingredients: Any) -> Record:
    """The record of what is made of a file with the digest `source` and of anything that JSON can hold."""
    recipe = json.dumps({"source": source, **ingredients}, sort_keys=True)
    return Record(source, hashlib.sha256(recipe.encode()).hexdigest())


def read_record(path: str | os.PathLike) -> Record | None:
    """The record in a file; None in one that this command did not write, or that is no picture."""
    provenance = read_provenance(path) or {}
    source, recipe = provenance.get(SOURCE), provenance.get(RECIPE)
    return Record(source, recipe) if source and recipe else None
