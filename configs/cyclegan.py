"""CycleGAN (Zhu et al. 2017): colour and gray photographs that do not correspond, translated both ways.

    python -m hybridvit.main --config=configs/cyclegan.py[:variant] --config.data.color_dir=C --config.data.gray_dir=G

256   px, residual generators of 9 blocks
128   px, of 6 blocks

What is evaluated is the generator of colours from gray, on colour photographs held out of C.
--config.data.kind=bundled is a trial without folders.
"""

from configs import base, pix2pix

VARIANTS = {"256": "9", "128": "6"}


def get_config(variant: str = "256"):
    """The experiment's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/cyclegan.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = base.get_config()
    config.name = f"cyclegan-{variant}"
    config.model.name, config.model.variant = "ResNetGenerator", VARIANTS[variant]
    pix2pix.translate(config)
    config.data.kind = "folder"
    config.data.labeled_as_unlabeled = False  # else gray pictures would have their colours in the other set
    config.data.image_size = int(variant)
    config.data.batch_size = config.data.unlabeled_batch_size = 1
    config.color.space = "rgb"
    config.supervised.weight = 0.0
    config.adversarial.loss = "least_squares"
    config.adversarial.norm = "instance"
    config.cycle.weight = 10.0
    config.train.steps = 200_000  # 200 epochs of 1000 pictures
    return config
