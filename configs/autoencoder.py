"""Autoencoders, alone and with a classifier's view of the whole picture fused in.

    python -m hybridvit.main --config=configs/autoencoder.py[:variant] --config.data.color_dir=...

alpha   layers and nothing else (the first network of E. Wallner's "How to colorize black and white photos", 2017)
beta    deeper, to more of the picture at once
full    with the embedding of a frozen classifier replicated over the grid and fused (Baldassarre et al. 2017, Deep
        Koalarization). The classifier is the encoder of our own released weights; a ViT in the .npz form of
        google-research/vision_transformer is named by --config.model.variant=full:ViT-B_16 and
        --config.model.embedding=ViT-B_16.npz
"""

from configs import supervised_vit

VARIANTS = ("alpha", "beta", "full")


def get_config(variant: str = "full"):
    """The experiment's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/autoencoder.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = supervised_vit.get_config("folder")
    config.name = f"autoencoder-{variant}"
    config.model.name = "Autoencoder"
    config.model.variant = "full:Lite2" if variant == "full" else variant
    config.model.hints = False
    config.degrade.labeled_probability = 0.0
    config.supervised.loss = "l2"
    config.bins.weight = 0.0
    config.optim.learning_rate = 1e-3
    config.optim.weight_decay = 0.0
    config.eval.hint_counts = (0,)
    return config
