"""Whether the numbers of a config make sense, before anything is built from it.

What depends on more than the number (devices, folders, the model's variants) is checked where it is used.
"""

import math
from operator import attrgetter

from ml_collections import ConfigDict

from hybridvit.color.spaces import SPACES
from hybridvit.data.transforms import EVAL_VIEWS
from hybridvit.measures.likelihood import LIKELIHOODS
from hybridvit.models.hybrid_conv_vit import VARIANTS
from hybridvit.objectives.adversarial import GENERATOR_LOSSES
from hybridvit.objectives.consistency import CONFIDENCES
from hybridvit.objectives.supervised import LOSSES
from hybridvit.runtime.trackers import TRACKERS
from hybridvit.training.growing import plan_stages

CHOICES = {
    "task": ("colorize", "restore"),
    "hints.kind": ("cells", "points"),
    "color.space": tuple(SPACES),
    "supervised.loss": tuple(LOSSES),
    "model.dtype": ("float32", "bfloat16"),
    "consistency.views": (1, 2),
    "consistency.teacher": ("ema", "live"),
    "consistency.gate": tuple(CONFIDENCES),
    "adversarial.loss": tuple(GENERATOR_LOSSES),
    "adversarial.norm": ("spectral", "batch", "instance", "none"),
    "train.tracker": ("tensorboard", *TRACKERS),
    "train.best_metric": ("psnr", "ssim", *LIKELIHOODS),
    "optim.kind": ("adamw", "muon"),
    "eval.view": tuple(EVAL_VIEWS),
    "optim.schedule": ("cosine", "constant", "linear", "steps"),
}
RANGES = {  # least, most, in words: fields
    (0, math.inf, "0 or more"): """
        data.unlabeled_batch_size data.eval_limit data.gray_chroma data.num_threads data.num_workers data.prefetch
        degrade.strength supervised.weight bins.weight consistency.weight consistency.warmup_steps
        restoration.weight restoration.pretrain_steps adversarial.weight adversarial.r1_weight
        adversarial.start_step adversarial.learning_rate cycle.weight cycle.identity growing.first_side
        optim.learning_rate optim.weight_decay optim.encoder_scale optim.frozen_stages eval.hint_counts
        eval.protocol_pictures""",
    (1, math.inf, "1 or more"): """
        data.image_size data.batch_size hints.min_count hints.max_count hints.cell_sizes adversarial.width
        adversarial.num_layers cycle.pool_size growing.steps optim.accumulate train.steps train.log_every
        train.checkpoint_every train.eval_every train.max_skipped eval.grid_pictures eval.batch_size""",
    (math.ulp(0.0), math.inf, "more than 0"): """
        supervised.delta bins.sigma consistency.temperature consistency.radius consistency.agreement
        optim.clip_norm""",
    (0, 1, "within 0 and 1"): """
        model.drop_path data.eval_fraction hints.none_fraction hints.recolored degrade.labeled_probability
        degrade.film degrade.tone degrade.fade degrade.vignette degrade.blur degrade.grain degrade.scratches
        degrade.dust degrade.jpeg degrade.cutout cutmix.probability bins.uniform_mix bins.prior_decay
        consistency.threshold consistency.floor consistency.neighbours adversarial.b1 adversarial.b2 optim.layer_decay
        optim.final_fraction optim.step_shares optim.step_factors optim.b1 optim.b2 optim.ema_decay""",
    (0, 2**31 - 1, "within 0 and 2147483647"): "seed",
    (11, math.inf, "11 or more, the window of SSIM"): "eval.image_size",
}


SINCE_0_1 = {  # fields that older checkpoints do not have, as they were without them
    "hints": {"recolored": 0.0},
    "consistency": {"neighbours": 0.0},
    "train": {"by_labels": False, "tracker": "tensorboard"},
    "model": {"encoder_weights": "", "drop_path": 0.0},
    "eval": {
        "view": "center",
        "vivid": False,
        "classifier": "",
        "inception": "",
        "lpips_backbone": "",
        "lpips_linear": "",
        "protocol": "",
        "protocol_pictures": 0,
    },
    "optim": {
        "kind": "adamw",
        "encoder_scale": 1.0,
        "layer_decay": 1.0,
        "frozen_stages": 0,
        "trained": (),
        "ema_warmup": True,
    },
}


def saved_config(run: dict) -> ConfigDict:
    """The config that a checkpoint was saved with; raises ValueError, one line, if it is none, or cannot work."""
    try:
        config = ConfigDict(run["config"])
        for section, fields in SINCE_0_1.items():
            config[section].update(
                {name: value for name, value in fields.items() if name not in config[section]}
            )
        check_config(config)
    except ValueError as error:  # which shows a value, and that may be anything
        raise ValueError(" ".join(str(error).split())[:300]) from None
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise ValueError(f"the config in the checkpoint is not one of this version ({reason})") from None
    return config


