"""How a photograph is coloured, apart from what is known of its colours."""

import dataclasses
from typing import no_type_check

from hybridvit.hints.shapes import HintError, number_within, shown, whole_within

DECODES = ("vivid", "mean", "sample")
BORDERS = ("auto", "off")
SIZES = (16, 4096)  # px
MOST_STRENGTH = 10
LARGEST_SEED = 2**31 - 1


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Settings:
    """Raises HintError, a ValueError of one line, if a value is out of its range.

    Attributes:
      size: px, shorter side of the model's view. Larger sees finer things, and less of the whole in one glance.
      strength: scale of the chroma, 0 gray, 1 as predicted, at most 10; hints are not scaled.
      decode: "vivid", "mean" (errs least, dull) or "sample" (one of the plausible colourings, by `seed`).
      seed: of "sample".
      borders: "auto" leaves borders, mounts and captions that are found around the photograph gray, and colours what
        lies inside by itself; "off" takes them for a part of the photograph.
    """

    size: int = 256
    strength: float = 1.0
    decode: str = "vivid"
    seed: int = 0
    borders: str = "auto"

    def __post_init__(self):
        for name, known in (("decode", DECODES), ("borders", BORDERS)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise HintError(name, f"{shown(value)} is none of {', '.join(known)}")
        checked = {
            "size": whole_within("size", self.size, *SIZES),
            "strength": number_within("strength", self.strength, 0, MOST_STRENGTH),
            "seed": whole_within("seed", self.seed, 0, LARGEST_SEED),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # frozen
