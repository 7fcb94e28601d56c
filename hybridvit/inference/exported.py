"""What is in the files of models that other software runs: ONNX and StableHLO, for pictures of any size.

    luma [b, 32 h, 32 w, 1], hints [b, 32 h, 32 w, 3] -> chroma [b, 32 h, 32 w, 2], bins [b, 4 h, 4 w, 313]

All float32. `luma` is L / 50 - 1; `hints` are a / 110, b / 110 and 1 where a colour is known, else 0; `chroma` times
110 is the expected ab; `bins` are logarithms of the probabilities of the 313 colours, up to a constant for each cell of
8 px, calibrated. h * w is 2 at least. Of a variant without a pretrained encoder, squares are of 16 px instead of 32,
and 8 at least. `About` is written into the file, and says all this (`interface`).

`.onnx` files have it among the model's metadata, under "hybridvit"; a `.stablehlo` file is a safetensors file with it
among the metadata and what `jax.export.deserialize` reads as the uint8 tensor "module".
"""

import dataclasses
import json
from typing import Any

import numpy as np

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference import decode
from hybridvit.models.hint_propagation import MAX_CELLS
from hybridvit.models.hybrid_conv_vit import VARIANTS
from hybridvit.version import VERSION

FORMAT = "hybridvit-export-1"
SUFFIXES = (".onnx", ".stablehlo")
KEY = "hybridvit"  # of the metadata
MODULE = "module"  # the tensor of a .stablehlo file
MULTIPLES = tuple({variant.stride for variant in VARIANTS.values()})  # px, of heights and widths
CELL = 4  # px: of the hint propagation
INPUTS, OUTPUTS = ("luma", "hints"), ("chroma", "bins")
VIVID = {
    **{"temperature": decode.TEMPERATURE, "rarity": decode.RARITY, "power": decode.POWER},
    **{"pivot": decode.PIVOT, "most": decode.MOST, "known": decode.KNOWN},
}


@dataclasses.dataclass(frozen=True)
class About:
    """What an exported file says of itself.

    `name` and `weights` (sha256 in hex) are of the weights, `model` is the config they were trained with, `log_rarity`
    as in `Weights`; `license` of the weights, if it is known; heights and widths are multiples of `multiple` px.
    """

    name: str
    weights: str
    model: dict[str, Any]
    log_rarity: tuple[float, ...]
    license: str
    multiple: int

    def to_json(self) -> str:
        """With the constants of the vivid decode (hybridvit/inference/decode.py), and what goes in and comes out."""
        extra = {"vivid": VIVID, "interface": interface(self.multiple), "bin_centres": BIN_CENTRES.tolist()}
        return json.dumps({"format": FORMAT, "software": VERSION, **dataclasses.asdict(self), **extra})


def interface(multiple: int) -> dict[str, str]:
    """What goes in and comes out, in words."""
    return {
        "color_space": "CIE Lab, D65",
        "luma": "L / 50 - 1",
        "hints": "a / 110, b / 110, known (1 or 0; ab 0 where it is 0)",
        "chroma": "times 110: the mean of ab, CIE units",
        "bins": "calibrated log-probabilities of bin_centres, for cells of 8 px, up to a constant for each",
        "sizes": f"multiples of {multiple} px, {least_squares(multiple)} squares of {multiple} px at least",
    }


def least_squares(multiple: int) -> int:
    """Squares of `multiple` px that hold as many cells as hints are propagated from: smaller pictures are padded."""
    return -(-MAX_CELLS * CELL**2 // multiple**2)


def about_from_json(text: str) -> About:
    """Raises ValueError, one line, for anything but what `to_json` writes."""
    try:
        read = json.loads(text)
        if read["format"] != FORMAT:
            raise ValueError(f"it is of another version ({read['format']!r:.40})")
        rarity = np.array(read["log_rarity"], np.float32)
        if rarity.shape != (len(BIN_CENTRES),) or not np.isfinite(rarity).all():
            raise ValueError("its log_rarity is not 313 numbers")
        texts = {name: read[name] for name in ("name", "weights", "license")}
        if not all(isinstance(said, str) and len(said) < 1000 for said in texts.values()):
            raise ValueError("its name, weights or license is no text")
        multiple = read.get("multiple", 16)  # files of 0.1 do not say it
        if multiple not in MULTIPLES:
            raise ValueError(f"its sizes are multiples of {multiple!r:.40} px")
        return About(**texts, model=dict(read["model"]), log_rarity=tuple(rarity.tolist()), multiple=multiple)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"its description lacks something or is none ({error})") from None
