"""One computation for all who ask for the same at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Flights:
    """What is being computed now; for one event loop."""

    def __init__(self):
        self._running: dict[Hashable, asyncio.Task] = {}

    async def join(self, key: Hashable, compute: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `compute()`, or of the same key's that is running; whoever gives up leaves it to the others."""
        return await asyncio.shield(self.begin(key, compute))

    def begin(self, key: Hashable, compute: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """The same without waiting for it: somebody will ask."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(compute())
            task.add_done_callback(lambda done: self._land(key, done))
        return task

    def _land(self, key: Hashable, task: asyncio.Task) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # also if all have given up it is no news to the event loop
