"""Whether the numbers of a config make sense, before anything is built from it.

What depends on more than the number (devices, folders, the model's variants) is checked where it is used.
"""

import math
from operator import attrgetter

from ml_collections import ConfigDict

from hybridvit.color.spaces import SPACES
from hybridvit.objectives.adversarial import GENERATOR_LOSSES
from hybridvit.objectives.supervised import LOSSES

CHOICES = {
    "task": ("colorize", "restore"),
    "color.space": tuple(SPACES),
    "supervised.loss": tuple(LOSSES),
    "model.dtype": ("float32", "bfloat16"),
    "consistency.views": (1, 2),
    "adversarial.loss": tuple(GENERATOR_LOSSES),
    "optim.schedule": ("cosine", "constant", "linear", "steps"),
}
RANGES = {  # least, most, in words: fields
    (0, math.inf, "0 or more"): """
        data.unlabeled_batch_size data.eval_limit data.num_threads data.num_workers data.prefetch degrade.strength
        supervised.weight bins.weight consistency.weight consistency.warmup_steps adversarial.weight
        adversarial.r1_weight adversarial.start_step adversarial.learning_rate optim.learning_rate optim.weight_decay
        eval.hint_counts""",
    (1, math.inf, "1 or more"): """
        data.image_size data.batch_size hints.max_count hints.cell_sizes adversarial.width adversarial.num_layers
        optim.accumulate train.steps train.log_every train.checkpoint_every train.eval_every train.max_skipped
        eval.grid_pictures""",
    (math.ulp(0.0), math.inf, "more than 0"): """
        supervised.delta bins.sigma consistency.temperature consistency.radius consistency.agreement
        optim.clip_norm""",
    (0, 1, "within 0 and 1"): """
        data.eval_fraction hints.none_fraction degrade.labeled_probability degrade.film degrade.tone degrade.fade
        degrade.vignette degrade.blur degrade.grain degrade.scratches degrade.dust degrade.jpeg degrade.cutout
        bins.uniform_mix bins.prior_decay consistency.threshold consistency.floor optim.final_fraction optim.b1
        optim.step_shares optim.step_factors optim.b2 optim.ema_decay""",
    (0, 2**31 - 1, "within 0 and 2147483647"): "seed",
    (11, math.inf, "11 or more, the window of SSIM"): "eval.image_size",
}


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
    shares, factors = config.optim.step_shares, config.optim.step_factors
    if len(shares) != len(factors) or list(shares) != sorted(set(shares)):
        raise ValueError(
            f"config.optim.step_shares={shares} must rise and be as many as config.optim.step_factors={factors}"
        )
    for section in ("bins", "consistency"):
        weight = config[section].weight
        if weight > 0 and (config.color.space, config.task) != ("lab", "colorize"):
            raise ValueError(
                f"config.{section}.weight={weight} is for colouring in Lab, and this is config.task={config.task} "
                f"with config.color.space={config.color.space}: set it to 0"
            )
    if config.task == "restore" and config.model.hints:
        raise ValueError("config.model.hints is for colouring: set it to False for config.task=restore")
    size = config.data.image_size
    if (
        size % 16
    ):  # else the padding lies on the other side of the mirrored view, and the teacher disagrees with itself
        below = size // 16 * 16
        choice = f"{below} or {below + 16}" if below else "16"
        raise ValueError(f"config.data.image_size={size} is no multiple of 16: set it to {choice}")
