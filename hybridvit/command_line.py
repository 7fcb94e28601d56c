"""The flags that all commands with a config have; a mistake in flags ends in one line."""

import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from absl import flags
from ml_collections import config_flags

CONFIG = config_flags.DEFINE_config_file(
    "config", None, "The experiment, or the comparison: a file of configs/, with :variant.", lock_config=True
)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Where it, or an evaluation, is kept; default runs/<config.name>."
)


def fail(message: str) -> NoReturn:
    """Prints one line and exits with code 2."""
    print("hybridvit:", " ".join(message.split()), file=sys.stderr)
    sys.exit(2)


def parse_flags(argv: Sequence[str]) -> list[str]:
    """Parses the flags; a mistake, such as a misspelt field of the config, ends in one line."""
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
