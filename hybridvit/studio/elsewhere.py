"""Another folder for results, that the page was told: below the user's home, nowhere else, and not a hidden one."""

import os
import pathlib
from typing import Any

from hybridvit.hints.shapes import shown

LONGEST = 1000  # characters


def folder_below_home(given: Any) -> pathlib.Path:
    """The folder of that name, which may not be there yet, with all links followed.

    Args:
      given: absolute, or within the home folder, as "Pictures/coloured" or "~/Pictures/coloured".

    Raises:
      ValueError: it is no text, leads out of the home folder, is hidden or within a hidden one, or is a file.
    """
    if not isinstance(given, str) or not given.strip() or len(given) > LONGEST or "\0" in given:
        raise ValueError(f"folder: {shown(given)} is not the name of a folder")
    home = pathlib.Path(os.path.realpath(pathlib.Path.home()))
    inside = pathlib.Path(given.strip().removeprefix("~/").removeprefix("~\\"))
    folder = pathlib.Path(os.path.realpath(home / inside))
    if home not in folder.parents:
        raise ValueError(f"folder: {shown(given)} is not below your home folder, {home}")
    if any(part.startswith(".") for part in folder.relative_to(home).parts):
        raise ValueError(f"folder: {shown(given)} is hidden: choose one whose name does not begin with a dot")
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        raise ValueError(f"folder: {there} is a file")
    return folder
