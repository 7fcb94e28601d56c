"""Every recipe builds, is locked, survives JSON; no field is dead."""

import importlib
import json
import pathlib
import re

import pytest
from ml_collections import ConfigDict

from configs import (
    autoencoder,
    base,
    collection,
    cyclegan,
    hsv_cifar100,
    pix2pix,
    release,
    ssl_vit,
    supervised_vit,
)
from hybridvit.validate import check_config

ROOT = pathlib.Path(__file__).parent.parent
MODULES = {  # by name, its variants
    **dict.fromkeys(
        ("ssl_vit", "supervised_vit", "hscau", "restore_vit", "colorful", "siggraph"), ssl_vit.VARIANTS
    ),
    "pix2pix": pix2pix.VARIANTS,
    "cyclegan": cyclegan.VARIANTS,
    "hsv_cifar100": hsv_cifar100.VARIANTS,
    "release": release.VARIANTS,
    "collection": collection.RECIPES,
    "autoencoder": autoencoder.VARIANTS,
}
RECIPES = [f"{module}:{variant}" for module, variants in MODULES.items() for variant in variants]


def flatten(config: ConfigDict, prefix: str = "") -> dict[str, object]:
    flat = {}
    for name, value in config.items():
        flat |= (
            flatten(value, f"{prefix}{name}.")
            if isinstance(value, ConfigDict)
            else {f"{prefix}{name}": value}
        )
    return flat


def load(recipe: str) -> ConfigDict:
    module, variant = recipe.split(":")
    return importlib.import_module(f"configs.{module}").get_config(variant)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_sound(recipe):
    config = load(recipe)
    check_config(config)
    assert config.name == recipe.replace(":", "-")
    assert config.is_locked
    with pytest.raises(AttributeError):
        config.train.stepps = 1
    assert flatten(config).keys() == flatten(base.get_config()).keys()
    assert not [
        field for field, value in flatten(config).items() if isinstance(value, list)
    ]  # no flag sets them
    assert "batch_size" in str(config)
    back = ConfigDict(json.loads(config.to_json()))
    assert back.to_json() == config.to_json()
    check_config(back)


@pytest.mark.parametrize("recipe", RECIPES)
def test_batches_divide_over_the_microbatches_and_the_devices_of_the_recipe(recipe):
    config = load(recipe)
    devices = config.mesh.fsdp * config.optim.accumulate
    sizes = (config.data.batch_size, config.data.unlabeled_batch_size, config.eval.batch_size)
    assert all(size % devices == 0 for size in sizes)


@pytest.mark.parametrize("field", flatten(base.get_config()))
def test_a_field_is_used(field):
    """By attribute, through the section that a module is given."""
    section, _, name = field.rpartition(".")
    sources = "\n".join(path.read_text() for path in (ROOT / "hybridvit").rglob("*.py"))
    sources = sources.replace("disc_optim", "config.optim")
    owner = f"(config|saved)(\\.{section})?" if section else "(config|saved)"
    assert re.search(rf"\b{owner}\.{name}\b", sources), f"nothing in hybridvit/ reads config.{field}"


@pytest.mark.parametrize("variant", ssl_vit.VARIANTS)
def test_supervised_differs_where_it_says(variant):
    new, old = (flatten(module.get_config(variant)) for module in (supervised_vit, ssl_vit))
    changed = {field for field in old if old[field] != new[field]}
    gone = {"data.unlabeled_batch_size", "consistency.weight", "restoration.weight"}
    only_few = {"restoration.pretrain_steps"} if variant == "few" else set()
    assert changed == gone | only_few | {"name"}
    assert not any(new[field] for field in gone | only_few)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_say_how_to_start_and_unknown_variants_are_named(name):
    module = importlib.import_module(f"configs.{name}")
    assert f"python -m hybridvit.main --config=configs/{name}.py" in module.__doc__
    with pytest.raises(ValueError, match=f"'nothing'.*{', '.join(MODULES[name])}"):
        module.get_config("nothing")
