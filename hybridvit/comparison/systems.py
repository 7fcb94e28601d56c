"""What is compared: each system as the config of its own run, on the pictures that all share."""

import dataclasses
import pathlib
import re

from ml_collections import ConfigDict

from hybridvit.classical.methods import METHODS

NEUTRAL = {  # what a method is evaluated as: any small network will do, the method takes its place
    "task": "colorize",
    "color.space": "lab",
    "model.name": "HybridConvViT",
    "model.variant": "test",
    "model.hints": True,
    "adversarial.weight": 0.0,
    "cycle.weight": 0.0,
    "growing.first_side": 0,
}


@dataclasses.dataclass(frozen=True)
class System:
    """One row. `config` is a whole experiment; `method` is a key of METHODS for what is not trained, else empty."""

    name: str
    config: ConfigDict
    method: str
    folder: pathlib.Path


def build_systems(config: ConfigDict, workdir: pathlib.Path) -> list[System]:
    """The systems of `config.systems`, then the methods of `config.classical`, all with the shared data and eval.

    Raises ValueError for what cannot be compared.
    """
    if not config.systems:
        raise ValueError("config.systems is empty: name at least one system, see configs/compare.py")
    unknown = [name for name in config.classical if name not in METHODS]
    if unknown:
        raise ValueError(f"config.classical has {unknown[0]!r}, which is none of {', '.join(METHODS)}")
    names = [*config.systems, *config.classical]
    for name in names:
        if names.count(name) > 1 or not re.fullmatch(r"[\w-]+", name):
            raise ValueError(f"config.systems: {name!r} is no name for a folder of its own: choose another")
    systems = [
        System(name, _shared(config, config.systems[name]), "", workdir / name) for name in config.systems
    ]
    neutral = systems[0].config.copy_and_resolve_references()
    neutral.update_from_flattened_dict(NEUTRAL)
    systems += [System(name, neutral, name, workdir / name) for name in config.classical]
    return systems


def _shared(config: ConfigDict, own: ConfigDict) -> ConfigDict:
    """The system's config with the comparison's data and eval fields in place of its own."""
    own = own.copy_and_resolve_references()
    for section in ("data", "eval"):
        own[section].update(config[section])
    return own
