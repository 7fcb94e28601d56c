"""Imports between the rooms point one way, and each library is known to one room only."""

import ast
import functools
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "hybridvit"
FLOORS = (  # from the ground up: a room may use what lies below it; a package is one room
    {"color", "command_line", "extras", "runtime", "version"},
    {"config_files"},
    {"config_flags"},
    {"augment", "hints", "models"},
    {"measures", "photo", "tasks"},
    {"data", "objectives", "provenance"},
    {"inference"},
    {"classical", "hybridvit", "training"},  # the package's own __init__ gives what is in inference
    {"colorize", "export"},
    {"album", "review"},
    {"film"},
    {"adapt", "inspect", "studio", "verify"},
    {"bulk", "evaluate", "serve"},
    {"train"},
    {"comparison", "main", "planning"},
    {"compare"},
    {"cli"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
LIBRARIES = {  # so that changing one is changing one file
    "orbax": {"runtime"},
    "grain": {"data"},
    "array_record": {"data"},
    "tensorflow_datasets": {"data"},
    "tensorboardX": {"runtime"},
    "clu": {"train"},
    "c2pa": {"provenance"},
    "cryptography": {"provenance"},
    "pyvips": {"photo", "studio"},
    "pillow_heif": {"photo"},
    "av": {"film"},
    "cv2": {"film"},
    "apache_beam": {"bulk"},
    "huggingface_hub": {"inference"},
    "mlflow": {"runtime"},
    "wandb": {"runtime"},
    "onnx": {"export", "inference"},
    "onnxruntime": {"inference"},
    "starlette": {"serve", "studio"},
    "uvicorn": {"studio"},
    "tensorflow": set(),
    "configs": set(),
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.read_text())


def module_of(path: pathlib.Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


@functools.cache
def imported(path: pathlib.Path) -> set[str]:
    """Full names of all that a file imports, also inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the module's full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_modules_imported(module: str) -> set[str]:
    modules = {name if name in MODULES else name.rpartition(".")[0] for name in imported(MODULES[module])}
    return modules & MODULES.keys()


def room_of(module: str) -> str:
    return module.removeprefix("hybridvit.").split(".")[0]


def test_every_room_has_a_floor():
    rooms = {room_of(module) for module in MODULES}
    assert not rooms - FLOOR.keys(), f"give {sorted(rooms - FLOOR.keys())} a place in FLOORS of {__file__}"
    assert not FLOOR.keys() - rooms, f"FLOORS of {__file__} has what is gone: {sorted(FLOOR.keys() - rooms)}"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_below(module):
    room = room_of(module)
    others = {name for name in own_modules_imported(module) if room_of(name) != room}
    wrong = {name for name in others if FLOOR.get(room_of(name), 0) >= FLOOR.get(room, 0)}
    assert not wrong, f"{module} imports {', '.join(sorted(wrong))}, which is not below it"


def test_no_circle():
    needs = {module: own_modules_imported(module) for module in MODULES}
    while done := [module for module, wanted in needs.items() if not wanted & needs.keys()]:
        for module in done:
            del needs[module]
    assert not needs, f"these import each other, or what does: {sorted(needs)}"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_known_to_one_room(library):
    users = {
        room_of(module)
        for module, path in MODULES.items()
        if library in {name.split(".")[0] for name in imported(path)}
    }
    assert users == LIBRARIES[library]


def test_only_generator_and_discriminator_split_modules_and_configs_know_nothing_of_the_library():
    splitters = {module for module, path in MODULES.items() if "nnx.split(" in path.read_text()}
    assert splitters == {"hybridvit.models.discriminator", "hybridvit.models.generator"}
    for path in (ROOT / "configs").glob("*.py"):
        assert "hybridvit" not in {name.split(".")[0] for name in imported(path)}, path
