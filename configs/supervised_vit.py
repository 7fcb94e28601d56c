"""As configs/ssl_vit.py without the grayscale photographs: what semi-supervision is measured against.

    python -m hybridvit.main --config=configs/supervised_vit.py[:variant]

The variants are those of configs/ssl_vit.py.
"""

from configs import ssl_vit


def get_config(variant: str = "bundled"):
    """The experiment's record; raises ValueError for an unknown variant."""
    config = ssl_vit.get_config(variant)
    config.name = f"supervised_vit-{variant}"
    config.data.unlabeled_batch_size = 0
    config.consistency.weight = config.consistency.neighbours = 0.0
    config.restoration.weight = 0.0
    config.restoration.pretrain_steps = 0
    config.train.by_labels = False
    return config
