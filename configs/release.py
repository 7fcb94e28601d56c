r"""The recipe of the weights in hybridvit/pretrained/: three runs, each from the weights of the one before.

    python -m hybridvit.main --config=configs/release.py:128 --config.data.color_dir=... --config.data.eval_dir=...
    python -m hybridvit.main --config=configs/release.py:224 (the same) --config.init_from=runs/release-128
    python -m hybridvit.main --config=configs/release.py:last --config.init_from=runs/release-224 \
        --config.data.color_dir=... (photographs that the others have not seen) --config.data.eval_dir=...
    python -m hybridvit.inference.weights --checkpoint=runs/release-last --chroma-scale=0.8 --output=...

The encoder knows from ImageNet what things are; which colours they have is learnt at 128 px, where a picture costs a
third of one at 224, and edges, hints and things at their final scale in the second run. Supervised alone: every
photograph at hand is a colour one. hybridvit/pretrained/README.md says what it was run on and what came out.
"""

from configs import supervised_vit


def get_config(variant: str = "128"):
    """One of the three runs; raises ValueError for another size."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/release.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = supervised_vit.get_config("folder")
    config.name = f"release-{variant}"
    config.model.variant = "Lite2"
    config.model.encoder_weights = "Lite2"
    config.model.drop_path = 0.2
    config.degrade.labeled_probability = 0.3
    config.data.eval_limit = 0
    config.eval.hint_counts = (0, 1, 10, 100)
    config.optim.encoder_scale = 0.3
    config.optim.layer_decay = 0.9
    config.optim.warmup_steps = 300
    VARIANTS[variant](config)
    return config


def _at_128(config):
    """Most of the pictures."""
    config.data.image_size = 128
    config.data.batch_size = 256
    config.data.crop_scale = (0.5, 1.0)
    config.cutmix.probability = 0.25
    config.optim.final_fraction = 0.1
    config.optim.ema_decay = 0.9995
    config.train.steps = 8000


def _at_224(config):
    """The photographs a little above their own size, and more against learning them by heart."""
    config.data.image_size = 224
    config.data.batch_size = 128
    config.data.crop_scale = (0.5, 1.0)
    config.cutmix.probability = 0.5
    config.degrade.labeled_probability = 0.5
    config.model.drop_path = 0.3
    config.optim.learning_rate = 2e-4
    config.optim.ema_decay = 0.9995
    config.train.steps = 4000


def _last(config):
    """The last layers on photographs that no run has seen: training's are known by heart, so its colours are too sure.

    With l2, whose best answer is the mean.
    """
    config.data.image_size = 256
    config.data.batch_size = 16
    config.data.crop_scale = (0.7, 1.0)
    config.model.drop_path = 0.0
    config.supervised.loss = "l2"
    config.supervised.weight = 10.0
    config.optim.trained = ("offset", "upsampling", "bins")
    config.optim.learning_rate = 3e-4
    config.optim.warmup_steps = 20
    config.optim.weight_decay = 0.0
    config.optim.ema_decay = 0.98
    config.train.steps = 300
    config.train.log_every = 10
    config.train.checkpoint_every = 100
    config.train.eval_every = 300


def _local(config):
    """A hint keeps to its thing: of a third of the pictures one thing is recoloured. The encoder and the heads stay."""
    config.data.image_size = 96
    config.data.batch_size = 32
    config.data.crop_scale = (0.5, 1.0)
    config.cutmix.probability = 0.25
    config.hints.recolored = 0.33
    config.optim.frozen_stages = 8
    config.optim.trained = (
        "half",
        "blocks",
        "up_eighth",
        "decoder_eighth",
        "up_quarter",
        "decoder_quarter",
        "propagation",
    )
    config.model.drop_path = 0.0
    config.optim.learning_rate = 1e-4
    config.optim.warmup_steps = 50
    config.optim.ema_decay = 0.995
    config.train.steps = 1500
    config.train.checkpoint_every = 250
    config.train.eval_every = 1500


VARIANTS = {"128": _at_128, "224": _at_224, "last": _last, "local": _local}
