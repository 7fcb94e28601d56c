"""What every generator returns."""

from typing import NamedTuple

from jaxtyping import Array, Float


class Prediction(NamedTuple):
    """`chroma` at full resolution, about -1..1; `bins` logits over the 313 ab cells at 1/8, or None without that head.

    Heights and widths of `bins` are those of the picture over 8, rounded up. `side_outputs` are further estimates of
    the chroma, from inner layers, which training holds to the truth too (deep supervision). `features` is the last map
    before the outputs, at 1/4, for `objectives/restoration.py`; None of a generator that does not show it.
    """

    chroma: Float[Array, "b h w c"]
    bins: Float[Array, "b h8 w8 q"] | None = None
    side_outputs: tuple[Float[Array, "b h w c"], ...] = ()
    features: Float[Array, "b h4 w4 f"] | None = None
