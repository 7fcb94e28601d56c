"""Being told to stop: SIGTERM from a scheduler, Ctrl-C from a person, a preemption notice on a cluster."""

import signal

import jax
from jax.experimental import multihost_utils


class StopSignal:
    """A context manager that turns the first SIGTERM or Ctrl-C into a request, answered at the end of the step.

    A second Ctrl-C interrupts at once. Where `jax.distributed` runs, its own notifier has taken SIGTERM, and all
    processes learn of it at the same step.
    """

    def __init__(self):
        self._told = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopSignal":
        signals = [signal.SIGINT] if jax.distributed.is_initialized() else [signal.SIGINT, signal.SIGTERM]
        if jax.process_count() == 1:  # else one process would stop alone and the others would wait for it
            self._before = {number: signal.signal(number, self._tell) for number in signals}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _tell(self, number: int, frame: object) -> None:
        self._told = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def requested(self, step: int) -> bool:
        """Whether to stop after `step`; every process must ask at every step."""
        return self._told or multihost_utils.reached_preemption_sync_point(step)
