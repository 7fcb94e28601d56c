"""Packages that only some commands need: `pip install hybridvit` brings what colours and opens the studio."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Within it, a package that is not installed is told with the extra of pyproject.toml that brings it.

    `what` begins the line, as in "ONNX files need". Raises ModuleNotFoundError, with the package's name.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "hybridvit").split(".")[0] == "hybridvit":  # no package of others
            raise
        message = f"{what} {error.name}: pip install 'hybridvit[{extra}]'"
        raise ModuleNotFoundError(message, name=error.name) from None
