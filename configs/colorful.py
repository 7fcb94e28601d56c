"""Colorful Image Colorization (Zhang, Isola and Efros 2016): a distribution over 313 bins, and nothing else.

    python -m hybridvit.main --config=configs/colorful.py[:variant] --config.data.color_dir=...

Soft encoding over 5 neighbours (sigma 5), class rebalancing (lambda 0.5), annealed mean at T 0.38. The variants are
those of configs/ssl_vit.py. Published weights are converted by `python -m hybridvit.inference.convert`.
"""

from configs import supervised_vit


def get_config(variant: str = "bundled"):
    """The experiment's record; raises ValueError for an unknown variant."""
    config = supervised_vit.get_config(variant)
    config.name = f"colorful-{variant}"
    config.model.name = "Eccv16"
    config.model.variant = "paper"
    config.model.encoder_weights, config.optim.frozen_stages = "", 0  # which ssl_vit.py:few has
    config.model.hints = False
    config.degrade.labeled_probability = 0.0
    config.supervised.weight = 0.0
    config.bins.weight = 1.0
    config.bins.uniform_mix = 0.5
    config.optim.learning_rate = 3e-5  # section 3.1: Adam, beta 0.9 and 0.99, weight decay 1e-3
    config.optim.b1, config.optim.b2 = 0.9, 0.99
    config.optim.weight_decay = 1e-3
    config.eval.hint_counts = (0,)
    return config
