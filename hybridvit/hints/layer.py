"""Hints that were painted on a transparent layer in another program."""

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from hybridvit.hints.shapes import Mask, Region

MOST_COLORS = 200


def hints_of_layer(
    rgb: UInt8[np.ndarray, "h w 3"], opaque: Float[np.ndarray, "h w"], source: str | None = None
) -> list[Region]:
    """A region for each connected patch of one colour that covers its pixels by a half at least.

    `opaque` is 0..1; a soft brush's edge has the brush's colour and less of it. `source` says where the colours are
    known from. Raises ValueError where there are more than 200 colours: that is a picture.
    """
    painted = opaque >= 0.5
    values = rgb.astype(np.uint32)
    code = values[..., 0] << 16 | values[..., 1] << 8 | values[..., 2]
    colors = np.unique(code[painted])
    if len(colors) > MOST_COLORS:
        raise ValueError(
            f"the layer of hints has {len(colors)} colours, more than {MOST_COLORS}: paint patches of plain colours "
            "on a transparent layer"
        )
    hints = []
    for color in colors.tolist():
        patches = np.zeros(painted.shape, np.int32)
        ndimage.label(painted & (code == color), np.ones((3, 3)), output=patches)
        for number, box in enumerate(ndimage.find_objects(patches), 1):
            inside = patches[box] == number
            hints.append(Region(Mask.of(inside, box[1].start, box[0].start), f"#{color:06x}", source))
    return hints
