"""The studio under load and under fire: a server as users start it, clients that do as its page does, broken requests.

    python -m tests.benchmarks.studio_load                  32 clients for 60 s, without a pause; 500 broken requests
    python -m tests.benchmarks.studio_load --clients 1      what one user waits for

After a minute of the same load, in which the caches fill, it prints requests a second, errors, how long answers took,
the server's memory through the time, and a verdict: no error, no growth of memory, never a 5xx. Linux. A client's
photograph is its own; a half of the broken requests are uploads.
"""

import argparse
import asyncio
import contextlib
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

import httpx
import numpy as np
import skimage
from PIL import Image

from tests.studio.fuzzing import broken_calls, broken_files, complaint

WARM_SECONDS = 60.0  # before memory is watched: the caches fill up to their bounds
GROWTH = 1.1  # of memory, from the first quarter of the time to the last
PAGE = ("", "api/", "api/photos", "openapi.json")


class Client:
    """One page: it opens its photograph, looks at it, clicks, and undoes."""

    def __init__(self, http: httpx.AsyncClient, photo_id: str, number: int, took: dict[str, list[float]]):
        self.http, self.id, self.took = http, photo_id, took
        self.chance = random.Random(number)
        self.errors: list[str] = []

    async def ask(self, kind: str, method: str, path: str, **options) -> httpx.Response | None:
        """The answer, None after an error."""
        began = time.perf_counter()
        try:
            response = await self.http.request(method, path, **options)
        except httpx.HTTPError as error:
            self.errors.append(f"{kind}: {type(error).__name__}")
            return None
        self.took[kind].append(time.perf_counter() - began)
        if response.is_error:
            self.errors.append(f"{kind}: {response.status_code} {response.text[:100]}")
            return None
        return response

    async def run(self, end: float) -> None:
        """Until then."""
        for path in PAGE:
            await self.ask("page", "GET", path)
        while time.monotonic() < end:
            photo = await self.ask("open", "GET", f"api/photos/{self.id}")
            if photo:
                await self.look_and_click(photo.json())

    async def look_and_click(self, photo: dict) -> None:
        """One visit of a photograph."""
        at, chance = f"api/photos/{self.id}", self.chance
        level = chance.randrange(photo["levels"])
        await self.ask("thumbnail", "GET", f"{at}/thumbnail")
        await self.tiles("original", level, photo)
        history = [{**photo["sidecar"], "hints": []}]
        revision = photo["revision"]
        for step in range(8):
            x, y = chance.uniform(0, photo["width"] - 1), chance.uniform(0, photo["height"] - 1)
            if step % 4 == 3:  # undo
                history = history[:-1] or history
            else:
                place = {"params": {"x": x, "y": y, "revision": revision}}
                ahead = {"params": {**place["params"], "ahead": 2}}
                colors = await self.ask("colors", "GET", f"{at}/colors", **ahead)
                await self.ask("gamut", "GET", f"{at}/gamut", **place)
                color = colors.json()["colors"][-1]["color"] if colors else "#806040"
                hint = {"type": "point", "x": x, "y": y, "color": color}
                history.append({**history[-1], "hints": [*history[-1]["hints"], hint]})
            headers = {"If-Match": f'"{revision}"'}
            put = await self.ask("hint", "PUT", f"{at}/sidecar", json=history[-1], headers=headers)
            if not put:
                return
            revision = put.json()["revision"]
            await self.tiles(revision, level, photo)
        seldom = {
            "uncertainty": "uncertainty",
            "next": "next",
            "variant": f"variants/{chance.randrange(100)}",
        }
        kind = chance.choice(list(seldom))
        await self.ask(kind, "GET", f"{at}/{seldom[kind]}", params={"revision": revision})
        if chance.random() < 0.1:
            await self.ask("save", "POST", f"{at}/save", json={"format": None})

    async def tiles(self, what: str, level: int, photo: dict) -> None:
        """Those that a screen shows, at once."""
        side = photo["tile"] * 2**level
        rows, columns = -(-photo["height"] // side), -(-photo["width"] // side)
        top, left = self.chance.randrange(rows), self.chance.randrange(columns)
        seen = [(row, column) for row in (top, top + 1) for column in (left, left + 1)]
        places = [f"{row}/{column}" for row, column in seen if row < rows and column < columns]
        address = f"api/photos/{self.id}/tiles/{what}/{level}"
        await asyncio.gather(*(self.ask("tile", "GET", f"{address}/{place}") for place in places))


def main() -> None:
    """Measures, prints, and exits with 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--fuzz", type=int, default=500, help="broken uploads and requests")
    parser.add_argument("--megapixels", type=float, default=1.5, help="of a photograph")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = pathlib.Path(place, "scans")
        make_photographs(folder, options.clients, options.megapixels)
        server, address = start(folder, pathlib.Path(place))
        stack.callback(server.kill)
        wrong = asyncio.run(load(server.pid, address, options))
        wrong += asyncio.run(fire(address, options))
        with httpx.Client(base_url=address, timeout=60) as http:
            if http.get("api/").status_code != 200:
                wrong.append("the studio does not answer any more")
        began = time.perf_counter()
        server.send_signal(signal.SIGINT)
        server.wait(60)
        print(f"ended {time.perf_counter() - began:.1f} s after Ctrl-C, exit code {server.returncode}")
    print("verdict:", "; ".join(wrong) or "no error, no growth of memory, never a 5xx")
    sys.exit(bool(wrong))


def make_photographs(folder: pathlib.Path, count: int, megapixels: float) -> None:
    """JPEGs from a bundled photograph, each another one by its pixels."""
    folder.mkdir()
    height = round((megapixels * 1e6 * 2 / 3) ** 0.5)
    with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
        gray = np.asarray(photograph.convert("L").resize((height * 3 // 2, height), Image.BICUBIC))
    for number in range(count):
        Image.fromarray(np.roll(gray, 17 * number, 1)).save(folder / f"scan {number}.jpg", quality=92)


def start(folder: pathlib.Path, place: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """The server, and its address, after its first picture."""
    command = [sys.executable, "-m", "hybridvit.studio", folder, "--port", "0", "--no-browser"]
    server = subprocess.Popen(
        [*command, "--data", place / "data", "--output", place / "results"], stdout=subprocess.PIPE, text=True
    )
    line = server.stdout.readline()
    if not line:
        sys.exit("the studio did not start")
    return server, line.split()[-1]


async def load(pid: int, address: str, options: argparse.Namespace) -> list[str]:
    """What was wrong with many clients at once."""
    took: dict[str, list[float]] = defaultdict(list)
    memory: list[float] = []
    # A browser has six connections to a host
    limits = httpx.Limits(max_connections=6 * options.clients)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as http:
        photos = (await http.get("api/photos")).json()["photos"]
        warm = Client(http, photos[0]["id"], -1, defaultdict(list))
        await warm.run(time.monotonic() + 1)
        clients = [Client(http, photo["id"], number, took) for number, photo in enumerate(photos)]
        await asyncio.gather(*(client.run(time.monotonic() + WARM_SECONDS) for client in clients))
        took.clear()
        began = time.monotonic()
        watch = asyncio.create_task(watch_memory(pid, memory))
        await asyncio.gather(*(client.run(began + options.seconds) for client in clients))
        seconds = time.monotonic() - began
        watch.cancel()
    count = sum(map(len, took.values()))
    print(f"{len(clients)} clients, {seconds:.0f} s: {count} requests, {count / seconds:.1f} a second")
    print(f"{'':12} {'requests':>8} {'median':>8} {'p95':>8} {'p99':>8} {'worst':>8}  ms")
    for kind, times in sorted(took.items(), key=lambda pair: -len(pair[1])):
        values = [1000 * value for value in np.percentile(times, (50, 95, 99, 100))]
        print(f"{kind:12} {len(times):8} " + " ".join(f"{value:8.0f}" for value in values))
    quarters = [statistics.median(part) for part in np.array_split(memory, 4)]
    print("memory, MB, by quarters of the time:", " ".join(f"{value:.0f}" for value in quarters))
    errors = [error for client in [warm, *clients] for error in client.errors]
    for error in sorted(set(errors)):
        print(f"error, {errors.count(error)} times: {error}")
    wrong = [f"{len(errors)} errors"] if errors else []
    if quarters[-1] > GROWTH * quarters[0]:
        wrong.append(f"memory grew from {quarters[0]:.0f} to {quarters[-1]:.0f} MB")
    return wrong


async def watch_memory(pid: int, memory: list[float]) -> None:
    """Adds the server's resident memory, MB, twice a second."""
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        memory.append(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * page / 1e6)
        await asyncio.sleep(0.5)


async def fire(address: str, options: argparse.Namespace) -> list[str]:
    """What was wrong with the answers to broken uploads and requests."""
    chance = random.Random(options.seed)
    statuses: dict[int, int] = defaultdict(int)
    complaints: list[str] = []

    def note(response: httpx.Response, what: str) -> None:
        statuses[response.status_code] += 1
        if found := complaint(response):
            complaints.append(f"{found}: {what[:500]}")

    with httpx.Client(base_url=address, timeout=120) as http:
        for name, data in broken_files(chance, options.fuzz // 2):
            note(
                http.post("api/photos", params={"name": name}, content=data), f"upload {name!r} {data[:60]!r}"
            )
        listed = http.get("api/photos").json()["photos"][: options.clients + 8]
        photos = [http.get(f"api/photos/{photo['id']}").json() for photo in listed]
        for call in broken_calls(
            http.get("openapi.json").json(), photos, chance, options.fuzz - options.fuzz // 2
        ):
            note(call.send(http), repr(call))
    print(
        "broken uploads and requests:", ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items()))
    )
    for line in complaints:
        print("complaint:", line)
    return [f"{len(complaints)} answers to broken requests"] if complaints else []


if __name__ == "__main__":
    main()
