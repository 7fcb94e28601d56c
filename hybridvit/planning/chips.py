"""What the makers say of their accelerators, a chip: rates, memory, links. Decimal units, a second.

v5e    Google, "TPU v5e", cloud.google.com/tpu/docs/v5e: 197 TFLOP/s in bf16, 16 GB of HBM at 819 GB/s, 1600 Gbit/s
       between chips, 256 chips a pod, a 2-D torus. A ring of chips uses the links of one of the two directions of the
       torus, so half of it is counted. Pods are joined by 6.4 Tbit/s a pod. Products of float32 run as bf16 by default.
H100   NVIDIA, "H100 Tensor Core GPU" data sheet, SXM: 1979 TFLOP/s in bf16 and 989 in TF32 with sparsity, so half of
       each without; 80 GB of HBM3 at 3.35 TB/s, NVLink 900 GB/s for both directions together. "DGX H100" data sheet:
       8 GPUs and 8 network adapters of 400 Gbit/s a node. Products of float32 run as TF32 by default.
"""

import dataclasses

from hybridvit.planning.collectives import Collective


@dataclasses.dataclass(frozen=True)
class Chip:
    """Rates in FLOP/s and bytes/s, memory in bytes; `domain`: chips joined by the fast links, next to each other."""

    name: str
    flops: dict[str, float]  # by the model's dtype
    memory: float
    memory_rate: float
    fast: float  # bytes/s that a chip sends to others of its domain
    domain: int
    slow: float  # to chips of other domains

    def seconds(self, collective: Collective) -> float:
        """How long a collective takes at least, a step: within domains first, then what is left between them."""
        members = collective.members
        inside = sum(member // self.domain == members[0] // self.domain for member in members)
        outside = len(members) / inside
        if collective.kind == "collective-permute":
            return collective.sent / (self.fast if outside == 1 else self.slow)
        ways = collective.times * (2 if collective.kind == "all-reduce" else 1)
        within = collective.bytes * (inside - 1) / inside / self.fast
        between = collective.bytes / inside * (outside - 1) / outside / self.slow
        return ways * (within + between)


CHIPS = {
    "v5e": Chip(
        name="TPU v5e",
        flops={"bfloat16": 197e12, "float32": 197e12},
        memory=16e9,
        memory_rate=819e9,
        fast=1600e9 / 8 / 2,
        domain=256,
        slow=6.4e12 / 8 / 256,
    ),
    "h100": Chip(
        name="H100 SXM",
        flops={"bfloat16": 1979e12 / 2, "float32": 989e12 / 2},
        memory=80e9,
        memory_rate=3.35e12,
        fast=900e9 / 2,
        domain=8,
        slow=400e9 / 8,
    ),
}
