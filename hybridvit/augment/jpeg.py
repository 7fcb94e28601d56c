"""What JPEG loses of a gray picture: the rounding of its 8 x 8 cosine transforms (ITU-T T.81), and nothing else.

Differs from a file's round trip by the rounding of pixels only. Not differentiable (nor meant to be).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LUMINANCE_TABLE = np.array(  # T.81, table K.1
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)


def compress(
    picture: Float[Array, "b h w 1"], quality: Float[Array, " b"], strength: float = 1.0
) -> Float[Array, "b h w 1"]:
    """Gray 0..1 after JPEG of `quality` 1..100 as the IJG's library counts it; `strength` scales the rounding."""
    scale = jnp.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None]
    steps = jnp.clip(jnp.floor((LUMINANCE_TABLE.ravel() * scale + 50) / 100), 1, 255)  # [b, 64]
    steps = jnp.maximum(strength * steps, 1e-3)[:, None]
    blocks = _to_blocks(picture * 255 - 128)
    levels = jnp.round(_matmul(blocks, _TRANSFORM.T) / steps)
    return (_from_blocks(_matmul(levels * steps, _TRANSFORM), picture.shape) + 128) / 255


def _matmul(blocks: Float[Array, "b n 64"], matrix: np.ndarray) -> Float[Array, "b n 64"]:
    return jnp.matmul(blocks, matrix, precision=jax.lax.Precision.HIGHEST)


def _to_blocks(picture: Float[Array, "b h w 1"]) -> Float[Array, "b n 64"]:
    """Blocks of 8 x 8, their rows one after the other; the border's pixels fill the last ones."""
    b, h, w, _ = picture.shape
    picture = jnp.pad(picture[..., 0], ((0, 0), (0, -h % 8), (0, -w % 8)), mode="edge")
    rows, columns = picture.shape[1] // 8, picture.shape[2] // 8
    blocks = picture.reshape(b, rows, 8, columns, 8).swapaxes(2, 3)  # [b, rows, columns, 8, 8]
    return blocks.reshape(b, rows * columns, 64)


def _from_blocks(blocks: Float[Array, "b n 64"], shape: tuple[int, ...]) -> Float[Array, "b h w 1"]:
    b, h, w, _ = shape
    rows, columns = -(-h // 8), -(-w // 8)
    picture = blocks.reshape(b, rows, columns, 8, 8).swapaxes(2, 3).reshape(b, rows * 8, columns * 8)
    return picture[:, :h, :w, None]


def _cosines() -> np.ndarray:
    """The orthonormal transform of 8 numbers [frequency, place]."""
    frequency, place = np.arange(8)[:, None], np.arange(8)
    cosines = np.cos((2 * place + 1) * frequency * np.pi / 16) / 2
    cosines[0] /= np.sqrt(2)
    return cosines


# Both axes at once, as one matrix of 64 x 64: a matmul of 8 columns leaves processors idle.
_TRANSFORM = np.kron(_cosines(), _cosines()).astype(np.float32)
