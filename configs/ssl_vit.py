"""The flagship: HybridConvViT trained on labeled colour and unlabeled grayscale photographs.

    python -m hybridvit.main --config=configs/ssl_vit.py[:variant] [--config.FIELD=VALUE ...]

bundled   (default) the photographs inside the scikit-image wheel; no data to fetch, minutes on two CPU cores
folder    your own: --config.data.color_dir=... --config.data.gray_dir=... [--config.data.eval_dir=...]
few       the same, where few are in colour: counts them, and takes what configs/label_efficiency.py found best
tfds      any image dataset of TFDS: --config.data.tfds_name=...
cifar10   32 px, 10 % labeled, through TFDS
imagenet  the pod-scale recipe: B at 256 px, batch 1024 + 1024, bfloat16, parameters sharded over 8 devices
"""

from configs import base


def get_config(variant: str = "bundled"):
    """The experiment's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/ssl_vit.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    config = base.get_config()
    config.name = f"ssl_vit-{variant}"
    config.restoration.weight = 1.0
    VARIANTS[variant](config)
    return config


def bundled(config):
    """Shows that everything runs; five photographs teach nothing beyond themselves."""
    config.data.kind = "bundled"
    config.data.image_size = 96
    config.data.crop_scale = (0.25, 0.6)  # at the scale of the held-out tiles
    config.eval.image_size = 128
    config.data.batch_size = 16
    config.data.unlabeled_batch_size = 8
    config.optim.learning_rate = 5e-4
    config.train.steps = 600
    config.train.eval_every = 100


def folder(config):
    """A laptop or one GPU, thousands of photographs."""
    config.data.kind = "folder"
    config.train.steps = 20_000
    config.train.eval_every = 1000
    config.train.checkpoint_every = 1000
    config.optim.warmup_steps = 500
    config.consistency.warmup_steps = 2000


def few(config):
    """A hundred or a thousand colour photographs among many gray ones, from an encoder that has learnt to see."""
    folder(config)
    config.model.variant = config.model.encoder_weights = "Lite2"
    config.optim.frozen_stages = 8  # all of the encoder: few labels would only harm it
    config.cutmix.probability = 0.5  # they are not so soon known by heart
    config.restoration.weight = 0.0  # the encoder knows already what it would teach
    config.consistency.views = 1
    config.train.steps = 2000
    config.train.eval_every = config.train.checkpoint_every = 100
    config.train.best_metric = "log_likelihood"
    config.optim.warmup_steps = 50
    config.consistency.warmup_steps = 100
    config.train.by_labels = True  # changes what is below: these are for five hundred
    config.consistency.neighbours = 0.3
    config.data.batch_size = 26
    config.data.unlabeled_batch_size = 6


def tfds(config):
    """As folder, from a dataset prepared with file_format='array_record'."""
    folder(config)
    config.data.kind = "tfds"


def cifar10(config):
    """32 x 32 px: every crop is the whole picture."""
    tfds(config)
    config.data.tfds_name = "cifar10"
    config.data.labeled_fraction = 0.1
    config.data.image_size = 32
    config.data.crop_scale = (0.8, 1.0)
    config.data.batch_size = 64
    config.data.unlabeled_batch_size = 128
    config.data.eval_limit = 1000
    config.eval.image_size = 32
    config.eval.batch_size = 40
    config.hints.max_count = 16
    config.hints.cell_sizes = (1, 2)


def imagenet(config):
    """For a TPU v4-64 or 64 GPUs: 1.28 M photographs, a tenth labeled, about 160 epochs of the labeled ones."""
    config.data.kind = "tfds"
    config.data.tfds_name = "imagenet2012"
    config.data.tfds_split = "train"
    config.data.tfds_eval_split = "validation"
    config.data.labeled_fraction = 0.1
    config.data.image_size = 256
    config.data.crop_scale = (0.5, 1.0)
    config.data.batch_size = 1024
    config.data.unlabeled_batch_size = 1024
    config.data.num_threads = 16
    config.data.num_workers = 16
    config.data.prefetch = 8
    config.data.eval_limit = 5000
    config.eval.batch_size = 256
    config.model.variant = "B"
    config.model.dtype = "bfloat16"
    config.model.remat = True
    config.mesh.fsdp = 8
    config.optim.learning_rate = 2e-3
    config.optim.warmup_steps = 2000
    config.optim.ema_decay = 0.9998
    config.consistency.warmup_steps = 4000
    config.adversarial.weight = 0.01
    config.adversarial.start_step = 10_000
    config.train.steps = 20_000
    config.train.log_every = 50
    config.train.eval_every = 1000
    config.train.checkpoint_every = 500
    config.train.keep_last = 3


VARIANTS = {f.__name__: f for f in (bundled, folder, few, tfds, cifar10, imagenet)}
