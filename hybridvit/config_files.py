"""Where the files of configs/ are: those in the folder one works in, then those that came with the package.

A file may say `from configs import base` wherever it lies: `configs` is then the folder of that name one works in, if
there is one, and behind it the package's.
"""

import ast
import importlib.machinery
import importlib.util
import os
import pathlib
import sys

from hybridvit.command_line import did_you_mean

PACKAGE = pathlib.Path(__file__).parent
# Beside the package in a clone of the repository, in it where it is installed (setup.py)
SHIPPED = next(folder for folder in (PACKAGE / "configs", PACKAGE.parent / "configs") if folder.is_dir())


def find_config(name: str) -> pathlib.Path:
    """The file that `--config` names: a path, or a name with or without `.py` and `configs/`.

    What there is from the working folder on goes before what came with the package. Raises ValueError, one line.
    """
    given = pathlib.Path(name).expanduser()
    file = given if given.suffix == ".py" else given.with_name(f"{given.name}.py")
    own = [given, file, pathlib.Path("configs") / file]
    inner = file.relative_to("configs") if file.parts[0] == "configs" else file
    for path in (*own, SHIPPED / inner):
        if path.is_file():
            return path
    names = sorted(path.stem for path in SHIPPED.glob("[!_]*.py"))
    choice = did_you_mean(given.stem, names) or f": name a file of yours, or one of {', '.join(names)}"
    raise ValueError(f"no config {name}{choice}")


def provide_configs() -> None:
    """Makes `configs` importable, of the working folder's files and the package's."""
    own = pathlib.Path.cwd() / "configs"
    folders = [os.fspath(folder) for folder in dict.fromkeys((own, SHIPPED)) if folder.is_dir()]
    if "configs" in sys.modules:
        module = sys.modules["configs"]
        module.__path__ = list(dict.fromkeys((*module.__path__, *folders)))
        return
    start = pathlib.Path(folders[0]) / "__init__.py"
    spec = importlib.machinery.ModuleSpec("configs", None, is_package=True)
    if start.is_file():
        spec = importlib.util.spec_from_file_location("configs", start)
    spec.submodule_search_locations = folders
    module = sys.modules["configs"] = importlib.util.module_from_spec(spec)
    if spec.loader is not None:
        spec.loader.exec_module(module)


def described(path: pathlib.Path) -> str:
    """The docstring of a config, without running it."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def shipped_for(command: str) -> dict[str, str]:
    """First lines of the docstrings, by name, of the shipped configs whose docstring gives `command` as its use."""
    texts = {path.stem: described(path) for path in sorted(SHIPPED.glob("[!_]*.py"))}
    return {name: text.splitlines()[0] for name, text in texts.items() if command in text}
