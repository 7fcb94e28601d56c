"""Weights for the frozen classifier of `models.autoencoder`, from a file that the user gives or from our own model."""

import os
from typing import Any

from hybridvit.inference.weights import PRETRAINED, load_weights
from hybridvit.models.embedding import VITS, own_encoder, read_vit


def load_embedding(classifier: str, path: str | os.PathLike = "") -> dict[str, Any]:
    """The variables of the classifier of that name, a nested dict; they belong under "classifier" in the statistics.

    `path` is the `.npz` file of a ViT, or weights of a HybridConvViT (see `load_weights`; empty: those that come with
    the package). Raises FileNotFoundError or ValueError, one line.
    """
    if classifier in VITS:
        if not path:
            raise ValueError(f"{classifier} comes without weights: give its .npz file")
        return read_vit(path, classifier)
    weights = load_weights(path or PRETRAINED)
    if (weights.model.name, weights.model.variant) != ("HybridConvViT", classifier):
        found = f"{weights.model.name} {weights.model.variant}"
        raise ValueError(
            f"{path or PRETRAINED} is a {found}, not a HybridConvViT {classifier}: name such weights by "
            "config.model.embedding, or the classifier that these are of by config.model.variant, as in full:Lite2"
        )
    return own_encoder(weights.params, classifier)
