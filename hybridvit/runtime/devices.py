"""What JAX computes on, in words; and that it is there, said before anything long begins."""

import os

import jax


def start_devices() -> str:
    """Starts JAX's devices, and names them: "cpu (2 cores)", "1 x NVIDIA H100 80GB HBM3".

    Raises ValueError, one line, if `JAX_PLATFORMS` asks for what is not there.
    """
    try:
        devices = jax.devices()
    except (
        RuntimeError,
        AssertionError,
    ) as error:  # JAX 0.10 has no words for a plugin that is not installed
        asked = os.environ.get("JAX_PLATFORMS") or jax.config.jax_platforms
        reason = " ".join(str(error).split()) or "no such device, or nothing installed for it"
        extra = {"cuda": "cuda", "gpu": "cuda", "tpu": "tpu"}.get(str(asked).split(",")[0])
        remedy = f"pip install 'hybridvit[{extra}]', or " if extra else ""
        raise ValueError(
            f"JAX_PLATFORMS={asked}: JAX cannot start it ({reason:.200}): {remedy}unset JAX_PLATFORMS"
        ) from None
    kind = devices[0].device_kind
    if kind == "cpu":
        return f"{f'{len(devices)} x ' if len(devices) > 1 else ''}cpu ({os.cpu_count()} cores)"
    return f"{len(devices)} x {kind}"


if __name__ == "__main__":  # for a process that must not hold the devices itself
    import sys

    try:
        print(start_devices())
    except ValueError as said:
        sys.exit(f"hybridvit: {said}")
