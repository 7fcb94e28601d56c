"""The loss of HSCAU-Net: absolute error of the chroma, and the structural similarity of the whole picture."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from hybridvit.measures.metrics import ssim


def l1_ssim_loss(
    chroma: Float[Array, "b h w c"], truth: Float[Array, "b h w c"], share: float = 0.2
) -> Float[Array, ""]:
    """(1 - `share`) L1 + `share` (1 - SSIM): 0.8 and 0.2 in HSCAU-Net.

    L1 is the mean over pixels and channels of the chroma (-1..1). SSIM is that of the picture in its own colour space,
    moved to 0..1: luma and two channels of chroma, the luma's being 1 as both have the same; or, where there are three
    channels, of these alone. Raises ValueError for pictures smaller than SSIM's window of 11 x 11 px.
    """
    same = ((0, 0), (0, 0), (0, 0), (0, 3 - chroma.shape[-1]))  # any luma: only that it is equal counts
    similarity = jnp.mean(ssim(*(jnp.pad((x + 1) / 2, same) for x in (chroma, truth))))
    return (1 - share) * jnp.mean(jnp.abs(chroma - truth)) + share * (1 - similarity)
