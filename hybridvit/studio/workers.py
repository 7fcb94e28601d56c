"""Threads for what takes time, by kinds, so that much of one kind does not keep the others waiting."""

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")
LIMITS = {  # threads of a kind
    "files": 8,  # lists, sidecars, uploads
    "opening": 2,  # decoding; each may hold a large photograph
    "previews": 1,  # decoding what nobody looks at closely
    "coloring": 4,  # runs of the model: one at a time inside, the rest beside it
    "thinking": 2,  # many runs of the model
    "painting": max(2, os.cpu_count() or 1),
    "saving": 1,
}


class Workers:
    """Runs functions in threads."""

    def __init__(self):
        self._limiters = {kind: anyio.CapacityLimiter(count) for kind, count in LIMITS.items()}

    async def run(self, kind: str, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """What `function(*args, **options)` returns in a thread; `kind` is one of LIMITS."""
        call = functools.partial(function, *args, **options)
        return await anyio.to_thread.run_sync(call, limiter=self._limiters[kind])

    def is_busy(self, kind: str) -> bool:
        """Whether any thread of this kind runs."""
        return self._limiters[kind].borrowed_tokens > 0
