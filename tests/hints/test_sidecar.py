import copy
import json
import os
import pathlib
import re

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridvit.hints.sidecar as sidecar_module
from hybridvit.hints.frame import Crop, Frame
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import (
    HERE,
    PICTURE,
    THING,
    HintError,
    Mask,
    PaletteColor,
    Point,
    Region,
    Stroke,
)
from hybridvit.hints.sidecar import (
    Sidecar,
    from_json,
    load_hints,
    parse_hints,
    pixels_digest,
    save_hints,
    sidecar_path,
    to_json,
)

SCHEMA = json.loads(pathlib.Path(sidecar_module.__file__).with_name("schema.json").read_text())
validator = jsonschema.Draft202012Validator(SCHEMA)
rng = np.random.default_rng(6)

hexes = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")
xs, ys = st.floats(0, 39.5), st.floats(0, 29.5)
paths = st.lists(st.tuples(xs, ys).map(list), min_size=3, max_size=6)
amounts = {  # neither is any shape's default
    "reach": st.floats(0.01, 0.49) | st.floats(0.51, 1),
    "strength": st.floats(0, 0.99),
}
described = {
    "color": hexes | st.tuples(st.floats(-128, 128), st.floats(-128, 128)).map(list),
    "source": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
}
hints = st.one_of(
    st.fixed_dictionaries({"type": st.just("point"), "x": xs, "y": ys, **described}, optional=amounts),
    st.fixed_dictionaries(
        {"type": st.just("stroke"), "points": paths, "width": st.floats(0.1, 50), **described},
        optional=amounts,
    ),
    st.fixed_dictionaries({"type": st.just("region"), "polygon": paths, **described}, optional=amounts),
)
palettes = st.lists(
    st.fixed_dictionaries({"color": hexes, "weight": st.floats(1e-3, 1e6)}), min_size=1, max_size=3
)
all_settings = st.fixed_dictionaries(
    {
        "size": st.integers(16, 4096),
        "strength": st.floats(0, 10),
        "decode": st.sampled_from(["vivid", "mean", "sample"]),
        "seed": st.integers(1, 2**31 - 1),  # so that they are not those without any
        "borders": st.sampled_from(["auto", "off"]),
    }
)
crops = st.builds(
    lambda x, y, width, height: {"x": x, "y": y, "width": min(width, 40 - x), "height": min(height, 30 - y)},
    st.integers(0, 39),
    st.integers(0, 29),
    st.integers(1, 40),
    st.integers(1, 30),
)
documents = st.fixed_dictionaries(
    {
        "version": st.just(2),
        "picture": st.fixed_dictionaries(
            {"width": st.just(40), "height": st.just(30)},
            optional={"sha256": st.text("0123456789abcdef", min_size=64, max_size=64)},
        ),
        "hints": st.lists(hints, max_size=4),
        "palette": palettes,
    },
    optional={
        "settings": all_settings,
        "frame": st.fixed_dictionaries({"turns": st.integers(1, 3)}, optional={"crop": crops}),
        "protected": st.lists(
            st.fixed_dictionaries(
                {"polygon": paths, "hints": st.lists(hints, max_size=2)},
                optional={"palette": palettes, "settings": all_settings},
            ),
            min_size=1,
            max_size=2,
        ),
    },
)
EXAMPLE = {
    "version": 2,
    "picture": {"width": 40, "height": 30, "sha256": "0" * 64},
    "hints": [
        {
            "type": "point",
            "x": 12.5,
            "y": 3,
            "color": "#2e6b3a",
            "source": "uniform: museum catalogue no. 12",
        },
        {
            "type": "stroke",
            "points": [[1, 2], [3, 4]],
            "width": 5,
            "color": [12.5, -3],
            "reach": 0.25,
            "strength": 0.5,
        },
        {"type": "region", "polygon": [[0, 0], [9, 0], [0, 9]], "color": "#102030"},
        {
            "type": "region",
            "mask": {"left": 1, "top": 2, "width": 3, "height": 2, "runs": [1, 4, 1]},
            "color": "#ffffff",
        },
    ],
    "palette": [{"color": "#807050", "weight": 2.5}, {"color": "#203040"}],
    "settings": {"size": 320, "strength": 0.8, "decode": "sample", "seed": 3, "borders": "off"},
    "protected": [
        {
            "polygon": [[5, 5], [20, 5], [20, 20]],
            "hints": [{"type": "point", "x": 6, "y": 6, "color": "#203040"}],
            "settings": {"decode": "mean"},
        },
        {
            "mask": {"left": 1, "top": 2, "width": 3, "height": 2, "runs": [1, 4, 1]},
            "hints": [],
            "palette": [{"color": "#203040"}],
        },
    ],
    "frame": {"turns": 3, "crop": {"x": 5, "y": 2, "width": 35, "height": 20}},
}


