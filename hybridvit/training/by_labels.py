"""What suits a collection by how many of its photographs are in colour: found by configs/label_efficiency.py.

A hundred labels are known by heart after 150 steps: a teacher made of them says little, and places of them that look
alike vote on the colours of gray photographs, which are most of each batch. Where there are more labels, they are
learnt from for longer, and the teacher has its say. Where two thousand have colours, gray ones cost more than they
bring on clean and aged photographs. The study had 10,755 photographs, of which 0.5 to 20 % had colours
(docs/researcher/labels.md); what lies between was not measured.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import jax
from ml_collections import ConfigDict

from hybridvit.data.splits import build_training_streams
from hybridvit.models.hybrid_conv_vit import VARIANTS


class Recipe(NamedTuple):
    """Up to so many labels: the votes' share in what is taught, its weight, the share of a batch that is gray."""

    most: float
    neighbours: float
    consistency: float
    gray: float


LABELS_ALONE = Recipe(float("inf"), 0.0, 0.0, 0.0)
RECIPES = (
    Recipe(200, 1.0, 2.0, 3 / 4),
    Recipe(1500, 0.3, 1.0, 3 / 16),
    LABELS_ALONE,
)


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
    """Values by field ("consistency.weight"), for so many labeled and other photographs, from the whole config."""
    size, unlabeled = config.data.batch_size, config.data.unlabeled_batch_size
    recipe = LABELS_ALONE
    if gray > 0:
        # Who says how many gray ones a step takes wants them, however many labels there are
        asked = "data.unlabeled_batch_size" in given and unlabeled > 0
        able = [recipe for recipe in RECIPES if recipe.gray or not asked]
        recipe = next((recipe for recipe in able if labels <= recipe.most), able[-1])
    if "data.batch_size" in given:
        unlabeled = round(size * recipe.gray / (1 - recipe.gray))
    elif "data.unlabeled_batch_size" not in given:
        size, unlabeled = size + unlabeled, round((size + unlabeled) * recipe.gray)
        size -= unlabeled
    elif recipe.gray:
        size = round(unlabeled * (1 - recipe.gray) / recipe.gray)
    model = VARIANTS.get(config.model.variant)
    sees = model is not None and bool(model.encoder)  # what places are compared by
    values = {
        "data.batch_size": size,
        "data.unlabeled_batch_size": unlabeled,
        "consistency.weight": recipe.consistency,
        "consistency.neighbours": recipe.neighbours if sees else 0.0,
    }
    return {field: value for field, value in values.items() if field not in given}


def explain(labels: int, gray: int, chosen: dict[str, Any]) -> str:
    """Two lines for the one who started it."""
    fields = ", ".join(f"{field}={value}" for field, value in chosen.items()) or "nothing: all is given"
    found = f"{labels:,} in colour, {gray:,} others" if gray else f"{labels:,}, all in colour"
    if gray and chosen.get("data.unlabeled_batch_size") == 0:
        found += ", left out: beside so many labels they cost more than they bring"
    return f"photographs   {found}\nso it takes   {fields}"
