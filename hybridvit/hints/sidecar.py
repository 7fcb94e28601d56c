"""The sidecar: a JSON file beside a photograph with the recipe of its colours (photo.hints.json beside photo.tif).

Where photo.tif and photo.jpg lie side by side, each has its own (`colorize/namesakes`): photo.tif.hints.json.

schema.json, in this folder, is its JSON schema. The picture's size and a digest of its pixels are kept with the recipe,
so that the sidecar of another picture is noticed. Whatever is wrong with one raises a ValueError of one line that names
file and field: "photo.hints.json: hints[3].color: 'green' is not ...".

Version 1 knew no `reach` and no `strength` of a hint: each changed all of the picture that looks alike. So its hints
are read as reaching so far (`PICTURE`), and written as version 2, in which what is left out is the shape's default.
"""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16

from hybridvit.hints.frame import WHOLE, Crop, Frame
from hybridvit.hints.recipe import (
    MOST_HINTS,
    MOST_PALETTE_COLORS,
    MOST_PROTECTED,
    Protected,
    Recipe,
    check_count,
    within,
)
from hybridvit.hints.review import Review
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import (
    LARGEST_COORDINATE,
    PICTURE,
    Hint,
    HintError,
    Mask,
    PaletteColor,
    Point,
    Region,
    Stroke,
    shown,
)

VERSION = 2
VERSIONS = (1, 2)  # that are read
LARGEST_FILE = 2**26  # bytes

_SHAPES = {"point": Point, "stroke": Stroke, "region": Region}
_RECIPE = ("palette", "settings")  # fields that may be left out
_DESCRIBED = ("source", "reach", "strength")  # fields of a hint that may be left out
_HEX_DIGITS = set("0123456789abcdef")

Pixels = UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]


@dataclasses.dataclass(frozen=True)
class Sidecar:
    """The recipe of one picture, of `width` x `height` px; `sha256` is its `pixels_digest`, None for any picture.

    Raises HintError if a part of the recipe is outside the picture.
    """

    width: int
    height: int
    sha256: str | None = None
    recipe: Recipe = dataclasses.field(default_factory=Recipe)
    review: Review | None = None

    def __post_init__(self):
        self.recipe.check_within(self.width, self.height)

    def check_picture(self, pixels: Pixels) -> None:
        """Raises HintError if these are not the pixels that the hints were made for."""
        height, width = pixels.shape[:2]
        if (width, height) != (self.width, self.height):
            raise HintError(
                "picture",
                f"the hints are for one of {self.width} x {self.height} px, but this has {width} x {height}",
            )
        if self.sha256 is not None and self.sha256 != pixels_digest(pixels):
            raise HintError(
                "picture.sha256",
                "the hints are for another picture of this size, or it was changed since; "
                "to use them nevertheless, remove this field",
            )


def sidecar_path(picture: str | os.PathLike) -> pathlib.Path:
    """photo.hints.json of photo.tif, in the same folder."""
    return pathlib.Path(picture).with_suffix(".hints.json")


def whole_sidecar_path(picture: str | os.PathLike) -> pathlib.Path:
    """photo.tif.hints.json of photo.tif, for one that has namesakes (photo.jpg) in its folder."""
    picture = pathlib.Path(picture)
    return picture.with_name(f"{picture.name}.hints.json")


def pixels_digest(pixels: Pixels) -> str:
    """SHA-256, hex, of a picture's size, depth and upright pixels: the same whatever its metadata and compression."""
    digest = hashlib.sha256(f"{pixels.shape} {pixels.dtype.name}".encode())
    for row in pixels:
        digest.update(np.ascontiguousarray(row.astype(row.dtype.newbyteorder("<"), copy=False)).data)
    return digest.hexdigest()


