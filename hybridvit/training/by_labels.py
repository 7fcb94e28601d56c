"""What suits a collection by how many of its photographs are in colour: found by configs/label_efficiency.py.

A hundred labels are known by heart after 200 steps: first gray photographs alone teach to see, and they are half of
each batch after that. A thousand are learnt from for long, and gray ones are only a little beside them. The study had
10,755 photographs, of which 1, 5 and 10 % had colours (docs/researcher/labels.md); what lies between was not measured.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import jax
from ml_collections import ConfigDict

from hybridvit.data.splits import build_training_streams


class Recipe(NamedTuple):
    """Up to so many labels: the share of steps that only restore, the weights, the share of a batch that is gray."""

    most: float
    restoring: float
    restoration: float
    consistency: float
    gray: float


RECIPES = (
    Recipe(200, 0.3, 1.0, 1.0, 1 / 2),
    Recipe(800, 0.15, 0.5, 0.5, 1 / 4),
    Recipe(float("inf"), 0.0, 0.25, 0.25, 1 / 8),
)
ALL_LABELED = Recipe(0, 0.0, 0.0, 0.0, 0.0)  # plain supervised training was best


def settle(config: ConfigDict, given: Collection[str]) -> ConfigDict:
    """The config with the fields that `config.train.by_labels` leaves to the number of photographs; says which and why.

    `given` are fields set by hand ("data.batch_size"), which stay. Raises as `build_training_streams`.
    """
    if not config.train.by_labels:
        return config
    labeled, every = build_training_streams(config.data, config.seed)
    labels = len(labeled)
    gray = 0 if every is None else len(every) - (labels if config.data.labeled_as_unlabeled else 0)
    chosen = choose(labels, gray, config, given)
    config = config.copy_and_resolve_references()
    config.update_from_flattened_dict(chosen)
    if jax.process_index() == 0:
        print(explain(labels, gray, chosen), flush=True)
    return config


def choose(labels: int, gray: int, config: ConfigDict, given: Collection[str] = ()) -> dict[str, Any]:
    """Values by field ("restoration.weight"), for so many labeled and other photographs, from the whole config."""
    recipe = next(recipe for recipe in RECIPES if labels <= recipe.most) if gray > 0 else ALL_LABELED
    size, unlabeled = config.data.batch_size, config.data.unlabeled_batch_size
    if "data.batch_size" in given:
        unlabeled = round(size * recipe.gray / (1 - recipe.gray))
    elif "data.unlabeled_batch_size" not in given:
        size, unlabeled = size + unlabeled, round((size + unlabeled) * recipe.gray)
        size -= unlabeled
    elif recipe.gray:
        size = round(unlabeled * (1 - recipe.gray) / recipe.gray)
    values = {
        "data.batch_size": size,
        "data.unlabeled_batch_size": unlabeled,
        "restoration.pretrain_steps": round(config.train.steps * recipe.restoring),
        "restoration.weight": recipe.restoration,
        "consistency.weight": recipe.consistency,
    }
    return {field: value for field, value in values.items() if field not in given}


def explain(labels: int, gray: int, chosen: dict[str, Any]) -> str:
    """Two lines for the one who started it."""
    fields = ", ".join(f"{field}={value}" for field, value in chosen.items()) or "nothing: all is given"
    found = f"{labels:,} in colour, {gray:,} others" if gray else f"{labels:,}, all in colour"
    return f"photographs   {found}\nso it takes   {fields}"
