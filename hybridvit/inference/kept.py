"""Results that are made once and kept, the last used ones, as far as there is room for them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from hybridvit.inference.giving_up import begin_step

_KEPT_ANYHOW = 6  # results: what the next hint needs, at a large view too

T = TypeVar("T")


class Kept:
    """Up to `most` bytes of arrays and tuples of arrays, or `least` results; may be used by several threads.

    What has to be made is a step of work that may be given up (`giving_up`).
    """

    def __init__(self, most: int, least: int = _KEPT_ANYHOW):
        self.most, self.least = most, least
        self._results: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()  # with their bytes
        self._held = 0  # bytes
        self._lock = threading.RLock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returned for this key, the last time that it had to be called."""
        with self._lock:  # others who want the same wait for it, rather than make it too
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key][0]
            begin_step()
            made = make()
            self._results[key] = made, _bytes(made)
            self._held += _bytes(made)
            while len(self._results) > self.least and self._held > self.most:
                self._held -= self._results.popitem(last=False)[1][1]
            return made


def _bytes(result: Any) -> int:
    if isinstance(result, tuple):
        return sum(map(_bytes, result))
    return getattr(result, "nbytes", 0)
