"""What became of a batch of pictures, and how that is told."""

import dataclasses


@dataclasses.dataclass
class Summary:
    """Filled while the pictures are worked on."""

    total: int
    coloured: int = 0
    done: int = 0  # already
    failed: dict[str, str] = dataclasses.field(default_factory=dict)  # picture -> reason, in a line
    remarks: dict[str, list[str]] = dataclasses.field(default_factory=dict)  # what to know -> pictures
    stopped: str | None = None  # why the rest was not reached

    @property
    def not_reached(self) -> int:
        """How many pictures nothing was tried with."""
        return self.total - self.coloured - self.done - len(self.failed)

    def counted(self, more_failed: int = 0) -> str:
        """ "3 coloured, 2 done already, 1 failed"; `more_failed` did not get as far as being pictures."""
        counts = {
            "done already": self.done,
            "failed": len(self.failed) + more_failed,
            "not reached": self.not_reached,
        }
        return ", ".join(
            [f"{self.coloured} coloured", *(f"{count} {what}" for what, count in counts.items() if count)]
        )

    def remarked(self) -> list[str]:
        """ "a.tif, b.tif: the first of its 2 pages is coloured", a remark a line."""
        return [f"{', '.join(names)}: {remark}" for remark, names in self.remarks.items()]


def explain(error: Exception, about: object = "") -> str:
    """One line for people; `about` stands before it already."""
    if isinstance(error, MemoryError):
        return "not enough memory for this picture"
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, OSError | ValueError | ModuleNotFoundError):
        text = str(error)
    else:
        text = f"unexpected {type(error).__name__}, please report it: {error}"
    return " ".join(text.split()).removeprefix(f"{about}: ")
