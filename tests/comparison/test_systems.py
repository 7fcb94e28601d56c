"""What is compared, from the config of the comparison."""

import pathlib

import pytest

from configs import compare
from hybridvit.comparison.systems import build_systems
from hybridvit.training.validate import check_config


def test_the_pictures_are_those_of_the_comparison_and_the_rest_is_each_systems_own(config, tmp_path):
    config.data.color_dir = "somewhere"
    systems = {system.name: system for system in build_systems(config, tmp_path)}
    assert list(systems) == [*config.systems, "levin"]
    for name, own in config.systems.items():
        found = systems[name].config
        assert (found.data.color_dir, found.data.image_size) == ("somewhere", 32)
        assert found.eval == config.eval
        assert own.data.color_dir == ""  # the record is not changed
        for field in ("model", "optim", "bins", "adversarial"):
            assert found[field] == own[field]
        assert found.data.batch_size == own.data.batch_size
        assert systems[name].folder == tmp_path / name
        check_config(found)
    assert systems["levin"].method == "levin"
    assert systems["levin"].config.model.hints


def test_what_cannot_be_compared_is_said(config):
    config.classical = ("levine",)
    with pytest.raises(ValueError, match=r"'levine', which is none of levin, welsh"):
        build_systems(config, pathlib.Path())
    config.classical = ("levin",)
    with config.unlocked():
        config.systems.levin = config.systems.unet
        with pytest.raises(ValueError, match=r"'levin' is no name for a folder of its own"):
            build_systems(config, pathlib.Path())
        config.systems = {}
    with pytest.raises(ValueError, match=r"config.systems is empty"):
        build_systems(config, pathlib.Path())


@pytest.mark.parametrize("variant", compare.VARIANTS)
def test_each_variant_is_locked_and_its_systems_sound(variant, tmp_path):
    config = compare.get_config(variant)
    assert config.name == f"compare-{variant}"
    assert config.is_locked
    with pytest.raises(AttributeError):
        config.budget.minuets = 1
    for system in build_systems(config, tmp_path):
        check_config(system.config)
    assert f"{variant} " in compare.__doc__


def test_the_spaces_differ_in_nothing_else():
    systems = {name: system.to_dict() for name, system in compare.get_config("spaces").systems.items()}
    assert set(systems) == {"lab", "yuv", "hsv", "rgb"}
    for name, fields in systems.items():
        assert fields["color"] == {"space": name}
        assert fields | {"color": None} == systems["lab"] | {"color": None}


def test_an_unknown_variant_is_named():
    with pytest.raises(ValueError, match=r"'fotos'.*bundled, photos, spaces"):
        compare.get_config("fotos")
