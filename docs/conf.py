"""The pages by Sphinx: `sphinx-build -W -b html docs build/docs` (`pip install -r requirements-docs.txt`)."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from hybridvit.version import VERSION  # noqa: E402

project = "hybridvit"
author = "The hybridvit authors"
copyright = "2026, the hybridvit authors"
version = release = VERSION
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["results"]
html_theme = "furo"
html_title = "hybridvit"
myst_heading_anchors = 4
nb_execution_mode = "off"  # tests/docs/test_tutorial.py runs it
default_role = "literal"  # `name` in a docstring is code
autodoc_typehints = "signature"  # with the shapes of arrays
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
MARKS = re.compile(r"([*|])(?=(?:[^`]*`[^`]*`)*[^`]*$)")  # outside of `code`


def plain(_app: object, _what: str, name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Docstrings are plain text: an indented block behind an empty line is shown as it is written."""
    done: list[str] = []
    literal = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not literal and done and not done[-1].strip():
            done += ["::", ""]
            literal = True
        elif line.strip() and not indented:
            if literal and done[-1].strip():
                done.append("")
            literal = False
        done.append(line if literal else MARKS.sub(r"\\\1", line))
    lines[:] = done


def setup(app: object) -> None:
    """Sphinx calls it."""
    app.connect("autodoc-process-docstring", plain, priority=400)  # before napoleon
