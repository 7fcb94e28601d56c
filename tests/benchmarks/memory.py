"""The memory of this process, on Linux, and of its accelerator; for the benchmarks beside this file."""

import pathlib
import re

import jax


def resident(field: str) -> int:
    """Bytes of this process: VmRSS, or VmHWM, the most since `forget_peak`."""
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{field}:\s+(\d+)", status).group(1))


def forget_peak() -> None:
    """The most of this process begins anew."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def peak() -> tuple[int, str]:
    """The most bytes that were held, and by what: an accelerator ever, or this process since `forget_peak`."""
    device = jax.local_devices()[0]
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats:
        return stats["peak_bytes_in_use"], device.device_kind
    return resident("VmHWM"), "this process"
