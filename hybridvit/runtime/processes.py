"""Several processes as one run: they start together; where one ends alone, the others say so in a line, and end too.

JAX notices in two ways that another process is gone: a collective fails, which raises an error here; or process 0 has
not heard from one for a while, or is gone itself, and then a thread of JAX ends this process at once, with a page of
C++. So a witness, a process of its own, waits for a word that comes at an orderly end, and without it says what it was.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

import jax

from hybridvit.runtime.devices import start_devices

SILENCE_SECONDS = 30  # after which a process that hangs, or cannot be reached, counts as gone
FAREWELL_SECONDS = 1  # of process 0 after an error: its end would cut short what the others say of theirs
DONE = b"done"
WITNESS = f"import sys; sys.stdin.buffer.read() == {DONE!r} or print(sys.argv[1], file=sys.stderr)"
REMEDY = "start all of them again, and the run goes on from its last checkpoint"


@contextlib.contextmanager
def distributed(coordinator: str | None, count: int | None, index: int | None) -> Iterator[None]:
    """Runs what is within as process `index` of `count`; None: as the cluster's environment says.

    `coordinator` is the address of process 0, host:port. At the end the processes wait for one another. After an error
    of this one, a line of which has been printed by whoever raised SystemExit, it ends without waiting.
    """
    jax.distributed.initialize(
        coordinator,
        count,
        index,
        heartbeat_timeout_seconds=SILENCE_SECONDS,
        shutdown_timeout_seconds=SILENCE_SECONDS,
    )
    start_devices()  # says in a line what is not there
    name = f"process {jax.process_index()} of {jax.process_count()}"
    witness = _start_witness(
        f"hybridvit: {name} has ended before its time: it was killed, or another one is gone or does not answer "
        f"(what that one says comes first); {REMEDY}"
    )
    try:
        yield
        jax.distributed.shutdown()
    except jax.errors.JaxRuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        print(f"hybridvit: {name} cannot go on, or another one is gone ({reason}); {REMEDY}", file=sys.stderr)
        _leave(witness, 1)
    except SystemExit as end:
        _leave(witness, end.code if isinstance(end.code, int) else 1)
    witness.communicate(DONE)


def _start_witness(line: str) -> subprocess.Popen:
    # In a session of its own: signals to the run's processes are none of its business
    command = [sys.executable, "-I", "-S", "-c", WITNESS, line]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _leave(witness: subprocess.Popen, code: int) -> NoReturn:
    """Ends at once: JAX would wait for the others, who wait for this process."""
    witness.communicate(DONE)
    if jax.process_index() == 0:
        time.sleep(FAREWELL_SECONDS)
    sys.stdout.flush()
    os._exit(code)
