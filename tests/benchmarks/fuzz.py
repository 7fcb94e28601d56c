"""Hostile files for every reader: model files, sidecars, pictures; many of each, in a process of bounded memory.

    python -m tests.benchmarks.fuzz                            10,000 of each
    python -m tests.benchmarks.fuzz --count 500 --only pth     fewer, of one

Prints for each reader how many were read all the same, how many refused in one line, and what else there was: another
error, more memory than the bound, a crash, no end; with the number by which `--first` finds it again. Exits with 1 if
there was anything else. Linux. `tests/hostile.py` makes the files.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

MEMORY = 2**30  # bytes of address space, beyond what the process has before the first input
SECONDS = 30  # of the CPU for one input, or ten times that by the clock; then it counts as one without end


def main() -> None:
    """Runs each reader in children, a new one after each crash."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.fuzz", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--count", type=int, default=10_000, help="inputs for each reader (%(default)s)")
    parser.add_argument("--only", help="a reader, as the table names it")
    parser.add_argument("--first", type=int, default=0, help="number of the first input (%(default)s)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return run_child(options.only, options.first, options.count)
    names = [options.only] if options.only else readers()
    print("| reader | inputs | inputs/s | read | refused | anything else | memory taken |")
    print("|---|---|---|---|---|---|---|")
    bad = False
    for name in names:
        outcomes, memory, began = collections.Counter(), 0, time.perf_counter()
        first, end, seconds = options.first, options.first + options.count, 0.0
        others = {}
        while first < end:
            found, code, child = watch(name, first, end - first)
            for outcome, number in found["others"].items():
                others.setdefault(outcome, number)
            outcomes.update(found["outcomes"])
            memory, seconds = max(memory, found["memory"]), seconds + found["seconds"]
            if child is None:
                break
            ends = {-signal.SIGPROF: "no end", -signal.SIGALRM: "no end", -signal.SIGKILL: "killed"}
            kind = ends.get(code, f"crash ({code})")
            others.setdefault(kind, child)
            outcomes[kind] += 1
            first = child + 1
        rest = {kind: count for kind, count in outcomes.items() if kind not in ("read", "refused")}
        bad |= bool(rest)
        said = (
            "; ".join(f"{count} x {kind} (--first {others.get(kind)})" for kind, count in rest.items()) or "-"
        )
        speed = options.count / max(seconds, 1e-9)
        print(
            f"| {name} | {options.count:,} | {speed:,.0f} | {outcomes['read']:,} | {outcomes['refused']:,} | {said} "
            f"| {memory / 2**20:,.0f} MB |",
            flush=True,
        )
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    sys.exit(bad)


def readers() -> list[str]:
    """Their names."""
    script = (
        "import pathlib, tempfile; from tests.hostile import make_targets\n"
        "with tempfile.TemporaryDirectory() as folder: print('\\n'.join(make_targets(pathlib.Path(folder))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")[:-1]


def environment() -> dict[str, str]:
    """One device, no chatter."""
    return os.environ | {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}


def watch(name: str, first: int, count: int) -> tuple[dict, int, int | None]:
    """What a child found, its exit code, and the number of the input that ended it (None: none did)."""
    command = [sys.executable, "-m", "tests.benchmarks.fuzz", "--child", "--only", name]
    with tempfile.TemporaryFile("w+") as said:
        code = subprocess.run(
            [*command, f"--first={first}", f"--count={count}"],
            env=environment(),
            stdout=said,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
        said.seek(0)
        text = said.read()
    if not text:
        raise RuntimeError(f"the child of {name} ended with {code} before its first input")
    found = json.loads(text)
    return found, code, None if found["next"] == first + count else found["next"]


def run_child(name: str, first: int, count: int) -> None:
    """Before each input, writes over standard output, a file, what was found so far, and the number of the next."""
    from tests.hostile import make_targets, try_one

    with tempfile.TemporaryDirectory() as folder:
        target = make_targets(pathlib.Path(folder))[name]
        sound = try_one(target, None)
        assert sound == "read", f"the sound file is {sound}"
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
        bound = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcomes, others, began, written = collections.Counter(), {}, time.perf_counter(), [b""]

        def report(following: int) -> None:
            taken = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            found = {"next": following, "outcomes": outcomes, "others": others, "memory": taken}
            text = json.dumps(found | {"seconds": time.perf_counter() - began}).encode()
            os.pwrite(1, text.ljust(len(written[0])), 0)  # over the one before; it is there whatever comes
            written[0] = text

        for number in range(first, first + count):
            report(number)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(10 * SECONDS)
            outcome = try_one(target, random.Random(f"{name} {number}"))
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            outcomes[outcome] += 1
            if outcome not in ("read", "refused"):
                others.setdefault(outcome, number)
        report(first + count)


if __name__ == "__main__":
    main()
