"""Strong views: what time, film and handling did to old photographs, in pure JAX, on the device, from a key.

`degrade` ages luma [b, h, w, 1] in -1..1 and returns the same; `film_gray` makes the gray picture of a colour one
as a black-and-white film saw it. Geometry never changes. Each operation below maps pictures [b, h, w, 1] of lightness
in 0..1 (L / 100, or sRGB's gray values, which are near to it) to the same, out of range at times, with its parameters
drawn for each picture; lengths are shares of the picture's sides, and `strength` scales amplitudes (0: unchanged).
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from ml_collections import ConfigDict

from hybridvit.augment.jpeg import compress
from hybridvit.color.lab import linear_to_srgb, srgb_to_linear

Picture = Float[Array, "b h w 1"]
PerPicture = Float[Array, "b 1 1 1"]

# Sensitivities to linear red, green and blue, lowest and highest: before they are made to add up to 1.
FILMS = np.array(
    [
        [(0.0, 0.4, 0.4), (0.03, 0.6, 0.7)],  # orthochromatic: blind to red
        [(0.0, 0.1, 0.7), (0.02, 0.3, 0.9)],  # plain, the earliest: blue only
        [(0.2, 0.3, 0.2), (0.4, 0.5, 0.5)],  # panchromatic
        [(0.3, 0.5, 0.02), (0.5, 0.7, 0.1)],  # the same behind a yellow filter: darker skies
        [(0.8, 0.1, 0.0), (0.95, 0.2, 0.05)],  # behind a red filter: black skies
    ],
    np.float32,
)
FILM_SHARES = np.array([0.3, 0.1, 0.35, 0.15, 0.1], np.float32)
LUMINANCE = np.array([0.212671, 0.715160, 0.072169], np.float32)  # CIE Y of linear sRGB


def degrade(key: Key[Array, ""], luma: Picture, config: ConfigDict) -> Picture:
    """Ages pictures by `config.degrade`: each operation comes with its own probability, in the order of history."""
    history = (
        (config.vignette, vignette),
        (config.blur, blur),
        (config.tone, tone),
        (config.grain, grain),
        (config.fade, fade),
        (config.scratches, scratches),
        (config.dust, dust),
        (config.jpeg, jpeg),
        (config.cutout, cutout),
    )
    choice_key, *keys = jax.random.split(key, len(history) + 1)
    picture = (luma + 1) / 2
    draws = _uniforms(choice_key, picture, *[(0.0, 1.0)] * len(history))
    for (probability, age), age_key, draw in zip(history, keys, draws, strict=True):
        if probability == 0:  # nothing to compile
            continue
        aged = jnp.clip(age(age_key, picture, config.strength), 0, 1)
        picture = jnp.where(draw < probability, aged, picture)
    return picture * 2 - 1


def film_gray(key: Key[Array, ""], rgb: Float[Array, "b h w 3"], config: ConfigDict) -> Picture:
    """Gray sRGB values of sRGB 0..1 on a film drawn for each picture, or of its luminance.

    `config.film` is the film's probability. In linear light, where exposures add up. Grays stay what they are on every
    film.
    """
    choice_key, kind_key, weight_key = jax.random.split(key, 3)
    kind = jax.random.choice(kind_key, len(FILMS), (len(rgb),), p=FILM_SHARES)
    low, high = jnp.asarray(FILMS)[kind].swapaxes(0, 1)  # [b, 3]
    film = low + (high - low) * jax.random.uniform(weight_key, low.shape)
    film = film / film.sum(-1, keepdims=True)
    film = jnp.maximum(LUMINANCE + config.strength * (film - LUMINANCE), 0)
    chosen = jax.random.bernoulli(choice_key, config.film, (len(rgb), 1))
    return expose(rgb, jnp.where(chosen, film, LUMINANCE))


def expose(rgb: Float[Array, "b h w 3"], sensitivity: Float[Array, "b 3"]) -> Picture:
    """Gray sRGB values of sRGB 0..1 by a film's sensitivity to linear red, green and blue."""
    shares = (sensitivity / sensitivity.sum(-1, keepdims=True))[:, None, None]
    light = sum(srgb_to_linear(rgb[..., i : i + 1]) * shares[..., i : i + 1] for i in range(3))
    return linear_to_srgb(light)


