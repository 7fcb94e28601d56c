"""Everything that is decided of one photograph: hints, palette, settings, areas that shall not change, its frame."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sized
from typing import no_type_check

from hybridvit.hints.frame import WHOLE, Frame
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import XY, Hint, HintError, Mask, PaletteColor, Region, check_within

MOST_HINTS = 10_000
MOST_PALETTE_COLORS = 256
MOST_PROTECTED = 256


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Later hints count where they overlap; of overlapping protected areas the first one counts.

    The frame decides which part of the picture is shown and saved, and no colour.

    Raises HintError, a ValueError of one line, if there is too much of something.
    """

    hints: tuple[Hint, ...] = ()
    palette: tuple[PaletteColor, ...] = ()
    settings: Settings = dataclasses.field(default_factory=Settings)
    protected: tuple["Protected", ...] = ()
    frame: Frame = WHOLE

    def __post_init__(self):
        check_count("hints", self.hints, MOST_HINTS)
        check_count("palette", self.palette, MOST_PALETTE_COLORS)
        check_count("protected", self.protected, MOST_PROTECTED)

    def check_within(self, width: int, height: int) -> None:
        """Raises HintError if a hint, an area or the frame is outside a picture of `width` x `height` px."""
        with within("frame"):
            self.frame.check_within(width, height)
        for index, hint in enumerate(self.hints):
            with within(f"hints[{index}]"):
                check_within(hint, width, height)
        for index, protected in enumerate(self.protected):
            with within(f"protected[{index}]"):
                check_within(protected.region, width, height)
                protected.recipe.check_within(width, height)


@no_type_check  # its area checks by itself
@dataclasses.dataclass(frozen=True)
class Protected:
    """An area, a polygon or a mask, whose colours stay what `recipe` gives, whatever is changed elsewhere.

    The recipe is that of the picture when the area was protected, without its protected areas.
    """

    area: tuple[XY, ...] | Mask
    recipe: Recipe

    def __post_init__(self):
        if self.recipe.protected:
            raise HintError("recipe", "a protected area keeps no protected areas of its own")
        if self.recipe.frame != WHOLE:
            raise HintError("recipe", "a protected area has no frame of its own")
        object.__setattr__(self, "area", Region(self.area, (0.0, 0.0)).area)  # frozen

    @property
    def region(self) -> Region:
        """The area as a hint, of no colour."""
        return Region(self.area, (0.0, 0.0))


@contextlib.contextmanager
def within(where: str) -> Iterator[None]:
    """Says where a HintError happened."""
    try:
        yield
    except HintError as error:
        raise error.within(where) from None


def check_count(name: str, items: Sized, most: int) -> None:
    """Raises HintError if there are more than `most`."""
    if len(items) > most:
        raise HintError(name, f"there are {len(items)}, but at most {most} are taken")
