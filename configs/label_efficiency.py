"""How many labels it takes, and what grayscale pictures are worth: arms by shares of labels by seeds.

    python -m hybridvit.compare --config=configs/label_efficiency.py[:variant] [--config.FIELD=VALUE ...]

folder    (default) --config.data.color_dir=... to train on, --config.test.data.eval_dir=... to measure on
cifar10   32 px, through TFDS; measured on its test split; from random weights
ablation  folder, at 1 % labels: the semi-supervised arm with one piece changed at a time
bundled   a few steps on the photographs inside the scikit-image wheel, to see what comes out

Of a share of labels every arm sees as many pictures as any other; of the fewest half as many as of more, for these are
known by heart. A share of 5 % means that the others are used as grayscale ones. What is validated on
(data.eval_fraction of color_dir) is what chooses each run's checkpoint, and is never measured on. The arms named
random-... begin with random weights, all others of folder with the pretrained encoder, which is kept as it is.
"""

from ml_collections import ConfigDict

from configs import base, ssl_vit, supervised_vit
from configs.compare import OWN

SHARES = (0.005, 0.01, 0.05, 0.1, 0.2, 1.0)
FEWEST = 0.01  # of the ablation, and up to which labels are known by heart after half the budget at most
FEW_BUDGET = 0.5
RANDOM_SHARES = (0.01, 0.2)
SEEDS = (0, 1, 2)
RIVALS = {  # recipe and what it changes; labels alone; all see 32 pictures a step
    "supervised": (
        supervised_vit,
        {"data.batch_size": 32, "degrade.labeled_probability": 0.0, "cutmix.probability": 0.0},
    ),
    "strong-views": (supervised_vit, {"data.batch_size": 32}),
}
NO_ENCODER = {"model.variant": "Ti", "model.encoder_weights": "", "optim.frozen_stages": 0}
BY_ITSELF = {  # what gray pictures are used for without an encoder that sees: they teach to see, at first alone
    "restoration.weight": 1.0,
    "restoration.pretrain_steps": 600,  # of the recipe's 2,000
    "consistency.neighbours": 0.0,
    "consistency.views": 2,
    "consistency.weight": 1.0,
    "data.batch_size": 16,
    "data.unlabeled_batch_size": 16,
}
SEMI = {  # what suits up to this share of labels, or suits least badly: of 20 % it is worse than labels alone
    # A hundred labels are known by heart before a teacher made of them has anything to say; of more, those that have
    # not been seen often enough are the better use of a step
    0.01: {
        "consistency.neighbours": 1.0,
        "consistency.weight": 2.0,
        "data.batch_size": 8,
        "data.unlabeled_batch_size": 24,
    },
    1.0: {
        "consistency.neighbours": 0.3,
        "consistency.weight": 1.0,
        "data.batch_size": 26,
        "data.unlabeled_batch_size": 6,
    },
}
PIECES = {  # of the semi-supervised arm, for the ablation
    "no-votes": {"consistency.neighbours": 0.0},
    "half-votes": {"consistency.neighbours": 0.5},
    "no-cutmix": {"cutmix.probability": 0.0},
    "no-warm-up": {"consistency.warmup_steps": 1},
    "ten-times-the-weight": {"consistency.weight": 10.0},
    "half-gray": {"data.batch_size": 16, "data.unlabeled_batch_size": 16},
    "restoration": {"restoration.weight": 1.0},
    "restoration-first": {"restoration.weight": 1.0, "restoration.pretrain_steps": 600},
    "encoder-learns": {"optim.frozen_stages": 0, "optim.encoder_scale": 0.2},
}


UNSEEN = {  # an ageing that no arm trains with: all at once, and worse
    **{"tone": 1.0, "fade": 0.9, "vignette": 0.8, "blur": 0.8, "grain": 0.9},
    **{"scratches": 0.6, "dust": 0.6, "jpeg": 0.8, "strength": 1.5},
}