def check_config(config: ConfigDict) -> None:
    """Raises ValueError, one line that names the field, for the first one that cannot work."""
    for field, choices in CHOICES.items():
        value = attrgetter(field)(config)
        if value not in choices:
            raise ValueError(f"config.{field}={value} is none of {', '.join(map(str, choices))}")
    for (low, high, wanted), fields in RANGES.items():
        for field in fields.split():
            value = attrgetter(field)(config)
            numbers = value if isinstance(value, tuple | list) else [value]
            if not numbers or not all(low <= number <= high for number in numbers):
                raise ValueError(f"config.{field}={value} must be {wanted}")
    if config.consistency.neighbours > 0 and config.optim.accumulate > 1:
        raise ValueError(
            f"config.consistency.neighbours={config.consistency.neighbours:g} fills its memory once a step: set "
            f"config.optim.accumulate={config.optim.accumulate} to 1"
        )
    if config.hints.min_count > config.hints.max_count:
        raise ValueError(
            f"config.hints.min_count={config.hints.min_count} is more than "
            f"config.hints.max_count={config.hints.max_count}"
        )
    if config.hints.recolored and (config.color.space != "lab" or config.hints.kind != "cells"):
        raise ValueError(
            f"config.hints.recolored={config.hints.recolored} needs config.color.space=lab and "
            "config.hints.kind=cells: set it to 0"
        )
    shares, factors = config.optim.step_shares, config.optim.step_factors
    if len(shares) != len(factors) or list(shares) != sorted(set(shares)):
        raise ValueError(
            f"config.optim.step_shares={shares} must rise and be as many as config.optim.step_factors={factors}"
        )
    if config.train.best_metric in LIKELIHOODS and config.bins.weight == 0:
        raise ValueError(
            f"config.train.best_metric={config.train.best_metric} needs the bins: set config.bins.weight above 0"
        )
    for section in ("bins", "consistency", "restoration"):
        weight = config[section].weight
        if weight > 0 and (config.color.space, config.task) != ("lab", "colorize"):
            raise ValueError(
                f"config.{section}.weight={weight} is for colouring in Lab, and this is config.task={config.task} "
                f"with config.color.space={config.color.space}: set it to 0"
            )
    if config.eval.vivid and (config.color.space, config.task) != ("lab", "colorize"):
        raise ValueError(
            f"config.eval.vivid is of colouring in Lab, and this is config.task={config.task} with "
            f"config.color.space={config.color.space}: set it to False"
        )
    if config.task == "restore" and config.model.hints:
        raise ValueError("config.model.hints is for colouring: set it to False for config.task=restore")
    check_sizes(config)
    first = config.restoration.pretrain_steps
    if first > 0 and config.restoration.weight == 0:
        raise ValueError(
            f"config.restoration.pretrain_steps={first} needs config.restoration.weight above 0: set one or the other"
        )
    if first >= config.train.steps:
        raise ValueError(
            f"config.restoration.pretrain_steps={first} leaves none of config.train.steps={config.train.steps} to "
            "learn colours in: lower it"
        )
    if config.cycle.weight > 0:
        check_cycle(config)


def check_sizes(config: ConfigDict) -> None:
    """Raises ValueError, one line, for pictures that the networks, or progressive growing, cannot work on."""
    size, first = config.data.image_size, config.growing.first_side or config.data.image_size
    stride = stride_of(config.model)
    for field, side in (("data.image_size", size), ("growing.first_side", first)):
        # Else the padding lies on the other side of the mirrored view: the teacher disagrees with itself
        if side % stride:
            below = side // stride * stride
            choice = f"{below} or {below + stride}" if below else stride
            raise ValueError(f"config.{field}={side} is no multiple of {stride}: set it to {choice}")
    layers = config.adversarial.num_layers
    if config.adversarial.weight > 0 and first < 3 << layers:  # no patch would be left
        raise ValueError(
            f"config.adversarial.num_layers={layers} needs pictures of {3 << layers} px or more, and these are of "
            f"{first}: lower it"
        )
    try:
        last = plan_stages(first, size, config.growing.steps)[-1]
    except ValueError as error:
        raise ValueError(f"config.growing.first_side={first}: {error}") from None
    if last.start + last.fade >= config.train.steps:
        raise ValueError(
            f"config.growing.steps={config.growing.steps} reaches {size} px after {last.start + last.fade} steps, and "
            f"config.train.steps={config.train.steps}: lower it"
        )


def stride_of(model: ConfigDict) -> int:
    """px: sides of training pictures are multiples of it."""
    variant = VARIANTS.get(model.variant) if model.name == "HybridConvViT" else None
    return variant.stride if variant else 16


def check_cycle(config: ConfigDict) -> None:
    """Raises ValueError, one line, for what CycleGAN does not go with."""
    needed = {
        "task": "colorize",
        "color.space": "rgb",
        "model.hints": False,
        "cutmix.probability": 0,
        "optim.accumulate": 1,
        "growing.first_side": 0,
    }
    for field, value in needed.items():
        if attrgetter(field)(config) != value:
            raise ValueError(f"config.cycle.weight={config.cycle.weight} needs config.{field}={value}")
    for field in ("adversarial.weight", "data.unlabeled_batch_size"):
        if attrgetter(field)(config) == 0:
            raise ValueError(
                f"config.cycle.weight={config.cycle.weight} needs config.{field}: set it above 0"
            )
