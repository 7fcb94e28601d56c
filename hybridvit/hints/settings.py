"""How a photograph is coloured, apart from what is known of its colours."""

import dataclasses
from typing import no_type_check

from hybridvit.hints.shapes import HintError, number_within, shown, whole_within

DECODES = ("vivid", "mean", "sample")
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
    """

    size: int = 256
    strength: float = 1.0
    decode: str = "vivid"
    seed: int = 0

    def __post_init__(self):
        if not isinstance(self.decode, str) or self.decode not in DECODES:
            raise HintError("decode", f"{shown(self.decode)} is none of {', '.join(DECODES)}")
        checked = {
            "size": whole_within("size", self.size, *SIZES),
            "strength": number_within("strength", self.strength, 0, MOST_STRENGTH),
            "seed": whole_within("seed", self.seed, 0, LARGEST_SEED),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # frozen
