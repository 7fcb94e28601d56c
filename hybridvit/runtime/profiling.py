"""A trace of a few steps of a training: what host and devices did and when, for TensorBoard and Perfetto."""

import pathlib
from typing import Any

import jax
from absl import logging

FIRST, LAST = 10, 15  # steps of this process: those before compile and fill the buffers, also after a restart


class Profile:
    """A context manager that traces steps `start + FIRST` to `start + LAST` of the run in it, if it is `active`.

    Tell it before and after each step. The trace lies in `folder/plugins/profile/<time>`: `*.xplane.pb` for the profile
    plugin of TensorBoard, `perfetto_trace.json.gz` for ui.perfetto.dev. Numbers do not change. A run that ends within
    these steps leaves what there is, one that ends before (at the step `end`) a warning.
    """

    def __init__(self, folder: pathlib.Path, start: int, end: int, active: bool):
        self._folder, self._first, self._last = folder, start + FIRST, start + LAST
        self._active, self._tracing = active, False
        if active and end < self._first:
            logging.warning(
                "config.train.profile: no trace, for it begins at the %dth step of a start and this one has %d",
                *(FIRST, end - start),
            )

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def before(self, step: int, state: Any) -> None:
        """Begins the trace at its first step, once `state` is there: what the step begins with."""
        if self._active and step == self._first:
            jax.block_until_ready(state)
            options = jax.profiler.ProfileOptions()
            options.python_tracer_level = 0  # events for all calls of Python would slow it down
            jax.profiler.start_trace(self._folder, create_perfetto_trace=True, profiler_options=options)
            self._tracing = True

    def after(self, step: int, state: Any) -> None:
        """Ends the trace at its last step, once `state` is there: what the step has made."""
        if self._tracing and step == self._last:
            jax.block_until_ready(state)
            self._stop()

    def _stop(self) -> None:
        if self._tracing:
            self._tracing = False
            try:
                jax.profiler.stop_trace()
            except (OSError, RuntimeError, ValueError) as error:  # a full disk; no reason to end the run
                logging.warning("config.train.profile: the trace could not be written: %s", error)
            else:
                print(f"Traced from step {self._first} on: {self._folder / 'plugins' / 'profile'}")
