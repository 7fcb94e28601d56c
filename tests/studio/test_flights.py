"""What happens once, and what is kept."""

import asyncio

import pytest

from hybridvit.studio.flights import Flights
from hybridvit.studio.recently_used import RecentlyUsed


def test_those_who_ask_at_once_share_the_work():
    calls = []

    async def run() -> list[int]:
        flights, go = Flights(), asyncio.Event()

        async def compute() -> int:
            calls.append(1)
            await go.wait()
            return len(calls)

        asked = [asyncio.ensure_future(flights.join("a", compute)) for _ in range(3)]
        other = asyncio.ensure_future(flights.join("b", compute))
        await asyncio.sleep(0)
        asked[0].cancel()  # the one who came first gives up
        await asyncio.sleep(0)
        go.set()
        found = await asyncio.gather(*asked[1:], other)
        return [*found, await flights.join("a", compute)]

    assert asyncio.run(run()) == [2, 2, 2, 3]


def test_all_hear_of_an_error_and_the_next_tries_again():
    async def run() -> None:
        flights = Flights()

        async def fail() -> None:
            raise ValueError("no")

        found = await asyncio.gather(*(flights.join("a", fail) for _ in range(2)), return_exceptions=True)
        assert [str(error) for error in found] == ["no", "no"]

        async def work() -> int:
            return 1

        assert await flights.join("a", work) == 1

    asyncio.run(run())


def test_the_least_recently_used_goes():
    kept: RecentlyUsed[str] = RecentlyUsed(10)
    for name in "abc":
        kept.put(name, name.upper(), 4)
    assert [kept.get(name) for name in "abc"] == [None, "B", "C"]
    kept.get("b")
    kept.put("d", "D", 3)
    assert [kept.get(name) for name in "bcd"] == ["B", None, "D"]
    kept.put("b", "b", 1)
    assert (kept.held, len(kept)) == (4, 2)
    kept.put("huge", "H", 99)
    assert (kept.get("huge"), len(kept), kept.held) == ("H", 1, 99)
    kept.drop("huge")
    kept.drop("huge")
    assert (len(kept), kept.held) == (0, 0)


@pytest.mark.parametrize("sizes", [[1, 2, 3], [5, 5, 5], [9, 1, 9]])
def test_what_is_held_is_the_sum(sizes):
    kept: RecentlyUsed[int] = RecentlyUsed(10)
    for i, size in enumerate(sizes):
        kept.put(i, i, size)
    assert kept.held == sum(sizes[i] for i in range(len(sizes)) if kept.get(i) is not None) <= 10
