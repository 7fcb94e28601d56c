"""Another task for the same network: taking grain, scratches, dust, blur and fading off gray photographs.

    python -m hybridvit.main --config=configs/restore_vit.py[:variant] --config.data.color_dir=...

What is taken off is what hybridvit/augment/degrade.py adds, by the probabilities of config.degrade; it is evaluated
against the aged picture. The variants are those of configs/ssl_vit.py.
"""

from configs import ssl_vit, supervised_vit

VARIANTS = ssl_vit.VARIANTS


def get_config(variant: str = "bundled"):
    """The experiment's record; raises ValueError for an unknown variant."""
    config = supervised_vit.get_config(variant)
    config.name = f"restore_vit-{variant}"
    config.task = "restore"
    config.model.hints = False
    config.degrade.tone = 0.0  # how a photograph was exposed and developed is no damage
    config.degrade.vignette = 0.0
    config.degrade.cutout = 0.0
    config.bins.weight = 0.0
    config.train.best_metric = "psnr"
    config.adversarial.weight = 0.0
    config.eval.hint_counts = (0,)
    return config
