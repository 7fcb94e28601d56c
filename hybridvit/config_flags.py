"""The flags that all commands with a config have; a mistake in flags ends in one line."""

import re
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags
from ml_collections import config_flags

from hybridvit.command_line import fail
from hybridvit.config_files import described, find_config, provide_configs, shipped_for

CONFIG = config_flags.DEFINE_config_file(
    "config", None, "The experiment, or the comparison: a file of configs/, with :variant.", lock_config=True
)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Where it, or an evaluation, is kept; default runs/<config.name>."
)


class _Files(flags.ArgumentParser):
    """As `loading`, which is ml_collections's, of files that are found from any folder; what goes wrong is a line."""

    def __init__(self, loading: flags.ArgumentParser):
        self._loading = loading

    def flag_type(self) -> str:
        """For --helpfull."""
        return self._loading.flag_type()

    def parse(self, path: str) -> Any:
        """The config of `path` or name, and `:variant`. Raises ValueError, one line."""
        name, colon, variant = path.partition(":")
        file = find_config(name)
        provide_configs()
        try:
            return self._loading.parse(f"{file}{colon}{variant}")
        except (TypeError, ValueError) as error:  # ml_collections has put the traceback in it
            raise ValueError(str(error).strip().splitlines()[-1]) from None
        except Exception as error:  # the file is Python, and may raise anything
            place = [
                frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
            ]
            line = place[-1].lineno if place else getattr(error, "lineno", None)
            raise ValueError(f"{file}, line {line}: {type(error).__name__}: {error}") from None


flags.FLAGS["config"].parser = _Files(flags.FLAGS["config"].parser)


def parse_flags(argv: Sequence[str], explain: Callable[[], str] | None = None) -> list[str]:
    """Parses the flags; a mistake, such as a misspelt field of the config, ends in one line.

    With `explain`, `--help` prints what it returns, or the docstring of the config that is named too, and exits.
    """
    if explain is not None and {"--help", "-h", "-help"} & set(argv):
        named = next((found[1] for word in argv if (found := re.match(r"--?config=([^:]+)", word))), None)
        try:
            print(explain() if named is None else described(find_config(named)))
        except (ValueError, SyntaxError) as error:
            fail(str(error))
        sys.exit(0)
    try:
        return flags.FLAGS(argv)
    except (AttributeError, KeyError) as error:  # how ml_collections says that there is no such field
        name = re.search(r"\w+", str(error)).group()
        nearest = re.search(r'Did you mean "(\w+)"', str(error))
        argument = next((a for a in argv if re.search(rf"\.{name}\b", a)), name).split("=")[0]
        advice = f"did you mean {nearest.group(1)!r}? " if nearest else ""
        fail(f"{argument}: the config has no field {name!r}; {advice}configs/base.py lists them all")
    except flags.Error as error:
        fail(str(error).strip().splitlines()[-1])


def explain_configs(text: str, use: str) -> str:
    """`text` and the shipped configs whose docstring names `use` ("hybridvit.compare"), a line each."""
    configs = shipped_for(use)
    width = max(map(len, configs))
    lines = [f"  {name:{width}}  {line}" for name, line in configs.items()]
    return "\n".join([text, "configs (with --help: what it says of itself):", *lines])