def load_hints(path: str | os.PathLike) -> Sidecar:
    """Reads a sidecar; raises ValueError if it is malformed, OSError if it cannot be read."""
    path = pathlib.Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it has more than {LARGEST_FILE // 2**20} MiB, so it is no sidecar")
        return parse_hints(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def save_hints(path: str | os.PathLike, sidecar: Sidecar) -> None:
    """Writes a sidecar through a temporary file in its folder; raises OSError if it cannot."""
    write_json(path, to_json(sidecar))


def write_json(path: str | os.PathLike, data: dict[str, Any]) -> None:
    """Writes a JSON file through a temporary one in its folder; raises OSError if it cannot."""
    path = pathlib.Path(path)
    text = json.dumps(data, indent=1, ensure_ascii=False)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def parse_hints(text: bytes | str) -> Sidecar:
    """The sidecar in a JSON text; raises ValueError if it is malformed."""
    try:
        data = json.loads(text, object_pairs_hook=_distinct_names, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None
    except UnicodeDecodeError:
        raise ValueError("not JSON: it is not UTF-8 text") from None
    except RecursionError:
        raise ValueError("no sidecar: it is nested too deep") from None
    return from_json(data)


def to_json(sidecar: Sidecar) -> dict[str, Any]:
    """The sidecar, of version VERSION, as `json.dumps` takes it; fits schema.json."""
    picture: dict[str, Any] = {"width": sidecar.width, "height": sidecar.height}
    if sidecar.sha256 is not None:
        picture["sha256"] = sidecar.sha256
    reviewed = {} if sidecar.review is None else {"review": dataclasses.asdict(sidecar.review)}
    return {"version": VERSION, "picture": picture, **recipe_to_json(sidecar.recipe), **reviewed}


def recipe_to_json(recipe: Recipe) -> dict[str, Any]:
    """The recipe's fields of a sidecar; of those but `hints`, what is as without them is left out."""
    data: dict[str, Any] = {"hints": [_hint_to_json(hint) for hint in recipe.hints]}
    if recipe.palette:
        data["palette"] = [vars(color) for color in recipe.palette]
    if recipe.settings != Settings():
        data["settings"] = vars(recipe.settings)
    if recipe.protected:
        data["protected"] = [_area_to_json(one.area) | recipe_to_json(one.recipe) for one in recipe.protected]
    if recipe.frame != WHOLE:
        data["frame"] = _frame_to_json(recipe.frame)
    return data


def from_json(data: Any) -> Sidecar:
    """The sidecar in what `json.loads` returned, of any of VERSIONS; raises HintError if it is malformed."""
    if isinstance(data, dict) and (version := data.get("version", VERSION)) not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        raise HintError("version", f"{shown(version)} is not known to this hybridvit, only {known} are")
    _check_fields(data, ("version", "picture", "hints"), optional=(*_RECIPE, "protected", "frame", "review"))
    if isinstance(data["version"], bool):
        raise HintError("version", f"{data['version']} is not {VERSION}")
    with within("picture"):
        width, height, sha256 = _picture_from_json(data["picture"])
    recipe = _recipe_from_json(data, {"reach": PICTURE} if data["version"] == 1 else {})
    with within("review"):
        review = _review_from_json(data["review"]) if "review" in data else None
    return Sidecar(width, height, sha256, recipe, review)


def _review_from_json(data: Any) -> Review:
    _check_fields(data, [field.name for field in dataclasses.fields(Review)])
    return Review(**data)


def _recipe_from_json(data: dict[str, Any], left_out: dict[str, float]) -> Recipe:
    parse = functools.partial(_hint_from_json, left_out=left_out)
    hints = _list_from_json("hints", data["hints"], MOST_HINTS, parse)
    palette = _list_from_json("palette", data.get("palette", []), MOST_PALETTE_COLORS, _color_from_json)
    with within("settings"):
        settings = data.get("settings", {})
        _check_fields(settings, optional=[field.name for field in dataclasses.fields(Settings)])
        settings = Settings(**settings)
    parse = functools.partial(_protected_from_json, left_out=left_out)
    areas = _list_from_json("protected", data.get("protected", []), MOST_PROTECTED, parse)
    return Recipe(hints, palette, settings, areas, _frame_from_json(data.get("frame", {})))


def _frame_to_json(frame: Frame) -> dict[str, Any]:
    turned = {"turns": frame.turns} if frame.turns else {}
    return turned | ({"crop": vars(frame.crop)} if frame.crop else {})


def _frame_from_json(data: Any) -> Frame:
    with within("frame"):
        _check_fields(data, optional=("turns", "crop"))
        if "crop" not in data:
            return Frame(**data)
        with within("crop"):
            _check_fields(data["crop"], [field.name for field in dataclasses.fields(Crop)])
            crop = Crop(**data["crop"])
        return Frame(data.get("turns", 0), crop)


def _protected_from_json(data: Any, left_out: dict[str, float]) -> Protected:
    _check_fields(data, (_area_name(data), "hints"), optional=_RECIPE)
    return Protected(_area_from_json(data), _recipe_from_json(data, left_out))


def _picture_from_json(data: Any) -> tuple[int, int, str | None]:
    _check_fields(data, ("width", "height"), optional=("sha256",))
    for name in ("width", "height"):
        value = data[name]
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        if not whole or not 1 <= value <= LARGEST_COORDINATE:
            raise HintError(name, f"{shown(value)} is not a whole number of px, 1 or more")
    digest = data.get("sha256", "0" * 64)
    if not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= _HEX_DIGITS:
        raise HintError("sha256", f"{shown(digest)} is not 64 hexadecimal digits")
    return int(data["width"]), int(data["height"]), data.get("sha256")


def _list_from_json(name: str, data: Any, most: int, parse: Any) -> tuple:
    if not isinstance(data, list):
        raise HintError(name, f"{shown(data)} is not a list")
    check_count(name, data, most)
    parsed = []
    for index, item in enumerate(data):
        with within(f"{name}[{index}]"):
            parsed.append(parse(item))
    return tuple(parsed)


def _hint_to_json(hint: Hint) -> dict[str, Any]:
    fields = {"type": type(hint).__name__.lower(), **vars(hint)}
    if isinstance(hint, Region):
        fields |= _area_to_json(fields.pop("area"))
    for field in dataclasses.fields(hint):
        if field.name in _DESCRIBED and fields[field.name] == field.default:
            del fields[field.name]
    return fields


def _area_to_json(area: Sequence | Mask) -> dict[str, Any]:
    return {"mask": vars(area)} if isinstance(area, Mask) else {"polygon": area}


def _area_name(data: Any) -> str:
    return "mask" if isinstance(data, dict) and "mask" in data else "polygon"


def _area_from_json(data: dict[str, Any]) -> Any:
    if "mask" not in data:
        return data["polygon"]
    with within("mask"):
        _check_fields(data["mask"], [field.name for field in dataclasses.fields(Mask)])
        return Mask(**data["mask"])


def hint_from_json(data: Any) -> Hint:
    """One hint of version VERSION; raises HintError if it is malformed."""
    return _hint_from_json(data, {})


def _hint_from_json(data: Any, left_out: dict[str, Any]) -> Hint:
    if not isinstance(data, dict):
        raise HintError("", f"{shown(data)} is not an object")
    if not isinstance(data.get("type"), str) or data["type"] not in _SHAPES:
        raise HintError("type", f"{shown(data.get('type'))} is not one of {', '.join(_SHAPES)}")
    shape = _SHAPES[data["type"]]
    own = {Point: ("x", "y"), Stroke: ("points", "width"), Region: (_area_name(data),)}
    _check_fields(data, ("type", "color", *own[shape]), _DESCRIBED)
    if data.get("source", "") is None:
        raise HintError("source", "null is not a text; leave the field out")
    fields = {name: value for name, value in data.items() if name not in ("type", "mask", "polygon")}
    if shape is Region:
        fields["area"] = _area_from_json(data)
    return shape(**left_out | fields)


def _color_from_json(data: Any) -> PaletteColor:
    _check_fields(data, ("color",), optional=("weight",))
    return PaletteColor(**data)


def _check_fields(data: Any, required: Sequence[str] = (), optional: Sequence[str] = ()) -> None:
    if not isinstance(data, dict):
        raise HintError("", f"{shown(data)} is not an object")
    for name in data:
        if name not in (*required, *optional):
            known = ", ".join((*required, *optional))
            raise HintError(name if name.isidentifier() else shown(name), f"no such field, only {known}")
    for name in required:
        if name not in data:
            raise HintError(name, "it is missing")


def _distinct_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        given = [name for name, _ in pairs]
        twice = next(name for name in given if given.count(name) > 1)
        raise ValueError(f"{shown(twice)} is given twice in one object")
    return names


def _no_constant(name: str) -> Any:
    raise ValueError(f"not JSON: {name} is not a number")
