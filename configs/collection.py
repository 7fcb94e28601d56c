"""A collection of one's own: a few colour and many gray photographs of one kind, beginning with the released weights.

    python -m hybridvit.main --config=configs/collection.py[:variant] --config.data.color_dir=... \
        --config.data.gray_dir=... [--config.data.eval_dir=...]

semi        (default) learns from both
supervised  from the colour ones alone, to see what the gray ones are worth

Short and gentle, for thirty photographs are soon known by heart: minutes on two CPU cores.
"""

from configs import ssl_vit, supervised_vit

RECIPES = {"semi": (ssl_vit, 12, 4), "supervised": (supervised_vit, 16, 0)}  # labeled and unlabeled a step


def get_config(variant: str = "semi"):
    """The experiment's record; raises ValueError for an unknown variant."""
    if variant not in RECIPES:
        raise ValueError(
            f"configs/collection.py has no variant {variant!r}: choose one of {', '.join(RECIPES)}"
        )
    recipe, labeled, unlabeled = RECIPES[variant]
    config = recipe.get_config("folder")
    config.name = f"collection-{variant}"
    config.init_from = "pretrained"
    config.data.image_size = 128
    config.data.batch_size, config.data.unlabeled_batch_size = labeled, unlabeled
    config.optim.learning_rate = 1e-4
    config.optim.warmup_steps = 20
    # An average with the given weights, of which 0.996 ** 300 = 0.3 stay (as Wortsman et al. 2022, WiSE-FT): what they
    # knew of a kind that is not new to them was lost
    config.optim.ema_decay, config.optim.ema_warmup = 0.996, False
    config.consistency.warmup_steps = 20
    if unlabeled:
        # Thirty labels are known by heart: an average of the network that knows them adds nothing to the votes
        config.consistency.neighbours = 1.0
        config.consistency.views = 1
    config.restoration.weight = 0.0  # its map begins at random, and would unsettle what the weights know
    config.cutmix.probability = 0.5
    config.train.steps = 300
    config.train.eval_every = 100
    config.train.checkpoint_every = 100
    return config
