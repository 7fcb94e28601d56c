"""The Colorizer: weights in, coloured photographs out.

colorizer = hybridvit.load("pretrained")
colorizer.colorize("photo.tif").save("colour.tif")
colorizer.colorize(pixels, hints=[Point(120, 80, "#2e6b3a")]).rgb
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16
from PIL import Image

from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Hint, PaletteColor
from hybridvit.hints.sidecar import recipe_to_json
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.decode import with_hints
from hybridvit.inference.exported_predictor import is_exported, load_exported
from hybridvit.inference.hint_residual import spread_residual
from hybridvit.inference.hub import is_on_hub
from hybridvit.inference.model_folder import NOT_STATED, Rights, save_model_folder
from hybridvit.inference.predictor import Predict, Predictor
from hybridvit.inference.weights import Weights, load_weights
from hybridvit.photo.photo import Photo, photo_of, read_photo, write_photo
from hybridvit.photo.tiff_pages import TiffEntry
from hybridvit.runtime.compilation import enable_compilation_cache
from hybridvit.version import VERSION

BORDERED = "the border around the photograph is left gray (--borders off colours all of the file)"

ONE_COLOR = (
    "these weights know one colour for each place, and no likelier ones: it is their mean (--decode mean)"
)

Picture = str | os.PathLike | Image.Image | np.ndarray | Photo


@dataclasses.dataclass(frozen=True, eq=False)
class ColorizedImage:
    """A coloured photograph.

    `rgb` is sRGB of the input's size and depth, uint8 or uint16 `[H, W, 3]`; `uncertainty` the probability,
    0..1, that the true colour is more than 10 ab units from the model's, at 1/8 of its view, None from a method that
    does not know it; `photo` what was coloured; `provenance` what was done, as it is written into saved files;
    `remarks` what to know of it, beside those of the photograph. `further` makes the file's other pages, one a call.
    """

    rgb: UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]
    uncertainty: Float[np.ndarray, "h8 w8"] | None
    photo: Photo
    provenance: dict[str, Any]
    remarks: tuple[str, ...] = ()
    further: tuple[Callable[[], "ColorizedImage"], ...] = ()

    def save(self, path: str | os.PathLike, format: str | None = None) -> None:
        """Writes the file with the input's metadata, a TIFF with all pages; see `write_photo` for more and errors."""
        pages = (make() for make in self.further)
        further = ((page.rgb, page.photo, page.provenance) for page in pages)
        write_photo(path, self.rgb, self.photo, self.provenance, format, further)


