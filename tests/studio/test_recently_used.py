"""What was used last stays."""

from hybridvit.studio.recently_used import RecentlyUsed


def test_what_was_used_longest_ago_goes_first():
    kept: RecentlyUsed[str] = RecentlyUsed(10)
    for name in "abc":
        kept.put(name, name.upper(), 4)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (None, "B", "C")
    kept.get("b")
    kept.put("d", "D", 4)
    assert (kept.get("c"), kept.get("b"), kept.held) == (None, "B", 8)


def test_all_but_the_latest():
    kept: RecentlyUsed[str] = RecentlyUsed(100)
    for name in "abcd":
        kept.put(name, name.upper(), 1)
    kept.get("a")
    assert kept.but_latest(2) == ["B", "C"]
    assert kept.but_latest(0) == ["B", "C", "D", "A"]
    assert kept.but_latest(9) == []


def test_one_that_is_too_large_stays_alone():
    kept: RecentlyUsed[str] = RecentlyUsed(10)
    kept.put("a", "A", 5)
    kept.put("b", "B", 50)
    assert (kept.get("a"), kept.get("b"), len(kept)) == (None, "B", 1)


def test_of_small_ones_there_are_so_many_and_no_more():
    kept = RecentlyUsed(1000, most=3)
    for number in range(5):
        kept.put(number, str(number), 1)
    assert [kept.get(number) for number in range(5)] == [None, None, "2", "3", "4"]
    assert (len(kept), kept.held) == (3, 3)
