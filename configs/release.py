"""The recipe of the weights in hybridvit/pretrained/: three runs, each from the weights of the one before.

    python -m hybridvit.main --config=configs/release.py:64 --config.data.color_dir=... --config.data.eval_dir=...
    python -m hybridvit.main --config=configs/release.py:128 (the same) --config.init_from=runs/release-64
    python -m hybridvit.main --config=configs/release.py:192 (the same) --config.init_from=runs/release-128

A picture at 64 px costs a quarter of one at 128, so what things are and which colours they have is learnt there; the
later runs teach edges and hints at their final scale. Supervised alone: every photograph at hand is a colour one.
hybridvit/pretrained/README.md says what it was run on and what came out.
"""

from configs import supervised_vit


def get_config(variant: str = "64"):
    """One of the three runs; raises ValueError for another size."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/release.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = supervised_vit.get_config("folder")
    config.name = f"release-{variant}"
    config.model.variant = "XS"
    config.degrade.labeled_probability = 0.3
    config.data.image_size = int(variant)
    config.data.crop_scale = (0.6, 1.0)
    config.data.eval_limit = 100
    config.eval.hint_counts = (0, 1, 10, 100)
    config.optim.warmup_steps = 200
    config.train.eval_every = 500
    config.train.checkpoint_every = 250
    VARIANTS[variant](config)
    return config


def _at_64(config):
    """Most of the pictures."""
    config.data.batch_size = 64
    config.hints.cell_sizes = (1, 2, 4)
    config.optim.final_fraction = 0.3
    config.train.steps = 4000


def _at_128(config):
    """Edges and hints."""
    config.data.batch_size = 32
    config.optim.learning_rate = 8e-4
    config.optim.final_fraction = 0.05
    config.train.steps = 2600


def _at_192(config):
    """The photographs at their own size."""
    config.data.batch_size = 16
    config.optim.learning_rate = 2.5e-4
    config.train.steps = 860


VARIANTS = {"64": _at_64, "128": _at_128, "192": _at_192}
