"""hybridvit in ComfyUI: a node that colours pictures, with hints from a transparent layer.

Copy or link this folder into ComfyUI/custom_nodes and `pip install hybridvit` where ComfyUI runs. It needs neither
ComfyUI's models nor its sampler: a node with the interface that all custom nodes have, and hybridvit's Python API.
"""

import functools

import numpy as np
import torch

import hybridvit
from hybridvit.hints.layer import hints_of_layer


@functools.lru_cache(maxsize=2)
def _load(weights: str) -> "hybridvit.Colorizer":
    return hybridvit.load(weights)


class HybridvitColorize:
    """Colours a batch; `hints` and `hints_mask` are what "Load Image" makes of a PNG with a transparent layer."""

    CATEGORY = "image/color"
    FUNCTION = "colorize"
    RETURN_TYPES = ("IMAGE", "MASK")
    RETURN_NAMES = ("image", "doubt")
    DESCRIPTION = "Colours grayscale photographs. Where you know a colour, paint it on a transparent layer."

    @classmethod
    def INPUT_TYPES(cls) -> dict:  # noqa: N802
        """The node's inputs, as ComfyUI asks for them."""
        return {
            "required": {
                "image": ("IMAGE",),
                "decode": (["vivid", "mean", "sample"],),
                "strength": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 10.0, "step": 0.05}),
                "size": ("INT", {"default": 256, "min": 64, "max": 1024, "step": 32}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**31 - 100}),
                "weights": ("STRING", {"default": "pretrained"}),
            },
            "optional": {"hints": ("IMAGE",), "hints_mask": ("MASK",)},
        }

    def colorize(
        self,
        image: torch.Tensor,
        decode: str,
        strength: float,
        size: int,
        seed: int,
        weights: str,
        hints: torch.Tensor | None = None,
        hints_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures are float `[b, h, w, 3]` in 0..1, masks `[b, h, w]`; the mask of a PNG is 1 where it is transparent.

        The doubt is the chance that a colour is clearly off, 0 where a model does not say. Raises ValueError, one line.
        """
        if (hints is None) != (hints_mask is None):
            raise ValueError("hints and hints_mask come from one Load Image: connect both, or neither")
        shapes = []
        if hints is not None:
            if hints.shape[1:3] != image.shape[1:3] or hints_mask.shape[1:3] != image.shape[1:3]:
                raise ValueError(
                    f"the hints are {tuple(hints.shape[1:3])} px and the picture {tuple(image.shape[1:3])}: "
                    "paint them on a layer of the same size"
                )
            rgb = np.round(255 * hints[0, ..., :3].cpu().numpy()).astype(np.uint8)
            shapes = hints_of_layer(rgb, 1 - hints_mask[0].cpu().numpy().astype(np.float64))
        colorizer, pictures, doubts = _load(weights), [], []
        for one in image.cpu().numpy():
            found = colorizer.colorize(
                np.clip(one[..., :3], 0, 1), shapes, decode=decode, strength=strength, size=size, seed=seed
            )
            pictures.append(found.rgb.astype(np.float32) / np.iinfo(found.rgb.dtype).max)
            doubts.append(np.zeros((1, 1), np.float32) if found.uncertainty is None else found.uncertainty)
        masks = torch.from_numpy(np.stack(doubts))[:, None]
        masks = torch.nn.functional.interpolate(masks, size=tuple(image.shape[1:3]), mode="bilinear")[:, 0]
        return torch.from_numpy(np.stack(pictures)), masks


NODE_CLASS_MAPPINGS = {"HybridvitColorize": HybridvitColorize}
NODE_DISPLAY_NAME_MAPPINGS = {"HybridvitColorize": "Colorize photograph (hybridvit)"}
