"""The generators by name. A new one: a module that returns a `Prediction`, and a line here."""

from hybridvit.models.hybrid_conv_vit import HybridConvViT

GENERATORS = {"HybridConvViT": HybridConvViT}
