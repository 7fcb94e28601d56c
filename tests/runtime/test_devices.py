"""What JAX computes on, in words, and a line where it is not there."""

import os
import subprocess
import sys

import pytest

from hybridvit.runtime.devices import start_devices


def test_the_devices_are_named():
    assert start_devices() == f"8 x cpu ({os.cpu_count()} cores)"  # tests/conftest.py


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("cuda", "pip install 'hybridvit[cuda]', or unset JAX_PLATFORMS"),
        ("abacus", "abacus' is not in the list of known backends"),
    ],
)
def test_what_is_asked_for_and_not_there_is_a_line(platform, said):
    command = [sys.executable, "-m", "hybridvit.runtime.devices"]
    environment = os.environ | {"JAX_PLATFORMS": platform}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if not done.returncode:
        pytest.skip(f"this machine has it: {done.stdout}")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("hybridvit: ")]
    assert line.startswith(f"hybridvit: JAX_PLATFORMS={platform}: ")
    assert said in line
    assert "Traceback" not in done.stderr
