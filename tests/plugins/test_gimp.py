"""The plug-in as GIMP 3 calls it, by the published interface (gimp_double), with a real service behind it."""

import importlib.util
import pathlib
import sys
import types

import numpy as np
import pytest
from skimage import color

from tests.plugins import gimp_double as gimp
from tests.serve.conftest import TOKEN, enter  # noqa: F401
from tests.studio.conftest import no_children  # noqa: F401

FOLDER = pathlib.Path(__file__).parents[2] / "plugins" / "gimp" / "hybridvit-colorize"


@pytest.fixture
def procedure(monkeypatch):
    for name, module in gimp.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("gimp_plug_in", FOLDER / "hybridvit-colorize.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (name,) = module.Colorize().do_query_procedures()
    return module.Colorize().do_create_procedure(name)


def run(procedure, image, **given):
    values = procedure.defaults | given
    config = types.SimpleNamespace(get_property=values.__getitem__)
    return procedure.run_func(procedure, gimp.RunMode.NONINTERACTIVE, image, [], config, None)


def photograph() -> gimp.Layer:
    gray = np.broadcast_to(np.linspace(70, 190, 50).astype(np.uint8)[None, :, None], (40, 50, 3))
    return gimp.Layer("photo.tif", np.concatenate([gray, np.full((40, 50, 1), 255, np.uint8)], -1))


def reached(enter):  # noqa: F811
    return {"address": str(enter().base_url), "token": TOKEN}


def test_its_colours_lie_over_the_untouched_photograph(procedure, enter):  # noqa: F811
    photo = photograph()
    before = photo.rgba.copy()
    image = gimp.Image(50, 40, gimp.ImageBaseType.GRAY, [photo])
    assert run(procedure, image, **reached(enter)) == (gimp.PDBStatusType.SUCCESS, None)
    assert [layer.name for layer in image.layers] == ["hybridvit colours", "photo.tif"]
    assert image.layers[0].mode is gimp.LayerMode.LCH_COLOR
    assert (photo.rgba == before).all()
    assert image.base is gimp.ImageBaseType.RGB
    assert image.undo == ["start", "end"]  # one step back
    seen, result = image.seen()[..., :3], image.layers[0].rgba[..., :3]
    assert np.abs(seen.astype(int) - result).max() <= 2
    lightness = [color.rgb2lab(rgb)[..., 0] for rgb in (seen, before[..., :3])]
    assert np.abs(lightness[0] - lightness[1]).max() < 0.6  # half of a level of 8 bit
    assert seen[20, 25, 0] > seen[20, 25, 1]  # the stub's tint


def test_what_is_painted_on_the_layer_of_hints_is_met_and_a_second_run_begins_anew(procedure, enter):  # noqa: F811
    painted = np.zeros((12, 12, 4), np.uint8)
    painted[2:10, 2:10] = (40, 150, 60, 255)
    hints = gimp.Layer("hints", painted, x=8, y=6)  # smaller than the canvas
    image = gimp.Image(50, 40, gimp.ImageBaseType.RGB, [hints, photograph()])
    where = reached(enter)
    for _ in range(2):
        assert run(procedure, image, **where) == (gimp.PDBStatusType.SUCCESS, None)
        assert [layer.name for layer in image.layers] == ["hints", "hybridvit colours", "photo.tif"]
        seen = image.seen()
        assert seen[12, 14, 1] > seen[12, 14, 0]
        assert seen[35, 45, 0] > seen[35, 45, 1]
    run(procedure, gimp.Image(50, 40, gimp.ImageBaseType.RGB, [photograph()]), **where)
    hints.rgba[:] = 0  # taken away again
    assert run(procedure, image, **where) == (gimp.PDBStatusType.SUCCESS, None)
    assert image.seen()[12, 14, 0] > image.seen()[12, 14, 1]


def test_mistakes_are_one_line_and_change_nothing(procedure, enter):  # noqa: F811
    image = gimp.Image(50, 40, gimp.ImageBaseType.GRAY, [photograph()])
    where = reached(enter)
    for given, said in (
        ({"address": "http://127.0.0.1:1"}, "start the service with: hybridvit serve"),
        ({"address": "nonsense"}, "start the service with: hybridvit serve"),
        ({**where, "token": "wrong"}, "asks for its token"),
        ({**where, "strength": 11.0}, "strength"),
    ):
        status, message = run(procedure, image, **given)
        assert status is gimp.PDBStatusType.EXECUTION_ERROR
        assert said in message
        assert "\n" not in message
    many = np.full((40, 50, 4), 255, np.uint8)
    many[..., :3] = np.random.default_rng(0).integers(0, 255, (40, 50, 3))
    crowded = gimp.Image(50, 40, gimp.ImageBaseType.RGB, [gimp.Layer("hints", many), photograph()])
    assert "more than 200" in run(procedure, crowded, **where)[1]
    assert [layer.name for layer in image.layers] == ["photo.tif"]
    assert image.base is gimp.ImageBaseType.GRAY
    empty = gimp.Image(50, 40, gimp.ImageBaseType.RGB, [])
    assert run(procedure, empty, **where)[1] == "there is no visible layer with a photograph"
