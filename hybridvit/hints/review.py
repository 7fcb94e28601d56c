"""What a person said of a photograph's result: accepted, to be done again, or rejected; by whom and when."""

import dataclasses
import datetime
from typing import no_type_check

from hybridvit.hints.shapes import HintError, shown

STATES = ("unreviewed", "accepted", "redo", "rejected")
LONGEST_NAME = 200  # characters


@no_type_check  # what it is given is checked by itself
@dataclasses.dataclass(frozen=True)
class Review:
    """A state of STATES, a name (may be empty), and a time in ISO 8601 with its zone; raises HintError for others."""

    state: str
    by: str
    when: str

    def __post_init__(self):
        if self.state not in STATES:
            raise HintError("state", f"{shown(self.state)} is not one of {', '.join(STATES)}")
        if not isinstance(self.by, str) or len(self.by) > LONGEST_NAME or not self.by.isprintable():
            raise HintError("by", f"{shown(self.by)} is not a name of {LONGEST_NAME} characters at most")
        try:
            when = datetime.datetime.fromisoformat(self.when)
        except (TypeError, ValueError):
            when = None
        if when is None or when.tzinfo is None:
            raise HintError(
                "when", f"{shown(self.when)} is not a time with its zone, as 2026-11-28T14:03:00+00:00"
            )


def review_now(state: str, by: str) -> Review:
    """Of this second. Raises HintError as `Review`."""
    return Review(state, by, datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))
