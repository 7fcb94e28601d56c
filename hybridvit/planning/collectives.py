"""What a compiled program sends between its devices, read from its text (XLA's HLO).

`read_collectives(compiled.as_text())` finds every all-reduce, all-gather, reduce-scatter, all-to-all and
collective-permute, with the bytes of the whole array, the devices that take part, and how often a step runs it (those
in loops count each time). Compilers for TPUs write one collective into several fusions, piece by piece; its channel
tells that it is the same one.
"""

import dataclasses
import math
import re
from collections.abc import Iterator

import numpy as np

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
BYTES = {  # of an element, by HLO's name of the type
    **dict.fromkeys(("pred", "s8", "u8", "f8e4m3fn", "f8e5m2"), 1),
    **dict.fromkeys(("s16", "u16", "f16", "bf16"), 2),
    **dict.fromkeys(("s32", "u32", "f32"), 4),
    **dict.fromkeys(("s64", "u64", "f64", "c64"), 8),
}
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{$")
_COLLECTIVE = re.compile(rf"= (.*?) ({'|'.join(KINDS)})(-start)?\(")
_ARRAY = re.compile(rf"\b({'|'.join(BYTES)})\[([\d,]*)\]")
_CALLED = re.compile(r"\b(?:calls|to_apply|body|condition|called_computations)=(\{[^}]*\}|%?[\w.\-]+)")
_BRANCHES = re.compile(r"\b(?:branch_computations=\{([^}]*)\}|(?:true|false)_computation=(%?[\w.\-]+))")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')


@dataclasses.dataclass(frozen=True)
class Collective:
    """One exchange: its kind, the bytes of the whole array (of all shards together), who takes part, times a step.

    `members` are the devices of the first group, in the mesh's order.
    """

    kind: str
    bytes: int
    members: tuple[int, ...]
    times: int = 1

    @property
    def sent(self) -> float:
        """Bytes that a device sends a step, on a ring: the least that each kind can do with."""
        n = len(self.members)
        once = self.bytes if self.kind == "collective-permute" else self.bytes * (n - 1) / n
        return float(self.times * once) * (2 if self.kind == "all-reduce" else 1)


def read_collectives(text: str, devices: int) -> list[Collective]:
    """The collectives of a compiled program for `devices` devices; those among single devices are left out."""
    computations, entry = _split(text)
    found: dict[str, Collective] = {}
    for name, times in _times(computations, entry).items():
        for number, line in enumerate(computations[name]):
            match = _COLLECTIVE.search(line)
            if match is None:
                continue
            one = _collective(match, line, devices, times, scattered="all-reduce-scatter" in name)
            channel = re.search(r"channel_id=(\d+)", line)
            key = channel.group(1) if channel else f"{name}:{number}"
            if len(one.members) > 1 and (key not in found or one.times > found[key].times):
                found[key] = one
    return list(found.values())


def _split(text: str) -> tuple[dict[str, list[str]], str]:
    """Lines of each computation by its name, and the name of the one that the program starts with."""
    computations: dict[str, list[str]] = {}
    entry, lines = "", []
    for line in text.splitlines():
        header = _COMPUTATION.match(line)
        if header:
            lines = computations.setdefault(header.group(2), [])
            entry = header.group(2) if header.group(1) else entry
        elif line.startswith("  "):
            lines.append(line)
    return computations, entry


def _times(computations: dict[str, list[str]], entry: str) -> dict[str, int]:
    """How often each computation that can be reached runs in a step; a loop of unknown length counts once."""
    times = {entry: 1}
    waiting = [entry]
    while waiting:
        caller = waiting.pop()
        for callee, count in _calls(computations[caller]):
            total = times[caller] * count
            if callee in computations and total > times.get(callee, 0):
                times[callee] = total
                waiting.append(callee)
    return times


def _calls(lines: list[str]) -> Iterator[tuple[str, int]]:
    for line in lines:
        trips = _TRIPS.search(line) if " while(" in line else None
        count = int(trips.group(1)) if trips else 1
        for names in (*_CALLED.findall(line), *("".join(pair) for pair in _BRANCHES.findall(line))):
            for name in re.findall(r"[\w.\-]+", names):
                yield name, count


def _collective(match: re.Match, line: str, devices: int, times: int, scattered: bool) -> Collective:
    result, kind, start = match.groups()
    sizes = [
        math.prod(map(int, filter(None, shape.split(",")))) * BYTES[dtype]
        for dtype, shape in _ARRAY.findall(result)
    ]
    if start and kind != "all-reduce" and len(sizes) > 1:
        # The start's result holds what goes in beside what comes out
        sizes = sizes[1:2] if kind == "collective-permute" else sizes[len(sizes) // 2 :]
    members = _members(line, kind, devices)
    size = sum(sizes) * (len(members) if kind == "reduce-scatter" else 1)
    # How the TPU compiler writes a reduce-scatter
    return Collective("reduce-scatter" if scattered and kind == "all-reduce" else kind, size, members, times)


def _members(line: str, kind: str, devices: int) -> tuple[int, ...]:
    """The devices of the first group."""
    if kind == "collective-permute":
        pairs = re.findall(r"\{(\d+),(\d+)\}", line.partition("source_target_pairs=")[2])
        moves = [pair for pair in pairs if pair[0] != pair[1]]
        return tuple(map(int, moves[0])) if moves else (0,)
    groups = line.partition("replica_groups=")[2]
    if listed := re.match(r"\{\{([\d,]+)\}", groups):
        return tuple(map(int, listed.group(1).split(",")))
    if iota := re.match(r"\[(\d+),(\d+)\]<=(\[[\d,]+\])(?:T\(([\d,]+)\))?", groups):
        ids = _iota(iota.group(3), iota.group(4))
        return tuple(ids.reshape(int(iota.group(1)), int(iota.group(2)))[0].tolist())
    if mesh := re.match(
        r"mesh\[([^\]]*)\](?:, device_ids=\((\[[\d,]+\])(?:T\(([\d,]+)\))?\))? \{([^}]*)\}", groups
    ):
        sizes = {name: int(size) for name, size in re.findall(r"'(\w+)'=(\d+)", mesh.group(1))}
        ids = _iota(mesh.group(2) or f"[{devices}]", mesh.group(3)).reshape(tuple(sizes.values()))
        chosen = [list(sizes).index(name) for name in re.findall(r"'(\w+)'", mesh.group(4))]
        first = tuple(slice(None) if axis in chosen else 0 for axis in range(len(sizes)))
        return tuple(ids[first].reshape(-1).tolist())
    return tuple(range(devices))  # {}: all


def _iota(dims: str, permutation: str | None) -> np.ndarray:
    """Device numbers in the order that HLO's `[4,2]T(1,0)` says."""
    shape = tuple(map(int, dims.strip("[]").split(",")))
    ids = np.arange(math.prod(shape)).reshape(shape)
    return ids.transpose(tuple(map(int, permutation.split(",")))) if permutation else ids
