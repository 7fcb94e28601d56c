"""The methods without learning, in the place of a model: `METHODS[name](reference)` is a `Colorizer`.

    METHODS["levin"](None).colorize("photo.tif", hints=[...]).save("colour.tif")
    METHODS["welsh"](reference_pixels).predict_ab(L, hint_ab, hint_mask)

Only Levin's spreads hints by itself; with the others they are met, and shared by what is near and alike, as with a
model (`inference/hint_residual`).
"""

import hashlib
from collections.abc import Callable
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16

from hybridvit.classical import levin, reinhard, rules, welsh
from hybridvit.color.lab import rgb_to_lab
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.predictor import Hints, Predicted
from hybridvit.inference.view import shrink, view_size
from hybridvit.runtime.compilation import enable_compilation_cache
from hybridvit.version import VERSION

REFERENCE_SIZE = 256  # px, shorter side that a reference is reduced to

Colour = Callable[
    [Float[np.ndarray, "h w"], Float[np.ndarray, "h w 2"], Bool[np.ndarray, "h w"]],
    Float[np.ndarray, "h w 2"],
]
Reference = UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]


class Method:
    """One of the methods as a `Predict`: it has no distribution of colours, and its vivid colours are its only ones.

    `module` holds its constants, of which the digest is, beside the reference's pixels.
    """

    def __init__(self, module: ModuleType, colour: Colour, reference: Reference | None = None):
        self.name = module.__name__.rpartition(".")[-1]
        self._colour = colour
        constants = {name: x for name, x in vars(module).items() if name.strip("_").isupper()}
        digest = hashlib.sha256(repr((self.name, VERSION, sorted(constants.items()))).encode())
        if reference is not None:
            digest.update(repr((reference.shape, reference.dtype.str)).encode() + reference.tobytes())
        self.digest = digest.hexdigest()
        self.provenance = {"method": self.name, "parameters_sha256": self.digest}

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted:
        hint_ab, mask = hints or (np.zeros((*L.shape, 2), np.float32), np.zeros(L.shape, bool))
        ab = np.stack([self._colour(*one) for one in zip(L, hint_ab, mask, strict=True)])
        return Predicted(ab, ab, None)


def load_method(name: str, reference: Reference | None = None) -> Colorizer:
    """A method of METHODS; compiled programs are kept on disk from now on. Raises ValueError without its reference."""
    enable_compilation_cache()
    return METHODS[name](reference)


def _levin(reference: Reference | None) -> Colorizer:
    return Colorizer(Method(levin, levin.propagate))


def _rules(reference: Reference | None) -> Colorizer:
    return Colorizer(Method(rules, lambda L, hint_ab, mask: rules.tint(L)))


def _transfer(module: ModuleType) -> Callable[[Reference | None], Colorizer]:
    def build(reference: Reference | None) -> Colorizer:
        if reference is None:
            raise ValueError(f"{module.__name__.rpartition('.')[-1]} needs a reference photograph")
        lab = _lab(reference)
        return Colorizer(Method(module, lambda L, hint_ab, mask: module.transfer(L, lab), reference))

    return build


METHODS: dict[str, Callable[[Reference | None], Colorizer]] = {
    "levin": _levin,
    "welsh": _transfer(welsh),
    "reinhard": _transfer(reinhard),
    "rules": _rules,
}
REFERENCED = ("welsh", "reinhard")  # these need a reference, sRGB; the others leave it alone


def _lab(reference: Reference) -> Float[np.ndarray, "r c 3"]:
    rgb = shrink(reference, *view_size(*reference.shape[:2], REFERENCE_SIZE))
    return np.asarray(jax.jit(rgb_to_lab)(jnp.asarray(rgb)))
