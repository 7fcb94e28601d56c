"""What is compared, on which pictures, under which budget.

    python -m hybridvit.compare --config=configs/compare.py[:variant] [--config.FIELD=VALUE ...]

bundled   (default) two tiny flagships on the photographs inside the scikit-image wheel: a minute, to see what comes out
photos    every system, on your own photographs at 64 px:
          --config.data.color_dir=... [--config.data.gray_dir=...] [--config.data.eval_dir=...]
spaces    the flagship in Lab, YUV, HSV and RGB at 32 px, photographs as above or
          --config.data.kind=tfds --config.data.tfds_name=cifar10

A new system is a line in SYSTEMS. `data` and `eval` take the place of those of all systems; what else a system has is
its own: --config.systems.ssl_vit.optim.learning_rate=5e-4.
"""

from ml_collections import ConfigDict

from configs import base, ssl_vit, supervised_vit

# Name in the report: the recipe. Steps and schedules are stretched or shrunk to the budget.
SYSTEMS = {
    "supervised_vit": lambda: supervised_vit.get_config("folder"),
    "ssl_vit": lambda: ssl_vit.get_config("folder"),
}
CLASSICAL = ("rules", "welsh", "reinhard", "levin")
OWN = (  # of the section data: what each recipe decides for itself
    *("batch_size", "unlabeled_batch_size", "labeled_as_unlabeled"),
    *("num_threads", "num_workers", "prefetch"),
)


def get_config(variant: str = "bundled"):
    """The comparison's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/compare.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    default = base.get_config()
    config = ConfigDict()
    config.name = f"compare-{variant}"
    config.systems = ConfigDict()  # name: a whole experiment
    config.classical = ()  # keys of hybridvit.classical.methods.METHODS
    config.data = ConfigDict({name: value for name, value in default.data.items() if name not in OWN})
    config.eval = ConfigDict(default.eval.to_dict())
    config.eval.hint_counts = (0, 1, 10, 100)
    config.sheet_hints = 10  # hints in the second picture sheet
    config.budget = ConfigDict()  # one of these, the other 0
    config.budget.images = 0  # pictures seen in training, labeled and unlabeled
    config.budget.minutes = 0.0  # of CPU time (on an accelerator: of the clock) in training
    VARIANTS[variant](config)
    return config.lock()


def bundled(config):
    """Tiny; what it measures means nothing."""
    for name, recipe in (("supervised_vit", supervised_vit), ("ssl_vit", ssl_vit)):
        config.systems[name] = recipe.get_config("bundled")
        config.systems[name].model.variant = "test"
        config.systems[name].data.batch_size = 8
        config.systems[name].hints.cell_sizes = (1, 2)
    config.classical = CLASSICAL
    config.data.kind = "bundled"
    config.data.image_size = 32
    config.data.crop_scale = (0.25, 0.6)  # at the scale of the held-out tiles
    config.eval.image_size = 64
    config.eval.hint_counts = (0, 10)
    config.eval.grid_pictures = 4
    config.budget.images = 1600


def photos(config):
    """Everything."""
    for name, recipe in SYSTEMS.items():
        config.systems[name] = recipe()
    config.classical = CLASSICAL
    config.data.kind = "folder"
    config.data.image_size = 64
    config.data.crop_scale = (0.6, 1.0)
    config.data.eval_limit = 100
    config.eval.image_size = 64
    config.eval.grid_pictures = 8
    config.budget.minutes = 15.0


def spaces(config):
    """The space is all that differs; without the bins, which are those of Lab."""
    for space in ("lab", "yuv", "hsv", "rgb"):
        system = supervised_vit.get_config("folder")
        system.color.space = space
        system.bins.weight = 0.0
        system.data.batch_size = 64
        system.hints.max_count = 16
        system.hints.cell_sizes = (1, 2)
        config.systems[space] = system
    config.data.kind = "folder"
    config.data.image_size = 32
    config.data.crop_scale = (0.8, 1.0)
    config.data.eval_limit = 1000
    config.eval.image_size = 32
    config.eval.batch_size = 40
    config.eval.grid_pictures = 8
    config.budget.minutes = 15.0


VARIANTS = {f.__name__: f for f in (bundled, photos, spaces)}
