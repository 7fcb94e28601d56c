"""What colouring costs on one CPU thread, beside a transformer of a known peer's shape in the same run.

    python -m tests.benchmarks.inference_speed [--weights pretrained|FILE] [--peer]

Prints the CPU-seconds of the network for one 256 x 256 photo, warm, batch 1, without and with hints, and for other
hints on the photo before; the process's peak memory; and with --peer (needs torch) the CPU-seconds of a network of the
shape of iColoriT-Ti: ViT, 12 blocks of width 192, 3 heads, patches of 16 px, a convolutional head (Yun et al. 2023).
Random weights; speed does not depend on them.
"""

import argparse
import itertools
import os
import resource
import time
from collections.abc import Callable

import numpy as np

import hybridvit

ROUNDS, CALLS = 8, 5


def cpu_seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Median and least CPU time of a call."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(CALLS):
            call()
        times.append((time.process_time() - start) / CALLS)
    return float(np.median(times)), min(times)


def peer() -> Callable[[], object]:
    """A forward pass of the peer's shape."""
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(192, 576), nn.Linear(192, 192)
            self.bias = nn.Parameter(torch.zeros(3, 256, 256))  # relative positions, looked up

        def forward(self, x):
            q, k, v = self.qkv(x).reshape(1, 256, 3, 3, 64).permute(2, 0, 3, 1, 4)
            weights = (q @ k.transpose(-2, -1) / 8 + self.bias).softmax(-1)
            return self.out((weights @ v).transpose(1, 2).reshape(1, 256, 192))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.Sequential(nn.LayerNorm(192), Attention())
            layers = nn.LayerNorm(192), nn.Linear(192, 768), nn.GELU(), nn.Linear(768, 192)
            self.mlp = nn.Sequential(*layers)

        def forward(self, x):
            x = x + self.attention(x)
            return x + self.mlp(x)

    torch.set_num_threads(1)
    patches = nn.Conv2d(4, 192, 16, 16)
    blocks = nn.Sequential(*(Block() for _ in range(12)), nn.LayerNorm(192))
    head = nn.Conv2d(192, 512, 3, padding=1, padding_mode="reflect")
    picture = torch.zeros(1, 4, 256, 256)

    def forward():
        with torch.inference_mode():
            tokens = blocks(patches(picture).flatten(2).transpose(1, 2))
            return nn.functional.pixel_shuffle(head(tokens.transpose(1, 2).reshape(1, 192, 16, 16)), 16)

    return forward


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default="pretrained")
    parser.add_argument("--peer", action="store_true", help="beside a network of iColoriT-Ti's shape (torch)")
    arguments = parser.parse_args()
    os.sched_setaffinity(
        0, {min(os.sched_getaffinity(0))}
    )  # JAX, which counts the cores, is imported by `load`
    colorizer = hybridvit.load(arguments.weights)
    L = np.random.default_rng(0).uniform(0, 100, (1, 256, 256)).astype(np.float32)
    shift = itertools.count()
    ab, mask = np.zeros((1, 256, 256, 2), np.float32), np.zeros((1, 256, 256), bool)
    hinted = mask.copy()
    hinted[0, 100:102, 60:62] = True

    def another() -> np.ndarray:
        """A photograph that has not been seen yet: what the encoder sees of one is kept."""
        return np.roll(L, next(shift), axis=2)

    rows = {
        "no hint": lambda: colorizer.predict_ab(another(), ab, mask),
        "one hint": lambda: colorizer.predict_ab(another(), ab, hinted),
        "the same, other hints": lambda: colorizer.predict_ab(L, ab, hinted),
    }
    for name, call in rows.items():
        median, least = cpu_seconds(call)
        print(f"{name:22} {median * 1e3:6.1f} ms CPU a picture (best {least * 1e3:.1f})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'peak memory':22} {peak:6.2f} GiB")
    if arguments.peer:
        median, least = cpu_seconds(peer())
        print(f"{'shape of iColoriT-Ti':22} {median * 1e3:6.1f} ms CPU a picture (best {least * 1e3:.1f})")


if __name__ == "__main__":
    main()
