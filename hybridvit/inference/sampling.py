"""Diverse colourings: colours drawn from the model's distribution, a few places at a time, each draw seeing the last.

Drawing each cell by itself gives confetti. Instead a few colours are drawn where they say most about the rest of the
picture (`influence`), and given to the model as hints; it then says what else follows from them, and the next few are
drawn. So a dress is of one colour, and of another one in the next sample. Where the model is least sure is no good
place to draw: such places are like no others, and their colours stay spots. (Ancestral sampling by blocks, as in
autoregressive colorizers such as Kumar et al. 2021, with hints in the place of an order of pixels.)
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference.influence import choose_cells

ROUNDS = (2, 4, 8)  # colours drawn in each
TEMPERATURE = 0.7  # of the draws: below 1, so that none is far-fetched
STRIDE = 8  # px of the view, a cell of the distribution
SURE = 10.0  # ab units: within them a colour counts as the same
ANNEALED = (
    0.38  # temperature of the mean that is taken for the model's colour (Zhang et al. 2016, section 2.3)
)
HINT = 4  # px, side of the square in the cell's middle that is given as hint

Logits = Float[np.ndarray, "h8 w8 313"]
HintMap = tuple[Float[np.ndarray, "h w 2"], Bool[np.ndarray, "h w"]]


def sample_hints(predict: Callable[[HintMap], Logits], hints: HintMap, seed: int) -> HintMap:
    """`hints` (ab in CIE units, and where) with drawn ones beside them.

    `predict` gives the distribution's logits for hints. A seed gives the same draws for the same predictions.
    """
    rng = np.random.default_rng(seed)
    ab, mask = (x.copy() for x in hints)
    for count in ROUNDS:
        logits = predict((ab, mask))
        sharp, probs = (probabilities(logits, temperature) for temperature in (TEMPERATURE, 1.0))
        even = np.zeros(probs.shape[:2])  # the lightness is in what the model says
        for cell in choose_cells(probs, even, spread(probs), ~given(mask, *even.shape), count):
            chosen = BIN_CENTRES[rng.choice(len(BIN_CENTRES), p=sharp[cell.row, cell.column])]
            start = np.array((cell.row, cell.column)) * STRIDE + (STRIDE - HINT) // 2
            box = tuple(slice(s, s + HINT) for s in start)
            free = ~mask[box]
            ab[box][free] = chosen
            mask[box] = True
    return ab, mask


def probabilities(logits: Logits, temperature: float = 1.0) -> Float[np.ndarray, "h8 w8 313"]:
    """Of the bins, in each cell."""
    scaled = logits.astype(np.float64) / temperature
    probs = np.exp(scaled - scaled.max(-1, keepdims=True))
    return probs / probs.sum(-1, keepdims=True)


def spread(probs: Float[np.ndarray, "h8 w8 313"]) -> Float[np.ndarray, "h8 w8"]:
    """Standard deviation of each cell, ab units."""
    mean = probs @ BIN_CENTRES
    return np.sqrt(np.maximum(probs @ np.square(BIN_CENTRES).sum(-1) - np.square(mean).sum(-1), 0))


def doubt(logits: Logits, radius: float = SURE) -> Float[np.ndarray, "h8 w8"]:
    """Probability, 0..1, that the colour of a cell is further than `radius` ab units from the annealed mean.

    One less the confidence by which training gates pseudo-labels (`objectives.consistency`).
    """
    mean = probabilities(logits, ANNEALED) @ BIN_CENTRES
    far = np.square(mean[..., None, :] - BIN_CENTRES).sum(-1) > radius**2
    return np.where(far, probabilities(logits), 0).sum(-1)


def given(mask: Bool[np.ndarray, "h w"], rows: int, columns: int) -> Bool[np.ndarray, "h8 w8"]:
    """Cells that hold a hint."""
    cells = np.zeros((rows, columns), bool)
    y, x = np.nonzero(mask)
    cells[y // STRIDE, x // STRIDE] = True
    return cells
