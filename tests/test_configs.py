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
    protocols,
    release,
    ssl_vit,
    supervised_vit,
)
from hybridvit.training.validate import RANGES, SINCE_0_1, check_config, saved_config

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
    "protocols": protocols.PROTOCOLS,
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


SIGNS = {  # of a range, at the beginning of a field's comment in base.py
    "0 or more": ">= 0",
    "1 or more": ">= 1",
    "more than 0": "> 0",
    "within 0 and 1": "0..1",
    "within 0 and 2147483647": "0..2147483647",
    "11 or more, the window of SSIM": ">= 11",
}


def test_a_range_stands_beside_its_field_as_it_is_checked():
    checked = {field: SIGNS[words] for (_, _, words), fields in RANGES.items() for field in fields.split()}
    said, above = {}, []
    for line in (ROOT / "configs" / "base.py").read_text().splitlines():
        comment = line.partition("# ")[2]
        if line.strip().startswith("#"):
            above.append(comment)
        elif field := re.match(r" +config\.([\w.]+) = ", line):
            sign = re.match(r"(>=? \d+|\d+\.\.\d+)(?=;|$)", " ".join([*above, comment]).strip())
            said |= {field[1]: sign[1]} if sign else {}
            above = []
        else:
            above = []
    assert said == checked


@pytest.mark.parametrize("variant", ssl_vit.VARIANTS)
def test_supervised_differs_where_it_says(variant):
    new, old = (flatten(module.get_config(variant)) for module in (supervised_vit, ssl_vit))
    changed = {field for field in old if old[field] != new[field]}
    gone = {"data.unlabeled_batch_size", "consistency.weight"}
    gone |= {"consistency.neighbours", "train.by_labels"} if variant == "few" else {"restoration.weight"}
    assert changed == gone | {"name"}
    assert not any(new[field] for field in gone)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_say_how_to_start_and_unknown_variants_are_named(name):
    module = importlib.import_module(f"configs.{name}")
    start = "--mode=eval --checkpoint=pretrained " if name == "protocols" else ""
    assert f"python -m hybridvit.main {start}--config=configs/{name}.py" in module.__doc__
    with pytest.raises(ValueError, match=f"'nothing'.*{', '.join(MODULES[name])}"):
        module.get_config("nothing")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"model.variant": "Ti", "data.image_size": 40},
            "data.image_size=40 is no multiple of 16: set it to 32 or 48",
        ),
        (
            {"model.variant": "Lite2", "data.image_size": 48},
            "data.image_size=48 is no multiple of 32: .* 32 or 64",
        ),
        (
            {"model.variant": "Lite2", "data.image_size": 16},
            "data.image_size=16 is no multiple of 32: set it to 32",
        ),
        (
            {"model.variant": "Lite2", "data.image_size": 64, "growing.first_side": 16},
            "growing.first_side=16 is no multiple of 32",
        ),
        # Whose strides are smaller
        ({"model.name": "UNet", "model.variant": "test", "data.image_size": 24}, "24 is no multiple of 16"),
    ],
)
def test_pictures_are_whole_cells_of_the_network(changes, said):
    config = ssl_vit.get_config()
    config.update_from_flattened_dict(changes)
    with pytest.raises(ValueError, match=rf"^config\..*{said}"):
        check_config(config)


def test_a_config_of_0_1_is_completed_as_it_worked_then():
    config = json.loads(ssl_vit.get_config().to_json())
    for section, fields in SINCE_0_1.items():
        for field in fields:
            del config[section][field]
    assert "drop_path" not in config["model"]
    found = saved_config({"config": config})
    assert (found.model.drop_path, found.model.encoder_weights) == (0, "")
    assert found.optim.kind == "adamw"
    assert flatten(found).keys() == flatten(base.get_config()).keys()
