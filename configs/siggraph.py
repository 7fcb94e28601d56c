"""Real-time user-guided colorization with learned priors (Zhang et al. 2017): hints, regression and bins.

    python -m hybridvit.main --config=configs/siggraph.py[:variant] --config.data.color_dir=...

Hints are drawn as in its section 3.2. The variants are those of configs/ssl_vit.py. Published weights are converted by
`python -m hybridvit.inference.convert`.
"""

from configs import supervised_vit


def get_config(variant: str = "bundled"):
    """The experiment's record; raises ValueError for an unknown variant."""
    config = supervised_vit.get_config(variant)
    config.name = f"siggraph-{variant}"
    config.model.name = "Siggraph17"
    config.model.variant = "paper"
    config.model.encoder_weights, config.optim.frozen_stages = "", 0  # which ssl_vit.py:few has
    config.hints.kind = "points"
    config.degrade.labeled_probability = 0.0
    config.supervised.loss = "huber"  # the paper's smooth l1, its threshold in ab units over 110
    config.supervised.delta = 1 / 110
    config.supervised.weight = 10.0
    config.bins.weight = 1.0
    config.bins.uniform_mix = 1.0  # the distribution is not rebalanced
    config.optim.learning_rate = 1e-4
    config.optim.b1, config.optim.b2 = 0.9, 0.99
    config.optim.weight_decay = 0.0
    return config
