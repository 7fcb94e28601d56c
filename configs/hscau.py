"""HSCAU-Net (Gachon University, 2022): hints, and attention to hints, places and channels, in a U-Net.

    python -m hybridvit.main --config=configs/hscau.py[:variant] --config.data.color_dir=...

L and hints to ab, by 0.8 L1 + 0.2 (1 - SSIM). Hints are single pixels: 0.5 % of them as where the original is
evaluated, up to 3 % as where it is trained. The learning rate falls at the same shares of the run as there (epochs 186,
286 and 324 of 338). The variants are those of configs/ssl_vit.py.
"""

from configs import ssl_vit, supervised_vit

VARIANTS = ssl_vit.VARIANTS


def get_config(variant: str = "bundled"):
    """The experiment's record; raises ValueError for an unknown variant."""
    config = supervised_vit.get_config(variant)
    config.name = f"hscau-{variant}"
    config.model.name, config.model.variant = "HSCAUNet", "32"
    config.model.encoder_weights, config.optim.frozen_stages = "", 0  # which ssl_vit.py:few has
    if variant in ("folder", "tfds"):
        config.data.image_size = 256
        config.data.batch_size = 32
    pixels = config.data.image_size**2
    config.hints.none_fraction = 0.0
    config.hints.min_count, config.hints.max_count = round(0.005 * pixels), round(0.03 * pixels)
    config.hints.cell_sizes = (1,)
    config.degrade.labeled_probability = 0.0
    config.supervised.loss = "l1_ssim"
    config.bins.weight = 0.0
    config.train.best_metric = "psnr"
    config.optim.learning_rate = 5e-4
    config.optim.warmup_steps = 0
    config.optim.schedule = "steps"
    config.optim.step_shares = (0.55, 0.85, 0.96)
    config.optim.step_factors = (0.1, 0.1, 0.01)
    config.optim.weight_decay = 0.0
    config.optim.b1, config.optim.b2 = 0.5, 0.999
    return config
