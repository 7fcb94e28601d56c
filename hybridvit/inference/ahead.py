"""Several pictures through the model at once, before each of them asks for it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from hybridvit.inference.predictor import Hints, Predict, Predicted, cropped, padded


class Ahead:
    """A `Predict` that has looked at some views already; not for several threads.

    What it answers for those is what the model says of them in one run of `batch` views.
    """

    def __init__(self, predictor: Predict, batch: int):
        self.name, self.digest, self.provenance = predictor.name, predictor.digest, predictor.provenance
        self._predictor, self._batch = predictor, batch
        self._known: dict[tuple, Predicted] = {}

    def look(self, views: Sequence[np.ndarray]) -> None:
        """Forgets the views before; these, `[h, w]` each, are `batch` at most, and `padded` of one shape."""
        planes = np.concatenate([padded(L[None], None)[0] for L in views])
        short = ((0, self._batch - len(views)), (0, 0), (0, 0))
        found = self._predictor(np.pad(planes, short))  # always as many: each number would be compiled anew
        self._known = {
            _key(L): cropped(Predicted(*(None if x is None else x[i : i + 1] for x in found)), *L.shape)
            for i, L in enumerate(views)
        }

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted:
        """As the model; L is 0..100."""
        known = self._known.get(_key(L[0])) if hints is None and len(L) == 1 else None
        return self._predictor(L, hints) if known is None else known


def _key(L: Float[np.ndarray, "h w"]) -> tuple:
    return L.shape, L.astype(np.float32).tobytes()
