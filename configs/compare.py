"""What is compared, on which pictures, under which budget.

    python -m hybridvit.compare --config=configs/compare.py[:variant] [--config.FIELD=VALUE ...]

bundled   (default) three tiny systems on the photographs inside the scikit-image wheel: minutes, to see what comes out
photos    every system, on your own photographs at 64 px:
          --config.data.color_dir=... [--config.data.gray_dir=...] [--config.data.eval_dir=...]
spaces    the flagship in Lab, YUV, HSV and RGB at 32 px, on photographs as above or on
          --config.data.kind=tfds --config.data.tfds_name=cifar10

A new system is a line in SYSTEMS. `data` and `eval` take the place of those of all systems; what else a system has is
its own: --config.systems.ssl_vit.optim.learning_rate=5e-4.
"""

from ml_collections import ConfigDict

from configs import autoencoder, base, colorful, cyclegan, hscau, pix2pix, siggraph, ssl_vit, supervised_vit

# Name in the report: recipe, its variant, and what differs at 64 px. Steps and schedules are fitted to the budget.
SYSTEMS = {
    "ssl_vit": (ssl_vit, "folder", {"hints.cell_sizes": (1, 2, 4)}),
    "supervised_vit": (supervised_vit, "folder", {"hints.cell_sizes": (1, 2, 4), "data.batch_size": 32}),
    "unet": (pix2pix, "unet", {"model.variant": "64"}),
    "unetpp": (pix2pix, "unetpp", {}),
    "unet3p": (pix2pix, "unet3p", {}),
    "linknet": (pix2pix, "linknet", {}),
    "r2unet": (pix2pix, "r2unet", {}),
    "resnet": (pix2pix, "resnet", {"model.variant": "6"}),
    "cyclegan": (cyclegan, "128", {"data.labeled_fraction": 0.5}),  # the other half gives the gray pictures
    "hscau": (hscau, "folder", {"hints.min_count": 20, "hints.max_count": 123}),  # 0.5 and 3 % of the pixels
    "colorful": (colorful, "folder", {}),
    "siggraph": (siggraph, "folder", {}),
    "autoencoder": (autoencoder, "full", {}),
}
TINY = {  # for the variant bundled
    "ssl_vit": (ssl_vit, "bundled", {}),
    "supervised_vit": (supervised_vit, "bundled", {}),
    "unet": (pix2pix, "unet", {"adversarial.width": 8, "adversarial.num_layers": 2}),
}
CLASSICAL = ("rules", "welsh", "reinhard", "levin")
OWN = (  # of the section data: what each recipe decides for itself
    *("batch_size", "unlabeled_batch_size", "labeled_fraction", "labeled_as_unlabeled"),
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
    config.classical = CLASSICAL  # keys of hybridvit.classical.methods.METHODS
    config.data = ConfigDict({name: value for name, value in default.data.items() if name not in OWN})
    config.eval = ConfigDict(default.eval.to_dict())
    config.eval.hint_counts = (0, 1, 10, 100)
    config.sheet_hints = 10  # hints in the second picture sheet
    config.test = ConfigDict()  # empty: see configs/label_efficiency.py
    config.budget = ConfigDict()  # one of these, the other 0
    config.budget.images = 0  # pictures seen in training, labeled and unlabeled
    config.budget.minutes = 0.0  # of CPU time (on an accelerator: of the clock) in training
    config.budget.shares = ConfigDict()  # system: what it gets of it, where that is not all
    VARIANTS[variant](config)
    return config.lock()


def bundled(config):
    """Tiny; what it measures means nothing."""
    add(config, TINY)
    for system in config.systems.values():
        system.model.variant = "test"
        system.data.batch_size = 8
        system.hints.cell_sizes = (1, 2)
    config.data.kind = "bundled"
    config.data.image_size = 32
    config.data.crop_scale = (0.25, 0.6)  # at the scale of the held-out tiles
    config.eval.image_size = 64
    config.eval.hint_counts = (0, 10)
    config.eval.grid_pictures = 4
    config.budget.images = 1600


def photos(config):
    """Everything."""
    add(config, SYSTEMS)
    config.data.kind = "folder"
    config.data.image_size = 64
    config.data.crop_scale = (0.6, 1.0)
    config.data.eval_limit = 100
    config.eval.image_size = 64
    config.eval.grid_pictures = 8
    config.budget.minutes = 15.0


def spaces(config):
    """The space is all that differs; without the bins, which are those of Lab."""
    changes = {
        "bins.weight": 0.0,
        "data.batch_size": 64,
        "hints.max_count": 16,
        "hints.cell_sizes": (1, 2),
    }
    spaces = ("lab", "yuv", "hsv", "rgb")
    add(config, {space: (supervised_vit, "folder", changes | {"color.space": space}) for space in spaces})
    config.classical = ()
    config.data.kind = "folder"
    config.data.image_size = 32
    config.data.crop_scale = (0.8, 1.0)
    config.data.eval_limit = 1000
    config.eval.image_size = 32
    config.eval.batch_size = 40
    config.eval.grid_pictures = 8
    config.budget.minutes = 15.0


def add(config, systems):
    """Puts systems into the comparison, as in SYSTEMS."""
    for name, (recipe, variant, changes) in systems.items():
        config.systems[name] = recipe.get_config(variant)
        config.systems[name].update_from_flattened_dict(changes)


VARIANTS = {f.__name__: f for f in (bundled, photos, spaces)}
