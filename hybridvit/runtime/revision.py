"""Which code runs: the git revision of the clone that it was started from."""

import pathlib
import subprocess

CLONE = pathlib.Path(__file__).parents[2]


def git_revision() -> str | None:
    """The commit, 40 hexadecimal digits, with -dirty behind it where files were changed since; None: no git clone."""
    if not (CLONE / ".git").exists():  # an installed package inside somebody's clone is not that clone's code
        return None
    command = ["git", "-C", str(CLONE), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # no git, or not the owner's
        return None
