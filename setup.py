"""The packages; all else stands in pyproject.toml.

The recipes lie in configs/, at the top of the repository, and are installed as hybridvit.configs: a package that is
called `configs` would be in the way of others of that name. hybridvit/config_files.py finds them in both places.
"""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages(include=["hybridvit", "hybridvit.*"]), "hybridvit.configs"],
    package_dir={"hybridvit.configs": "configs"},
)
