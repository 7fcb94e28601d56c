"""The frame of the U-shaped networks: what each is given, and what it gives; the layers between are its own."""

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.blocks import look_up
from hybridvit.models.prediction import Prediction


class UFrame(nnx.Module):
    """A network on luma and hints side by side, padded to multiples of its `stride`; chroma is squashed by tanh.

    A subclass has `variants`, a class attribute of plans by name, `build` and `draw`. `variant` names one of the plans
    (ValueError if not), `channels` are those of the chroma, `dtype` is the compute type; `remat` recomputes blocks in
    the backward pass.
    """

    variants: ClassVar[dict[str, Any]]

    def __init__(
        self,
        variant: str,
        *,
        channels: int = 2,
        hint_channels: int = 0,
        dtype: str = "float32",
        remat: bool = False,
        rngs: nnx.Rngs,
    ):
        self.hint_channels, self.remat = hint_channels, remat
        plan = look_up(self.variants, variant)
        self.stride = self.build(plan, 1 + hint_channels, channels, dtype=jnp.dtype(dtype), rngs=rngs)

    def build(self, plan: Any, channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs) -> int:
        """Makes the layers from maps of `channels_in` channels to maps of `channels`; returns the stride, px."""
        raise NotImplementedError

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Float[Array, "b h w c"]]:
        """The map of the chroma, then those of the side outputs; `key` as in the call."""
        raise NotImplementedError

    def run(self, block: nnx.Module, x: Float[Array, "b h w c"], key: jax.Array | None) -> Array:
        """`block(x, train)`, recomputed in the backward pass instead of stored if so asked for."""
        return unet_blocks.apply(block, x, key is not None, self.remat)

    def __call__(
        self,
        luma: Float[Array, "b h w 1"],
        hints: Float[Array, "b h w hint"] | None,
        key: jax.Array | None = None,
    ) -> Prediction:
        """Colours `luma`, -1..1, given hints (chroma x mask, mask; None: none known).

        `key` says that it is training: batch norms use the batch's own statistics and update the running ones.
        """
        x = unet_blocks.pad_input(luma, hints, self.hint_channels, self.stride)
        return unet_blocks.predict(luma, *self.draw(x, key))
