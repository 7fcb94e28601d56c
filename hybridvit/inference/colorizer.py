"""The Colorizer: weights in, coloured photographs out.

colorizer = hybridvit.load("pretrained")
colorizer.colorize("photo.tif").save("colour.tif")
colorizer.colorize(pixels, hints=[Point(120, 80, "#2e6b3a")]).rgb
"""

import dataclasses
import functools
import os
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, UInt8, UInt16
from PIL import Image

from hybridvit.color import bins
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.compilation import enable_compilation_cache
from hybridvit.hints.raster import rasterise, rasterise_view
from hybridvit.hints.shapes import Hint, PaletteColor
from hybridvit.inference.decode import mean_ab, vivid_ab, with_hints
from hybridvit.inference.full_resolution import colour_picture
from hybridvit.inference.hint_residual import spread_residual
from hybridvit.inference.palette import apply_palette
from hybridvit.inference.photo import Photo, photo_of, read_photo, write_photo
from hybridvit.inference.sampling import HintMap, sample_hints
from hybridvit.inference.view import view_lightness, view_size
from hybridvit.inference.weights import Weights, load_weights
from hybridvit.models.generator import build_generator
from hybridvit.version import VERSION

DECODES = ("vivid", "mean", "sample")
BUCKET = 64  # px: views are padded to multiples of it, and compiled once for each padded shape
VIEW = 256  # px, shorter side of the model's view

Hints = tuple[Float[np.ndarray, "b h w 2"], Bool[np.ndarray, "b h w"]]
Picture = str | os.PathLike | Image.Image | np.ndarray | Photo


@dataclasses.dataclass(frozen=True, eq=False)
class ColorizedImage:
    """A coloured photograph.

    `rgb` is sRGB of the input's size and depth, uint8 or uint16 `[H, W, 3]`; `uncertainty` the standard deviation of
    the colour at 1/8 of the model's view, ab units; `photo` what was coloured; `provenance` what was done, as it is
    written into saved files.
    """

    rgb: UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]
    uncertainty: Float[np.ndarray, "h8 w8"]
    photo: Photo
    provenance: dict[str, Any]

    def save(self, path: str | os.PathLike, format: str | None = None) -> None:
        """Writes the file with the input's metadata; see `write_photo` for formats and errors."""
        write_photo(path, self.rgb, self.photo, self.provenance, format)