def changed(path, value):
    """The example with one field set; "-" removes it."""
    data = copy.deepcopy(EXAMPLE)
    *parents, last = path
    place = data
    for name in parents:
        place = place[name]
    if value == "-":
        del place[last]
    else:
        place[last] = value
    return data


def test_the_example_is_read():
    sidecar = from_json(EXAMPLE)
    assert (sidecar.width, sidecar.height, sidecar.sha256) == (40, 30, "0" * 64)
    point, stroke, polygon, mask = sidecar.recipe.hints
    assert point == Point(12.5, 3.0, "#2e6b3a", "uniform: museum catalogue no. 12")
    assert stroke == Stroke([(1, 2), (3, 4)], 5, (12.5, -3), None, 0.25, 0.5)
    assert (point.reach, polygon.reach, mask.reach) == (THING, HERE, HERE)
    assert (point.strength, polygon.strength) == (1, 1)
    assert polygon == Region([(0, 0), (9, 0), (0, 9)], "#102030")
    assert mask == Region(Mask.of(np.array([[0, 1, 1], [1, 1, 0]], bool), 1, 2), "#ffffff")
    assert sidecar.recipe.palette == (PaletteColor("#807050", 2.5), PaletteColor("#203040", 1.0))
    assert sidecar.recipe.settings == Settings(320, 0.8, "sample", 3, "off")
    corner = Recipe((Point(6, 6, "#203040"),), settings=Settings(decode="mean"))
    assert sidecar.recipe.protected == (
        Protected(((5, 5), (20, 5), (20, 20)), corner),
        Protected(mask.area, Recipe(palette=(PaletteColor("#203040"),))),
    )
    assert sidecar.recipe.frame == Frame(3, Crop(5, 2, 35, 20))
    hash(sidecar)
    validator.validate(EXAMPLE)


@settings(deadline=None)
@given(documents)
def test_what_is_read_and_written_is_the_same_and_fits_the_schema(document):
    validator.validate(document)
    sidecar = from_json(document)
    text = json.dumps(to_json(sidecar))
    assert json.loads(text) == document
    assert parse_hints(text) == sidecar


def test_the_hints_of_version_1_reach_as_far_as_they_did(tmp_path):
    old = copy.deepcopy(EXAMPLE) | {"version": 1}
    del old["hints"][1]["reach"], old["hints"][1]["strength"]
    validator.validate(old)
    sidecar = from_json(old)
    everywhere = (*sidecar.recipe.hints, *sidecar.recipe.protected[0].recipe.hints)
    assert [(hint.reach, hint.strength) for hint in everywhere] == [(PICTURE, 1)] * 5
    save_hints(tmp_path / "photo.hints.json", sidecar)
    written = json.loads((tmp_path / "photo.hints.json").read_text())
    assert written["version"] == 2
    assert [hint["reach"] for hint in written["hints"]] == [1] * 4
    assert load_hints(tmp_path / "photo.hints.json") == sidecar


def test_files_come_back_equal_and_are_replaced_whole(tmp_path):
    path = tmp_path / "photo.hints.json"
    sidecar = from_json(EXAMPLE)
    save_hints(path, sidecar)
    assert load_hints(path) == sidecar
    assert load_hints(str(path)) == sidecar
    other = Sidecar(40, 30, None, Recipe((Point(1.0, 2.0, "#102030", "Rücken, naïve ☂"),)))
    save_hints(path, other)
    assert load_hints(path) == other
    assert os.listdir(tmp_path) == ["photo.hints.json"]
    assert "Rücken, naïve ☂" in path.read_text("utf-8")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "photo.hints.json"
    save_hints(path, from_json(EXAMPLE))
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_hints(path, Sidecar(40, 30))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["photo.hints.json"]


def test_it_lies_beside_its_picture():
    assert sidecar_path("album/photo.tif") == pathlib.Path("album/photo.hints.json")
    assert sidecar_path(pathlib.Path("a.b/scan.001.jpg")).name == "scan.001.hints.json"


