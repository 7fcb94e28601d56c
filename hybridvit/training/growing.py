"""Progressive growing of the resolution as a training schedule (Karras et al. 2018, section 2 and appendix A).

Training starts on small pictures and doubles their side: at each doubling the new resolution is blended in over as many
steps as it is then trained on. The generators here take any size, so nothing grows but the pictures: they are reduced
on the device to the side of the stage, and during a transition they are a blend of themselves and of their coarser
selves, as the paper blends its real images. A stage is static under jit (its side is a shape), so each side compiles
once; the blend factor is a traced number.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt8

Batch = dict[str, UInt8[Array, "_ _ _ _"]]  # pictures by kind


class Stage(NamedTuple):
    """Pictures of `side` px from step `start` on, blended in over `fade` steps (0: at once)."""

    start: int
    side: int
    fade: int


def plan_stages(first_side: int, last_side: int, steps: int) -> tuple[Stage, ...]:
    """The stages from `first_side` to `last_side` px; each fades in over `steps` steps and stays for as many.

    The first does not fade in, the last stays for good. Raises ValueError if doubling `first_side` does not lead to
    `last_side`.
    """
    doublings = max(last_side // max(first_side, 1), 1).bit_length() - 1
    if first_side < 1 or first_side << doublings != last_side:
        raise ValueError(
            f"pictures of {first_side} px do not grow to {last_side} px by doubling: "
            f"take a side that is {last_side} over a power of 2"
        )
    if steps < 1:
        raise ValueError(f"a stage of growing takes 1 step or more, not {steps}")
    first = Stage(0, first_side, 0)
    return (first, *(Stage((2 * i - 1) * steps, first_side << i, steps) for i in range(1, doublings + 1)))


def stage_at(stages: tuple[Stage, ...], step: int) -> Stage:
    """The stage that `step` belongs to."""
    return max(stage for stage in stages if stage.start <= step)


def blend_factor(stage: Stage, step: int | Int[Array, ""]) -> Float[Array, ""]:
    """Share of the full resolution of `stage` in the pictures at `step`: rising linearly to 1, never 0."""
    return jnp.clip((step - stage.start + 1) / (stage.fade + 1), 0.0, 1.0).astype(jnp.float32)


def grow(
    pictures: Float[Array, "b h w c"], stage: Stage, step: int | Int[Array, ""]
) -> Float[Array, "b side side c"]:
    """Square pictures as `step` of `stage` sees them.

    Raises ValueError unless their side is a multiple of the stage's.
    """
    size = pictures.shape[1]
    if pictures.shape[2] != size or size % stage.side:
        raise ValueError(
            f"pictures of {size} x {pictures.shape[2]} px do not shrink to {stage.side} px: "
            "take square ones whose side is a multiple of it"
        )
    pictures = _shrink(pictures, size // stage.side)
    if stage.fade == 0:
        return pictures
    coarse = jnp.repeat(jnp.repeat(_shrink(pictures, 2), 2, 1), 2, 2)
    return coarse + blend_factor(stage, step) * (pictures - coarse)


def grow_batch(batch: Batch, stage: Stage, step: int | Int[Array, ""]) -> Batch:
    """The pictures of a training batch as `step` of `stage` sees them, uint8 as before.

    Raises ValueError as `grow`.
    """

    def reduce(pictures: UInt8[Array, "b h w c"]) -> UInt8[Array, "b side side c"]:
        if stage.fade == 0 and pictures.shape[1:3] == (stage.side, stage.side):
            return pictures
        return jnp.round(grow(pictures.astype(jnp.float32), stage, step)).astype(jnp.uint8)

    return {name: reduce(pictures) for name, pictures in batch.items()}


def _shrink(pictures: Float[Array, "b h w c"], factor: int) -> Float[Array, "b hs ws c"]:
    """Mean of each square of `factor` px."""
    b, h, w, c = pictures.shape
    return pictures.reshape(b, h // factor, factor, w // factor, factor, c).mean((2, 4))