class Colorizer:
    """Colours photographs with one set of weights, from `load`, or by a method of `hybridvit.classical.methods`."""

    def __init__(self, source: Weights | Predict):
        self.predictor = Predictor(source) if isinstance(source, Weights) else source
        self.name, self.digest = source.name, source.digest

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
            free = self.predictor(L)
            return free.mean if decode == "mean" or free.vivid is None else free.vivid
        ab = self.predictor(L, (hint_ab, mask)).mean
        if decode == "vivid":
            free = self.predictor(L)
            ab = ab if free.vivid is None else with_hints(ab, free.mean, free.vivid)
        return np.stack([spread_residual(*one) for one in zip(L, ab, hint_ab, mask, strict=True)])

    def open(self, image: Picture) -> Canvas:
        """A photograph to be coloured again and again. Raises ValueError or OSError as `colorize`."""
        return Canvas(self.predictor, _as_photo(image))

    def colorize(
        self,
        image: Picture | list[Picture] | tuple[Picture, ...],
        hints: Sequence[Hint] = (),
        *,
        palette: Sequence[PaletteColor] = (),
        protected: Sequence[Protected] = (),
        **settings: Any,
    ) -> ColorizedImage | list[ColorizedImage]:
        """Colours a photograph, or each of a list with the same hints and settings.

        Args:
          image: a path, a Pillow image, an array (see `photo_of`) or a `Photo`; or a list or tuple of them.
          hints: in full-resolution pixels of the upright picture; they are honoured exactly at their pixels.
          palette: colours for the whole picture, given or from a reference (`palette_of`); it says how vivid the
            picture is, so "vivid" is "mean" with it.
          protected: areas that keep the colours of another recipe.
          **settings: `size`, `strength`, `decode` and `seed`, see `Settings`.

        Raises:
          ValueError, OSError: one line that names the picture, the hint or the setting.
          TypeError: no such setting.
        """
        recipe = Recipe(tuple(hints), tuple(palette), Settings(**settings), tuple(protected))
        if isinstance(image, list | tuple):
            return [self._colorize(one, recipe) for one in image]
        return self._colorize(image, recipe)

    def save_pretrained(self, folder: str | os.PathLike, license: str = NOT_STATED) -> None:
        """Writes a folder of these weights with their model card, as a model hub takes it; `load` reads it.

        `license` is one of the Hub's identifiers, as "cc-by-4.0"; the released weights have theirs. Raises ValueError
        for a colorizer that is no set of weights, and as `save_model_folder`.
        """
        if not isinstance(self.predictor, Predictor):
            raise ValueError(f"{self.name} was not loaded from weights: a model folder holds weights")
        save_model_folder(self.predictor.weights, folder, Rights(license))

    def _colorize(self, image: Picture, recipe: Recipe) -> ColorizedImage:
        canvas = self.open(image)
        height, width = canvas.photo.pixels.shape[:2]
        recipe.check_within(width, height)
        rgb = canvas.picture(recipe)
        settings = dataclasses.asdict(recipe.settings)
        if recipe.settings.decode != "sample":
            del settings["seed"]
        provenance = {
            "software": f"hybridvit {VERSION}",
            **self.predictor.provenance,
            **recipe_to_json(recipe),
            "settings": settings,
        }
        inside, remarks = canvas.inside(recipe.settings), ()
        if inside != (0, 0, height, width):
            provenance["inside_borders"] = inside._asdict()
            remarks = (BORDERED,)
        one_color = isinstance(self.predictor, Predictor) and not self.predictor.has_distribution
        if one_color and recipe.settings.decode == "vivid" and not recipe.palette:
            remarks += (ONE_COLOR,)
        doubt = canvas.doubt(recipe)
        uncertainty = None if doubt is None else doubt.astype(np.float32)
        # Hints are said of the first page alone
        alike = Recipe(palette=recipe.palette, settings=recipe.settings)
        further = tuple(
            functools.partial(self._page, canvas.photo, page, alike) for page in canvas.photo.further
        )
        return ColorizedImage(rgb, uncertainty, canvas.photo, provenance, remarks, further)

    def _page(self, photo: Photo, page: TiffEntry, recipe: Recipe) -> ColorizedImage:
        assert photo.source is not None  # pages are a file's
        try:
            return self._colorize(read_photo(photo.source, page=page), recipe)
        except ValueError as error:
            reason = str(error).removeprefix(f"{photo.source}: ")
            raise ValueError(f"{photo.source}: page {page.number + 1}: {reason}") from error


def load(path: str | os.PathLike = "pretrained") -> Colorizer:
    """A Colorizer with the weights that come with the package, of a file, a folder, a hub, or a checkpoint.

    See `load_weights`. Or with the network of an .onnx or .stablehlo file of `hybridvit export`. Compiled programs are
    kept on disk from now on. Raises OSError, ModuleNotFoundError (an .onnx file without onnxruntime) or ValueError,
    one line.
    """
    enable_compilation_cache()
    exported = not is_on_hub(path) and is_exported(path)
    return Colorizer(load_exported(path) if exported else load_weights(path))


def _as_photo(image: Picture) -> Photo:
    if isinstance(image, Photo):
        return image
    return read_photo(image) if isinstance(image, str | os.PathLike) else photo_of(image)
