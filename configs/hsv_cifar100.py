"""Colouring CIFAR-100 in HSV: the value goes in, hue and saturation come out; and in the other colour spaces.

    python -m hybridvit.main --config=configs/hsv_cifar100.py[:variant]

The variants are the colour spaces: hsv, lab, yuv, rgb. All else is equal, so that the four compare the spaces. The
dataset is prepared once, with TensorFlow installed:
python -c "import tensorflow_datasets as t; t.builder('cifar100', file_format='array_record').download_and_prepare()"
"""

from configs import supervised_vit

VARIANTS = ("hsv", "lab", "yuv", "rgb")


def get_config(variant: str = "hsv"):
    """The experiment's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/hsv_cifar100.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = supervised_vit.get_config("cifar10")
    config.name = f"hsv_cifar100-{variant}"
    config.color.space = variant
    config.data.tfds_name = "cifar100"
    config.data.labeled_fraction = 1.0
    config.model.hints = False
    config.degrade.labeled_probability = 0.0
    config.bins.weight = 0.0
    config.eval.hint_counts = (0,)
    return config