def get_config(variant: str = "folder"):
    """The study's record; raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(
            f"configs/label_efficiency.py has no variant {variant!r}: choose one of {', '.join(VARIANTS)}"
        )
    default = base.get_config()
    config = ConfigDict()
    config.name = f"label_efficiency-{variant}"
    config.systems = ConfigDict()  # arm-percent-seed: a whole experiment
    config.classical = ()
    config.data = ConfigDict({name: value for name, value in default.data.items() if name not in OWN})
    config.data.kind = "folder"
    config.data.image_size = 64
    config.data.crop_scale = (0.5, 1.0)  # (0.8, 1) had few photographs learnt by heart in half the steps
    config.data.eval_limit = 400
    config.eval = ConfigDict(default.eval.to_dict())
    config.eval.image_size = 64
    config.eval.batch_size = 50
    config.eval.hint_counts = (0,)
    config.sheet_hints = 0
    config.test = ConfigDict()
    config.test.arm = "semi"  # held against
    config.test.rivals = tuple(RIVALS)  # the better of these
    config.test.evaluations = 10  # of each run, on the validation pictures
    config.test.data = ConfigDict()  # takes the place of `data` when measuring
    config.test.data.eval_dir = ""
    config.test.data.eval_records = ""
    config.test.data.tfds_eval_split = "test"
    config.test.data.eval_limit = 0
    config.test.degrade = ConfigDict(default.degrade.to_dict())  # of the aged pictures
    config.test.degrade.cutout = 0.0  # no ageing
    config.test.unseen = ConfigDict(config.test.degrade.to_dict() | UNSEEN)
    config.budget = ConfigDict()
    # Half of it took one core five minutes, and eight with gray pictures
    config.budget.images = 32_000
    config.budget.minutes = 0.0
    config.budget.shares = ConfigDict()  # system: what it gets of it, where that is not all
    VARIANTS[variant](config)
    return config.lock()


def folder(config):
    """Photographs of your own."""
    for share in SHARES:
        add_arms(config, arms_at(share), share)
    for share in RANDOM_SHARES:
        arms = without_encoder(arms_at(share))
        add_arms(config, {f"random-{name}": arm for name, arm in arms.items()}, share, seeds=(0,))


def cifar10(config):
    """50,000 small pictures; the last 2 % of them to validate on."""
    for share in SHARES:
        add_arms(config, without_encoder(arms_at(share)), share)
    config.budget.images = 192_000  # at half of that, gray pictures have hardly begun to help but at 1 %
    # Which leaves a pretrained encoder one place at 1/32
    config.data.image_size = config.eval.image_size = 32
    config.data.kind = "tfds"
    config.data.tfds_name = "cifar10"
    config.data.tfds_split = "train[:98%]"
    config.data.tfds_eval_split = "train[98%:]"
    config.data.crop_scale = (1.0, 1.0)


def ablation(config):
    """What each piece is worth."""
    arms = arms_at(FEWEST)
    recipe, changes = arms["semi"]
    arms |= {name: (recipe, changes | piece) for name, piece in PIECES.items()}
    add_arms(config, arms, FEWEST, seeds=(0,))


def bundled(config):
    """What it measures means nothing."""
    for share in (0.5, 1.0):
        add_arms(config, without_encoder(arms_at(share)), share, seeds=(0, 1))
    for system in config.systems.values():
        system.model.variant = "test"
    config.data.kind = "bundled"
    config.data.crop_scale = (0.25, 0.6)
    config.test.evaluations = 2
    config.budget.images = 320


def arms_at(share):
    """Where all is labeled there are no gray pictures, and no semi-supervised arm."""
    if share == 1:
        return RIVALS
    return RIVALS | {"semi": (ssl_vit, SEMI[min(most for most in SEMI if share <= most)])}


def without_encoder(arms):
    """The same from random weights: the old arms."""
    semi = {"semi": BY_ITSELF}
    return {
        name: (recipe, changes | NO_ENCODER | semi.get(name, {})) for name, (recipe, changes) in arms.items()
    }


def add_arms(config, arms, share, seeds=SEEDS):
    """Puts each arm into the study, once a seed."""
    for name, (recipe, changes) in arms.items():
        for seed in seeds:
            system = recipe.get_config("few")
            system.seed = seed
            system.data.labeled_fraction = share
            system.model.hints = False  # nobody gives any where labels are compared
            system.train.by_labels = False  # an arm is what it says
            system.train.best_metric = "log_likelihood"
            system.train.keep_last = 1
            system.update_from_flattened_dict(changes)
            own_name = f"{name}-{100 * share:g}-{seed}".replace(".", "_")  # names have no dots
            config.systems[own_name] = system
            if share <= FEWEST:
                config.budget.shares[own_name] = FEW_BUDGET


VARIANTS = {f.__name__: f for f in (folder, cifar10, ablation, bundled)}