class Colorizer:
    """Colours photographs with one set of weights; from `load`."""

    def __init__(self, weights: Weights):
        self.name, self.digest = weights.name, weights.digest
        self._params = jax.device_put(weights.params)
        generate = build_generator(weights.model).generate
        log_rarity = weights.log_rarity

        def predict(
            params: Any, L: Float[Array, "b h w"], hints: tuple[Array, Array] | None, vivid: bool
        ) -> tuple[Float[Array, "b h w 2"], Float[Array, "b h w 2"] | None, Float[Array, "b h8 w8 313"]]:
            given = None
            if hints is not None:
                ab, mask = hints
                known = mask[..., None].astype(jnp.float32)
                given = jnp.concatenate([ab / CHROMA_SCALE * known, known], -1)
            prediction = generate(params, L[..., None] / 50 - 1, given)
            prediction = prediction._replace(bins=prediction.bins - log_rarity)
            return mean_ab(prediction), vivid_ab(prediction, log_rarity) if vivid else None, prediction.bins

        self._predict = jax.jit(predict, static_argnames="vivid")
        self._spread = jax.jit(lambda logits: bins.spread(jax.nn.softmax(logits)))

    def predict_ab(
        self,
        L: Float[np.ndarray, "b h w"],
        hint_ab: Float[np.ndarray, "b h w 2"],
        hint_mask: Float[np.ndarray, "b h w"] | Bool[np.ndarray, "b h w"],
        decode: str = "mean",
    ) -> Float[np.ndarray, "b h w 2"]:
        """The chroma of pictures at the model's own scale, float32, CIE units, of any height and width.

        `L` is 0..100, `hint_ab` in CIE units where `hint_mask` is not 0. `decode`: "mean" errs least, "vivid" is
        nearer to the likeliest colours. Raises ValueError for another decode.
        """
        if decode not in ("mean", "vivid"):
            raise ValueError(f"decode={decode!r} is neither 'mean' nor 'vivid'")
        L, hint_ab, mask = np.asarray(L), np.asarray(hint_ab), np.asarray(hint_mask, bool)
        if not mask.any():
            return self._decode(L, None, decode)[0]
        ab, _ = self._decode(L, (hint_ab, mask), decode)
        return np.stack([spread_residual(*one) for one in zip(L, ab, hint_ab, mask, strict=True)])

    def colorize(
        self,
        image: Picture | Sequence[Picture],
        hints: Sequence[Hint] = (),
        *,
        size: int = VIEW,
        strength: float = 1.0,
        decode: str = "vivid",
        seed: int = 0,
        palette: Sequence[PaletteColor] = (),
    ) -> ColorizedImage | list[ColorizedImage]:
        """Colours a photograph, or each of a list with the same hints and settings.

        Args:
          image: a path, a Pillow image, an array (see `photo_of`) or a `Photo`; or a list or tuple of them.
          hints: in full-resolution pixels of the upright picture; they are honoured exactly at their pixels.
          size: px, shorter side of the model's view. Larger sees finer things, and less of the whole in one glance.
          strength: scale of the chroma, 0 gray, 1 as predicted; hints are not scaled.
          decode: "vivid", "mean" (errs least, dull) or "sample" (one of the plausible colourings, by `seed`).
          seed: of "sample".
          palette: colours for the whole picture, given or from a reference (`palette_of`); it says how vivid the
            picture is, so "vivid" is "mean" with it.

        Raises:
          ValueError, OSError: one line that names the picture, the hint or the setting.
        """
        if isinstance(image, list | tuple):
            colorize = functools.partial(
                self.colorize, size=size, strength=strength, decode=decode, seed=seed, palette=palette
            )
            return [colorize(one, hints) for one in image]
        _check(size, strength, decode)
        photo = _as_photo(image)
        height, width = photo.pixels.shape[:2]
        view = view_size(height, width, size)
        L = view_lightness(photo.pixels, *view)
        given = rasterise_view(hints, height, width, *view) if hints else None
        ab, logits = self._decode_one(L, given, "mean" if palette or decode == "sample" else decode)
        uncertainty = self._spread(logits)
        if decode == "sample":
            nothing = np.zeros((*view, 2), np.float32), np.zeros(view, bool)
            drawn = sample_hints(lambda h: self._decode_one(L, h, "mean")[1], given or nothing, seed)
            ab, _ = self._decode_one(L, drawn, "mean")
        ab = apply_palette(L, ab, palette) * np.float32(strength)
        if given is not None:
            ab = spread_residual(L, ab, *given)
        rgb = colour_picture(photo.pixels, ab, rasterise(hints, height, width))
        settings = {"size": size, "strength": strength, "decode": decode}
        if decode == "sample":
            settings["seed"] = seed
        provenance = {
            "software": f"hybridvit {VERSION}",
            "model": self.name,
            "weights_sha256": self.digest,
            "settings": settings,
            "hints": [dataclasses.asdict(hint) for hint in hints],
        }
        if palette:
            provenance["palette"] = [dataclasses.asdict(color) for color in palette]
        return ColorizedImage(rgb, np.asarray(uncertainty), photo, provenance)

    def _decode_one(self, L: Float[np.ndarray, "h w"], hints: HintMap | None, decode: str) -> tuple:
        ab, logits = self._decode(L[None], None if hints is None else tuple(x[None] for x in hints), decode)
        return ab[0], logits[0]

    def _decode(self, L: Float[np.ndarray, "b h w"], hints: Hints | None, decode: str) -> tuple:
        """ab by "mean" or "vivid", and calibrated logits."""
        vivid = decode == "vivid"
        mean, bright, logits = self._run(L, hints, vivid and hints is None)
        if not vivid:
            return mean, logits
        if hints is None:
            return bright, logits
        return with_hints(mean, *self._run(L, None, True)[:2]), logits

    def _run(self, L: Float[np.ndarray, "b h w"], hints: Hints | None, vivid: bool) -> tuple:
        """Mean and vivid ab and logits; the padding to the bucket lies on the right and below, and is cut off again."""
        height, width = L.shape[1:]
        pad = ((0, 0), (0, -height % BUCKET), (0, -width % BUCKET))
        L = np.pad(L.astype(np.float32), pad, mode="edge")
        if hints is not None:
            ab, mask = hints
            hints = np.pad(ab.astype(np.float32), (*pad, (0, 0))), np.pad(mask, pad)
        mean, bright, logits = self._predict(self._params, L, hints, vivid=vivid)
        rows, columns = -(-height // 8), -(-width // 8)
        return (
            np.asarray(mean[:, :height, :width]),
            np.asarray(bright[:, :height, :width]) if vivid else None,
            np.asarray(logits[:, :rows, :columns]),
        )


def load(path: str | os.PathLike = "pretrained") -> Colorizer:
    """A Colorizer with the weights that come with the package, of a .safetensors file, or of a checkpoint.

    Compiled programs are kept on disk from now on. Raises FileNotFoundError or ValueError, one line.
    """
    enable_compilation_cache()
    return Colorizer(load_weights(path))


def _check(size: int, strength: float, decode: str) -> None:
    if decode not in DECODES:
        raise ValueError(f"decode={decode!r} is none of {', '.join(DECODES)}")
    if not 16 <= size <= 4096:
        raise ValueError(f"size={size} px of the model's view is not within 16 and 4096")
    if not 0 <= strength <= 10:
        raise ValueError(f"strength={strength} is not within 0 and 10")


def _as_photo(image: Picture) -> Photo:
    if isinstance(image, Photo):
        return image
    return read_photo(image) if isinstance(image, str | os.PathLike) else photo_of(image)
