"""Starts a system's process, waits for it, and says how it ended; what is done already is not done again."""

import contextlib
import json
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from ml_collections import ConfigDict

from hybridvit.comparison.budget import budget_of
from hybridvit.comparison.systems import System
from hybridvit.comparison.worker import OUTCOME, work
from hybridvit.train import changed_fields

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Runner:
    """Runs one system after the other; Ctrl-C or SIGTERM ends the one under way at its next step, a second at once."""

    def __init__(self, config: ConfigDict):
        self._config = config
        self._process: multiprocessing.process.BaseProcess | None = None
        self.told = False

    @contextlib.contextmanager
    def listening(self) -> Iterator["Runner"]:
        """Within it, signals are heard."""
        before = {number: signal.signal(number, self._tell) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, system: System) -> dict:
        """What stands in `outcome.json` in the end: "done", "stopped", or "failed" and why."""
        outcome = read_outcome(system)
        if outcome["status"] == "done":
            return outcome
        system.folder.mkdir(parents=True, exist_ok=True)
        (system.folder / OUTCOME).unlink(missing_ok=True)
        fields, minutes = system.config.to_dict(), outcome.get("process_minutes", 0.0)
        self._process = multiprocessing.get_context("spawn").Process(
            target=work,
            args=(system.method, fields, settings_of(self._config, system), str(system.folder), minutes),
            name=system.name,
        )
        before = signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # inherited: a Ctrl-C at the terminal is for us alone
        self._process.start()
        signal.signal(signal.SIGINT, before)
        if self.told:
            self._process.terminate()
        self._process.join()
        outcome = read_outcome(system)
        if outcome["status"] == "none":
            outcome = {"status": "stopped"} if self.told else {"status": "failed", "why": self._how_it_died()}
        return outcome

    def changes(self, system: System, outcome: dict) -> list[str]:
        """What has changed since the system was done, or since its number of steps was fixed."""
        now = {"config": system.config.to_dict()} | settings_of(self._config, system)
        if outcome["status"] == "done":
            return changed_fields(outcome["record"], now, "")
        path = system.folder / "budget.json"
        if not path.exists():
            return []
        return changed_fields(json.loads(path.read_text())["budget"], now["budget"], "budget.")

    def _tell(self, number: int, frame: FrameType | None) -> None:
        process = self._process
        if process is not None and process.is_alive():
            (process.kill if self.told else process.terminate)()
        if not self.told:
            print("\nStopping at the next step; once more stops at once.", file=sys.stderr, flush=True)
        self.told = True

    def _how_it_died(self) -> str:
        code = self._process.exitcode
        if code == -signal.SIGKILL:
            return "killed, most likely for want of memory: try a smaller batch or variant"
        died = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"its process ended {died}"


def settings_of(config: ConfigDict, system: System) -> dict:
    """What the comparison's config says of a system's run, beside its own config, as JSON."""
    settings = {"budget": budget_of(config.budget, system.name), "sheet_hints": config.sheet_hints}
    return settings | ({"test": config.test.to_dict()} if config.test else {})


def read_outcome(system: System) -> dict:
    """The outcome in the system's folder; "none" where it has not come to an end."""
    path = system.folder / OUTCOME
    return json.loads(path.read_text()) if path.exists() else {"status": "none"}
