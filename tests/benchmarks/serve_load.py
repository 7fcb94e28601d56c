"""`hybridvit serve` under load, as it is started: clients that send photographs, and come again when told to.

    python -m tests.benchmarks.serve_load                      32 clients for 60 s, photographs of 256 px, a queue of 16

It prints photographs a second, how long a client waited for one, refusals (429), errors, and the server's memory.
Linux. An error is any answer that is neither what was asked for nor a 429 with Retry-After, or none.
"""

import argparse
import asyncio
import io
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

import httpx
import skimage
from PIL import Image

TOKEN = "benchmark"
POLL = 0.25  # seconds


def archive(side: int) -> bytes:
    """A zip of one gray photograph."""
    picture, packed = io.BytesIO(), io.BytesIO()
    Image.fromarray(skimage.data.camera()).resize((side, side)).save(picture, "jpeg")
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("photo.jpg", picture.getvalue())
    return packed.getvalue()


async def client(http: httpx.AsyncClient, body: bytes, end: float, seen: dict[str, list]) -> None:
    """Until then."""
    while time.monotonic() < end:
        began = time.monotonic()
        answer = await http.post("/api/batches", content=body)
        if answer.status_code == 429:
            seen["refused"].append(answer.status_code)
            await asyncio.sleep(int(answer.headers["retry-after"]))
            continue
        if answer.status_code != 202:
            seen["errors"].append(f"{answer.status_code} {answer.text[:100]}")
            return
        at = answer.headers["location"]
        while (said := (await http.get(at)).json())["state"] in ("waiting", "running"):
            await asyncio.sleep(POLL)
        result = await http.get(f"{at}/result")
        if said["coloured"] != 1 or result.status_code != 200:
            seen["errors"].append(f"{said} {result.status_code}")
            return
        seen["seconds"].append(time.monotonic() - began)
        await http.delete(at)


def memory(pid: int) -> float:
    """MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


async def load(address: str, pid: int, options: argparse.Namespace) -> int:
    """The numbers; returns the exit code."""
    seen: dict[str, list] = {"seconds": [], "refused": [], "errors": []}
    headers, body = {"Authorization": f"Bearer {TOKEN}"}, archive(options.side)
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=120, trust_env=False) as http:
        await client(http, body, time.monotonic() + 0.001, {"seconds": [], "refused": [], "errors": []})
        before, began = memory(pid), time.monotonic()
        end = began + options.seconds
        ended = await asyncio.gather(
            *(client(http, body, end, seen) for _ in range(options.clients)), return_exceptions=True
        )
        seen["errors"] += [repr(one) for one in ended if one is not None]
        took, after = time.monotonic() - began, memory(pid)
        health = await http.get("/health")
    waits = sorted(seen["seconds"])
    print(f"{len(waits) / took:.1f} photographs a second, {len(waits)} in {took:.0f} s")
    print(
        f"a client waited {statistics.median(waits):.1f} s (median), {waits[int(0.95 * len(waits))]:.1f} (95 %)"
    )
    print(
        f"{len(seen['refused'])} refused with 429, {len(seen['errors'])} errors, health {health.status_code}"
    )
    print(f"memory {before:.0f} -> {after:.0f} MiB")
    print(*seen["errors"][:5], sep="\n")
    return 1 if seen["errors"] else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--side", type=int, default=256, help="px")
    parser.add_argument("--queue", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "hybridvit.serve", "--port", "0", "--data", data]
        environment = os.environ | {"HYBRIDVIT_TOKEN": TOKEN}
        server = subprocess.Popen(
            [*command, "--queue", str(options.queue)], stdout=subprocess.PIPE, text=True, env=environment
        )
        try:
            address = server.stdout.readline().split()[-1].removesuffix("openapi.json")
            return asyncio.run(load(address, server.pid, options))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
