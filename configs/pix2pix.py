"""Paired image translation (pix2pix, Isola et al. 2017): L1 times 100 and a 70 x 70 PatchGAN, and six generators.

    python -m hybridvit.main --config=configs/pix2pix.py[:variant] --config.data.color_dir=PAIRS

unet      U-Net, as in the paper (54.4 M parameters)
unetpp    U-Net++, with deep supervision (Zhou et al. 2018)
unet3p    UNet 3+, with deep supervision (Huang et al. 2020)
linknet   LinkNet (Chaurasia and Culurciello 2017)
r2unet    R2U-Net (Alom et al. 2018)
resnet    the residual generator of CycleGAN: a custom one

PAIRS is a folder of gray and colour squares side by side; with the colours to the left,
--config.data.pairs_order=color-gray. --config.data.kind=bundled is a trial without any. Progressive growing, with any
of them: --config.growing.first_side=64 --config.growing.steps=2000
"""

from configs import base

VARIANTS = {
    "unet": ("UNet", "256"),
    "unetpp": ("UNetPlusPlus", "32"),
    "unet3p": ("UNet3Plus", "64"),
    "linknet": ("LinkNet", "64"),
    "r2unet": ("R2UNet", "64"),
    "resnet": ("ResNetGenerator", "9"),
}


def get_config(variant: str = "unet"):
    """The experiment's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/pix2pix.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = base.get_config()
    config.name = f"pix2pix-{variant}"
    config.model.name, config.model.variant = VARIANTS[variant]
    translate(config)
    config.data.kind = "pairs"
    config.data.unlabeled_batch_size = 0
    config.data.batch_size = 4  # 1 to 10 in the paper
    config.supervised.loss = "l1"
    config.supervised.weight = 100.0
    config.adversarial.loss = "vanilla"
    config.adversarial.norm = "batch"
    config.train.steps = 50_000  # 200 epochs of 1000 pairs
    return config


def translate(config):
    """What pix2pix and CycleGAN have in common: section 3.3 and appendix 6.2 of the former."""
    config.data.image_size = 256
    config.data.crop_scale = (0.895, 0.895)  # 256 of 286 px
    config.model.hints = False
    config.degrade.labeled_probability = 0.0
    config.bins.weight = 0.0
    config.consistency.weight = 0.0
    config.adversarial.weight = 1.0
    config.adversarial.b1, config.adversarial.b2 = 0.5, 0.999
    config.optim.learning_rate = config.adversarial.learning_rate = 2e-4
    config.optim.warmup_steps = 0
    config.optim.schedule = "linear"
    config.optim.final_fraction = 0.0
    config.optim.weight_decay = 0.0
    config.optim.b1, config.optim.b2 = 0.5, 0.999
    config.optim.clip_norm = 1e6  # none
    config.eval.hint_counts = (0,)
    config.train.log_every = 50
    config.train.eval_every = 2000
    config.train.checkpoint_every = 1000
