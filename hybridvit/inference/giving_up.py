"""Work that is given up between its steps, when something else is waited for."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator


class GivenUpError(Exception):
    """Nobody wants the result any more."""


def _never() -> bool:
    return False


_over: contextvars.ContextVar[Callable[[], bool]] = contextvars.ContextVar("over", default=_never)


@contextlib.contextmanager
def given_up_when(over: Callable[[], bool]) -> Iterator[None]:
    """What is made within, by this thread, raises GivenUpError before the next step once `over()` is true."""
    token = _over.set(over)
    try:
        yield
    finally:
        _over.reset(token)


def begin_step() -> None:
    """Said before what takes time; raises GivenUpError."""
    if _over.get()():
        raise GivenUpError
