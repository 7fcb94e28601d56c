"""What was used last, as much of it as fits into so many bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentlyUsed(Generic[T]):
    """A dictionary that forgets what was used longest ago; for one thread (here: the event loop's).

    The last one put in stays, however large it is. Of values that take little there are `most` at most.
    """

    def __init__(self, limit: int, most: int = 2**20):
        self.limit, self.most, self.held = limit, most, 0  # bytes, values, bytes
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """What is kept under the key; it counts as used now."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, value: T, size: int) -> None:
        """Keeps a value of `size` bytes, and forgets others for it."""
        self.drop(key)
        self._kept[key] = value, size
        self.held += size
        while (self.held > self.limit or len(self._kept) > self.most) and len(self._kept) > 1:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        """Forgets the key, if it is known."""
        _, size = self._kept.pop(key, (None, 0))
        self.held -= size

    def but_latest(self, count: int) -> list[T]:
        """All values but those that were used last."""
        return [value for value, _ in list(self._kept.values())[: max(0, len(self._kept) - count)]]

    def __len__(self) -> int:
        return len(self._kept)