def vignette(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """Corners darkened by the lens, or bleached by the years: towards a tone, by the squared distance.

    In lightness: a loss of light multiplies it there too, by about the cube root.
    """
    amount, bleached, y, x = _uniforms(key, picture, (0.1, 0.45), (-0.75, 0.25), (0.4, 0.6), (0.4, 0.6))
    rows, columns = _grid(picture)
    distance = 2 * ((rows - y) ** 2 + (columns - x) ** 2)  # 1 in the corners
    tone_there = jnp.where(bleached > 0, 0.8, 0.0)
    return picture + strength * amount * distance * (tone_there - picture)


def blur(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """A soft lens or a copy's copy. It mixes light, truly; in lightness the difference is too small to see."""
    widest = max(0.006 * min(picture.shape[1:3]), 0.8)
    (sigma,) = _uniforms(key, picture, (0.4 * widest, widest))
    return gaussian_blur(picture, strength * sigma, math.ceil(3 * strength * widest))


def tone(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """A gamma and an S-curve, in lightness, where both have their amplitude evenly over the tones."""
    log_gamma, contrast = _uniforms(key, picture, (-0.35, 0.35), (-0.3, 0.7))
    picture = jnp.maximum(picture, 1e-6) ** jnp.exp(strength * log_gamma)
    curve = picture * picture * (3 - 2 * picture)
    return picture + jnp.minimum(strength * contrast, 1) * (curve - picture)


def grain(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """Clumps of silver: noise in lightness, strongest in the middle tones, a little correlated."""
    amount_key, noise_key = jax.random.split(key)
    widest = 0.003 * min(picture.shape[1:3])
    amount, sigma = _uniforms(amount_key, picture, (0.008, 0.04), (0.2 * widest, widest))
    radius = max(math.ceil(2 * widest), 2)  # with 3 taps, XLA on a CPU draws the noise again for each
    noise = gaussian_blur(jax.random.normal(noise_key, picture.shape), sigma, radius)
    power = jnp.sum(_kernel(sigma, radius) ** 2, -1)[:, None, None, None]  # of one axis; two of them
    return picture + strength * amount * (noise / power) * (0.2 + 3.2 * picture * (1 - picture))


def fade(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """Blacks that bleached and whites that yellowed, linear in lightness."""
    black, white = _uniforms(key, picture, (0.0, 0.2), (0.0, 0.15))
    return picture * (1 - strength * (black + white)) + strength * black


def scratches(key: Key[Array, ""], picture: Picture, strength: float, count: int = 4) -> Picture:
    """Up to `count` thin, near-vertical, wavy lines of one tone: in lightness, as they lie on the print."""
    rows, columns = _grid(picture)
    ranges = (
        (0.0, 1.0),  # place
        (-0.03, 0.03),  # lean
        (0.0, 0.004),  # wave
        (0.0, 2 * math.pi),  # phase
        (0.002, 0.006),  # width
        (-0.4, 0.6),  # alpha; below 0: no line
        (-0.6, 0.6),  # start
        (0.3, 1.5),  # length
        (-1.0, 1.0),  # above 0: bright
    )
    numbers = _uniforms(key, picture, *(bounds for bounds in ranges for _ in range(count)))
    for line in range(count):
        place, lean, wave, phase, width, alpha, start, length, bright = numbers[line::count]
        centre = place + lean * rows + wave * jnp.sin(9 * rows + phase)
        across = jnp.maximum(1 - jnp.abs(columns - centre) / jnp.maximum(width, 1 / picture.shape[2]), 0)
        ends = jnp.clip(10 * jnp.minimum(rows - start, start + length - rows), 0, 1)
        there = strength * jnp.maximum(alpha, 0) * across * ends
        picture = picture + there * (jnp.where(bright > 0, 0.95, 0.1) - picture)
    return picture


def dust(key: Key[Array, ""], picture: Picture, strength: float, count: int = 12) -> Picture:
    """Up to `count` small spots, all bright (dust on the negative) or all dark: on the print, in lightness."""
    numbers = jax.random.uniform(key, (len(picture), count + 1, 5))
    y, x, size, aspect, there = jnp.split(numbers[:, :count], 5, axis=-1)  # [b, count, 1]
    alpha, bright = 0.4 + 0.5 * numbers[:, count, 0, None, None, None], numbers[:, count, 1, None, None, None]
    # A few are large; none is smaller than a pixel.
    size = jnp.maximum(0.02 * size**3, 0.8 / min(picture.shape[1:3]))
    rows, columns = (jnp.ravel(axis) for axis in _grid(picture))
    down = jnp.exp(-(((rows - y) / (size * jnp.exp2(aspect - 0.5))) ** 2))  # [b, count, h]
    across = jnp.exp(-(((columns - x) / (size * jnp.exp2(0.5 - aspect))) ** 2))  # [b, count, w]
    spots = jnp.einsum("bnh,bnw->bhw", down * (there > 0.5), across)[..., None]
    spots = strength * alpha * jnp.clip(2.5 * spots - 0.5, 0, 1)  # with an edge
    return picture + spots * (jnp.where(bright > 0.5, 0.97, 0.08) - picture)


def jpeg(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """The scan's compression, on the values that a JPEG file of a gray picture would hold."""
    (quality,) = _uniforms(key, picture, (20.0, 90.0))
    return compress(picture, quality[:, 0, 0, 0], strength)


def cutout(key: Key[Array, ""], picture: Picture, strength: float) -> Picture:
    """A rectangle lost: its mean or middle gray instead (no ageing; it makes the model look around)."""
    top, left, height, width, gray = _uniforms(
        key, picture, *[(0.0, 1.0)] * 2, *[(0.1, 0.4)] * 2, (-1.0, 1.0)
    )
    height, width = strength * height, strength * width
    rows, columns = _grid(picture)
    top, left = top * (1 - height), left * (1 - width)
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    mean = jnp.sum(picture * inside, (1, 2), keepdims=True) / jnp.maximum(
        jnp.sum(inside, (1, 2), keepdims=True), 1
    )
    return jnp.where(inside, jnp.where(gray > 0, 0.5, mean), picture)


def gaussian_blur(picture: Picture, sigma: PerPicture, radius: int) -> Picture:
    """Gaussian of `sigma` pixels, cut off at `radius`; the border's pixels go on beyond it."""
    # Shifted sums: XLA's depthwise convolution runs at a hundredth of this on a CPU.
    kernel = _kernel(sigma, radius)
    for axis in (1, 2):
        pad = [(0, 0)] * 4
        pad[axis] = (radius, radius)
        padded = jnp.pad(picture, pad, mode="edge")
        size = picture.shape[axis]
        picture = sum(
            kernel[:, shift, None, None, None] * jax.lax.slice_in_dim(padded, shift, shift + size, axis=axis)
            for shift in range(2 * radius + 1)
        )
    return picture


def _kernel(sigma: PerPicture, radius: int) -> Float[Array, "b taps"]:
    place = jnp.arange(-radius, radius + 1) / jnp.maximum(sigma[:, 0, 0], 1e-3)
    kernel = jnp.exp(-0.5 * place * place)
    return kernel / kernel.sum(-1, keepdims=True)


def _grid(picture: Picture) -> tuple[Float[Array, "1 h 1 1"], Float[Array, "1 1 w 1"]]:
    """The pixels' places, 0..1 down and across."""
    _, h, w, _ = picture.shape
    return ((jnp.arange(h) + 0.5) / h)[None, :, None, None], ((jnp.arange(w) + 0.5) / w)[None, None, :, None]


def _uniforms(key: Key[Array, ""], picture: Picture, *ranges: tuple[float, float]) -> list[PerPicture]:
    """For each range one number a picture, drawn at once: on a CPU a draw costs more than its numbers."""
    low, high = np.array(ranges, np.float32).T
    numbers = low + (high - low) * jax.random.uniform(key, (len(picture), len(ranges)))
    return [numbers[:, i, None, None, None] for i in range(len(ranges))]