def test_another_picture_is_noticed():
    pixels = rng.integers(0, 2**16, (30, 40, 1), dtype=np.uint16)
    sidecar = Sidecar(40, 30, pixels_digest(pixels))
    sidecar.check_picture(pixels)
    sidecar.check_picture(np.asfortranarray(pixels))
    sidecar.check_picture(pixels.astype(">u2"))
    other = pixels.copy()
    other[29, 39] ^= 1
    with pytest.raises(HintError, match=r"^picture\.sha256: .*another picture .*remove this field$"):
        sidecar.check_picture(other)
    Sidecar(40, 30).check_picture(other)
    with pytest.raises(HintError, match=r"^picture: .* 40 x 30 px, but this has 30 x 40$"):
        sidecar.check_picture(pixels.swapaxes(0, 1))
    as_bytes = pixels.astype("<u2").view(np.uint8)
    assert pixels_digest(as_bytes) != pixels_digest(pixels)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("version",), 3, "version: 3 is not known to this hybridvit, only 1 and 2 are"),
        (("version",), "1", "version: '1' is not known"),
        (("version",), True, "version: True is not 2"),
        (("version",), "-", "version: it is missing"),
        (("hint",), [], "hint: no such field, only version, picture, hints, palette, settings, protected, frame"),
        (("a b",), [], "'a b': no such field"),
        (("picture",), 5, "picture: 5 is not an object"),
        (("picture", "width"), "-", r"picture\.width: it is missing"),
        (("picture", "width"), 0, r"picture\.width: 0 is not a whole number of px, 1 or more"),
        (("picture", "height"), 2.5, r"picture\.height: 2\.5 is not"),
        (("picture", "height"), True, r"picture\.height: True is not"),
        (("picture", "sha256"), "xyz", r"picture\.sha256: 'xyz' is not 64 hexadecimal digits"),
        (("picture", "sha256"), None, r"picture\.sha256: None is not 64"),
        (("picture", "name"), "x", r"picture\.name: no such field, only width, height, sha256"),
        (("hints",), {}, r"hints: {} is not a list"),
        (("hints", 0), "red", r"hints\[0\]: 'red' is not an object"),
        (("hints", 0, "type"), "dot", r"hints\[0\]\.type: 'dot' is not one of point, stroke, region"),
        (("hints", 0, "type"), [], r"hints\[0\]\.type: \[\] is not one of"),
        (("hints", 0, "type"), "-", r"hints\[0\]\.type: None is not one of"),
        (("hints", 0, "colour"), "red", r"hints\[0\]\.colour: no such field, only type, color, x, y, source, reach"),
        (("hints", 0, "color"), "red", r"hints\[0\]\.color: 'red' is not an sRGB colour like '#2e6b3a'"),
        (("hints", 0, "color"), "-", r"hints\[0\]\.color: it is missing"),
        (("hints", 0, "source"), None, r"hints\[0\]\.source: null is not a text; leave the field out"),
        (("hints", 1, "reach"), 2, r"hints\[1\]\.reach: 2 is not a number from 0 to 1"),
        (("hints", 1, "strength"), None, r"hints\[1\]\.strength: None is not a number from 0 to 1"),
        (("hints", 0, "x"), 40, r"hints\[0\]\.x: 40 is outside the picture, which is 40 x 30 px"),
        (("hints", 1, "points", 1, 0), "3", r"hints\[1\]\.points\[1\]: '3' is not a number"),
        (("hints", 1, "points", 1), [1], r"hints\[1\]\.points\[1\]: \[1\] is not \[x, y\]"),
        (("hints", 1, "width"), -1, r"hints\[1\]\.width: -1 is not a number from 0 to"),
        (("hints", 2, "polygon"), "-", r"hints\[2\]\.polygon: it is missing"),
        (("hints", 2, "mask"), {}, r"hints\[2\]\.polygon: no such field, only type, color, mask, source, "),
        (("hints", 3, "mask"), [], r"hints\[3\]\.mask: \[\] is not an object"),
        (("hints", 3, "mask", "left"), "-", r"hints\[3\]\.mask\.left: it is missing"),
        (("hints", 3, "mask", "left"), 38, r"hints\[3\]\.mask: it is partly outside the picture"),
        (("hints", 3, "mask", "runs"), [1, 4], r"hints\[3\]\.mask\.runs: they add up to 5 pixels, but 3 x 2 is 6"),
        (("palette", 1, "color"), [1, 2], r"palette\[1\]\.color: \[1, 2\] is not an sRGB colour"),
        (("palette", 1, "weight"), 0, r"palette\[1\]\.weight: it is 0; give a positive number"),
        (("palette", 1), None, r"palette\[1\]: None is not an object"),
        (("palette",), [{"color": "#102030"}] * 257, "palette: there are 257, but at most 256 are taken"),
        (("settings",), [], r"settings: \[\] is not an object"),
        (("settings", "size"), 8, r"settings\.size: 8 is not a number from 16 to 4096"),
        (("settings", "size"), 20.5, r"settings\.size: 20.5 is not a whole number"),
        (("settings", "decode"), "bright", r"settings\.decode: 'bright' is none of vivid, mean, sample"),
        (("settings", "strength"), True, r"settings\.strength: True is not a number from 0 to 10"),
        (("settings", "seed"), -1, r"settings\.seed: -1 is not a number from 0"),
        (("settings", "view"), 1, r"settings\.view: no such field, only size, strength, decode, seed, borders"),
        (("frame",), 1, "frame: 1 is not an object"),
        (("frame", "turns"), 4, r"frame\.turns: 4 is not a number from 0 to 3"),
        (("frame", "angle"), 4, r"frame\.angle: no such field, only turns, crop"),
        (("frame", "crop"), None, r"frame\.crop: None is not an object"),
        (("frame", "crop", "x"), 6, r"frame\.crop: it is partly outside the picture, which is 40 x 30 px"),
        (("frame", "crop", "width"), 0, r"frame\.crop\.width: 0 is not a number from 1"),
        (("frame", "crop", "height"), 1.5, r"frame\.crop\.height: 1\.5 is not a whole number"),
        (("protected", 0, "frame"), {"turns": 1}, r"protected\[0\]\.frame: no such field"),
        (("protected", 0), [], r"protected\[0\]: \[\] is not an object"),
        (("protected", 0, "polygon"), "-", r"protected\[0\]\.polygon: it is missing"),
        (("protected", 0, "polygon", 1), [1], r"protected\[0\]\.polygon\[1\]: \[1\] is not \[x, y\]"),
        (("protected", 0, "hints"), "-", r"protected\[0\]\.hints: it is missing"),
        (("protected", 0, "hints", 0, "x"), 40, r"protected\[0\]\.hints\[0\]\.x: 40 is outside the picture"),
        (("protected", 0, "settings", "seed"), "1", r"protected\[0\]\.settings\.seed: '1' is not a number"),
        (("protected", 0, "protected"), [], r"protected\[0\]\.protected: no such field"),
        (("protected", 1, "mask", "left"), 38, r"protected\[1\]\.mask: it is partly outside the picture"),
        (("protected",), [EXAMPLE["protected"][0]] * 257, "protected: there are 257, but at most 256"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line_with_file_and_field(tmp_path, path, value, line):
    file = tmp_path / "photo.hints.json"
    file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(ValueError, match=f"photo\\.hints\\.json: {line}") as error:
        load_hints(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "line 1, column 1: not JSON"),
        (b'{"version": 1,\n "hints" []}', "line 2, column 10: not JSON"),
        (b'{"version": "\xfa\xfa"}', "not JSON: it is not UTF-8 text"),
        (b"[" * 100_000, "no sidecar: it is nested too deep"),
        (b'{"version": NaN}', "not JSON: NaN is not a number"),
        (b'{"version": 1, "version": 1}', "'version' is given twice in one object"),
        (b'{"version": 1e999}', "version: inf is not known"),
        (b"[]", "[] is not an object"),
        (b"null", "None is not an object"),
    ],
)
def test_files_that_are_no_sidecar_are_said_to_be(tmp_path, content, line):
    file = tmp_path / "photo.hints.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{file}: {line}')}") as error:
        load_hints(file)
    assert "\n" not in str(error.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    file = tmp_path / "photo.hints.json"
    with file.open("wb") as sparse:
        sparse.truncate(2**27)
    with pytest.raises(ValueError, match="more than 64 MiB"):
        load_hints(file)
    with pytest.raises(FileNotFoundError):
        load_hints(tmp_path / "other.hints.json")


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | hexes,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=6,
)  # fmt: skip


def problem_of(read, data):
    """The one line of the error, "" if there is none; another error is one of the test."""
    try:
        read(data)
    except ValueError as error:
        line = str(error)
    else:
        return ""
    assert line
    assert "\n" not in line
    return line


def places(data, path=()):
    """The paths of all values in it."""
    yield path
    for name, value in (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        yield from places(value, (*path, name))  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(list(places(EXAMPLE))[1:]), any_json | st.just("-"))
def test_the_loader_takes_what_the_schema_takes(path, value):
    data = changed(path, value)
    problem = problem_of(from_json, data)
    # Beyond a schema: what does not fit the picture, or runs that do not fit their mask.
    beyond = re.search(
        r"outside the picture|runs: (they add up|no pixel|(\d+(\.0)?|[\d.]+e\+\d+) is not a number from 0)",
        problem,
    )
    try:
        fits = validator.is_valid(data)
    except OverflowError:  # the library, of infinity
        fits = False
    assert (not problem or beyond) if fits else problem, problem  # the loader names the first mistake alone


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40), st.data())
def test_damaged_files_are_read_or_raise_one_line(noise, data):
    text = json.dumps(EXAMPLE).encode()
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 30))
    problem_of(parse_hints, text[:at] + noise + text[at + cut :])
