"""User hints, colours known at some pixels: simulated for training, and drawn by the PSNR@N protocol.

Out, for the model: `hints` [b, h, w, c + 1], float32, chroma (-1..1) where it is known and 0 elsewhere, then a 0/1
mask.
"""

import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Shaped

from hybridvit.color.lab import CHROMA_SCALE


def simulate_hints(
    key: Array,
    chroma: Float[Array, "b h w c"],
    allowed: Bool[Array, "b h w 1"] | None,
    config: Any,  # a ConfigDict, whose fields have no types
) -> Float[Array, "b h w hint"]:
    """Hints as a user might give them, drawn from the chroma of each picture by itself (`config.hints`).

    A picture has none with probability `none_fraction`. Else the count to expect is log-uniform from `min_count` to
    `max_count`; the cells are squares of one of `cell_sizes` (px), one size a picture, chosen independently.
    A hint is the mean chroma of its cell. Cells that hold a pixel that is not `allowed` are left out.
    """
    none_key, count_key, size_key, cell_key = jax.random.split(key, 4)
    batch, height, width, _ = chroma.shape
    least, most = float(config.min_count), float(config.max_count)
    count = least * jnp.exp(jax.random.uniform(count_key, (batch,)) * jnp.log(most / least))
    count = jnp.where(jax.random.uniform(none_key, (batch,)) < config.none_fraction, 0.0, count)
    size_index = jax.random.randint(size_key, (batch,), 0, len(config.cell_sizes))
    draw = jax.random.uniform(cell_key, (batch, height, width))  # one for each cell: that of its first pixel

    value, mask = jnp.zeros_like(chroma), jnp.zeros((batch, height, width, 1), bool)
    for index, size in enumerate(config.cell_sizes):
        of_size = size_index == index
        chosen = _choose_cells(draw, jnp.where(of_size, count, 0.0), allowed, size)
        mask |= _spread_over_cells(chosen, size, height, width)
        mean = _spread_over_cells(_mean_of_cells(chroma, size), size, height, width)
        value = jnp.where(of_size[:, None, None, None], mean, value)
    return jnp.concatenate([jnp.where(mask, value, 0.0), mask.astype(chroma.dtype)], axis=-1)


def protocol_hints(
    ab: Float[np.ndarray, "h w c"], name: str, count: int, seed: int = 1234, cell: int = 2
) -> tuple[Float[np.ndarray, "h w c"], Bool[np.ndarray, "h w"]]:
    """Hints of the PSNR@N protocol for one picture: their ab (CIE units, 0 elsewhere) and where they are.

    Of another colour space the chroma, in any unit.

    As in the evaluation of iColoriT (Yun et al., WACV 2023): `count` cells of `cell` x `cell` px on the grid of
    that size, drawn uniformly and with replacement; each reveals the true mean ab of its cell. Where they lie
    depends on `seed`, `name` ("set/file"), `count` and the picture's size alone, not on what else is evaluated.
    Raises ValueError for a picture smaller than a cell.
    """
    height, width, _ = ab.shape
    if min(height, width) < cell:
        raise ValueError(f"{name} is {width} x {height} px, smaller than a hint of {cell} px: leave it out")
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode()), count]))
    hint_ab = np.zeros_like(ab)
    mask = np.zeros((height, width), bool)
    for _ in range(count):
        # One draw at a time, rows first: an array of draws would take other numbers from the generator.
        top = int(rng.integers(height // cell)) * cell
        left = int(rng.integers(width // cell)) * cell
        inside = slice(top, top + cell), slice(left, left + cell)
        hint_ab[inside] = ab[inside].mean(axis=(0, 1))
        mask[inside] = True
    return hint_ab, mask


def to_hints(
    hint_ab: Float[np.ndarray, "h w c"], mask: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w hint"]:
    """What the model is given: hints in CIE ab units at the pixels of the mask, scaled to chroma."""
    known = mask[..., None].astype(np.float32)
    return np.concatenate([hint_ab.astype(np.float32) / np.float32(CHROMA_SCALE) * known, known], axis=-1)


def _choose_cells(
    draw: Float[Array, "b h w"], count: Float[Array, "b"], allowed: Bool[Array, "b h w 1"] | None, size: int
) -> Bool[Array, "b rows columns 1"]:
    """The cells whose draw, 0..1, is below the count to expect over the number of cells, and that are allowed."""
    draw = draw[:, ::size, ::size, None]
    rows, columns = draw.shape[1:3]
    chosen = draw < count[:, None, None, None] / (rows * columns)
    if allowed is not None:
        chosen &= ~_split_into_cells(~allowed, size).any(axis=(2, 4))
    return chosen


def _mean_of_cells(x: Float[Array, "b h w c"], size: int) -> Float[Array, "b rows columns c"]:
    """Means over the cells; those at the lower and right edges are cut where the size does not divide h or w."""
    # One axis at a time: a sum over both at once is 3 times slower on a CPU.
    pixels, sums = (
        _split_into_cells(part, size).sum(axis=2).sum(axis=3) for part in (jnp.ones_like(x[:1, ..., :1]), x)
    )
    return sums / pixels


def _split_into_cells(x: Shaped[Array, "b h w c"], size: int) -> Shaped[Array, "b rows size columns size c"]:
    """The cells of the grid that starts at the upper left, filled up with 0 or False outside the picture."""
    b, height, width, channels = x.shape
    x = jnp.pad(x, ((0, 0), (0, -height % size), (0, -width % size), (0, 0)))
    return x.reshape(b, x.shape[1] // size, size, x.shape[2] // size, size, channels)


def _spread_over_cells(
    x: Shaped[Array, "b rows columns c"], size: int, height: int, width: int
) -> Shaped[Array, "b h w c"]:
    """One value a cell, given to each of its pixels."""
    return jnp.repeat(jnp.repeat(x, size, axis=1), size, axis=2)[:, :height, :width]
