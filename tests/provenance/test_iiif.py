"""IIIF manifests in and out, by `hybridvit colorize` with a stub as the model."""

import copy
import json
import pathlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hybridvit.colorize import command as colorize
from hybridvit.colorize.inputs import SUFFIXES, find_sources
from hybridvit.photo.photo import photo_of, read_photo, write_photo
from hybridvit.provenance.iiif_read import Canvas, Files, names_of, read_manifest
from hybridvit.provenance.iiif_write import manifest_of, view_of
from tests.commands import call, results
from tests.provenance.presentation_3 import check_manifest

URL = "https://archive.example/coloured"
VERSION_3 = {
    "@context": "http://iiif.io/api/presentation/3/context.json",
    "id": "https://archive.example/box1/manifest.json",
    "type": "Manifest",
    "label": {"de": ["Schachtel 1"]},
    "metadata": [{"label": {"en": ["Date"]}, "value": {"none": ["1912"]}}],
    "rights": "http://creativecommons.org/licenses/by/4.0/",
    "requiredStatement": {"label": {"en": ["Attribution"]}, "value": {"en": ["City Archive"]}},
    "thumbnail": [{"id": "https://archive.example/t.jpg", "type": "Image"}],
    "items": [
        {
            "id": f"https://archive.example/box1/canvas/{number}",
            "type": "Canvas",
            "label": {"none": [f"Plate {number}"]},
            "height": 30,
            "width": 40,
            "items": [
                {
                    "id": f"https://archive.example/box1/page/{number}",
                    "type": "AnnotationPage",
                    "items": [
                        {
                            "id": f"https://archive.example/box1/annotation/{number}",
                            "type": "Annotation",
                            "motivation": "painting",
                            "body": body,
                            "target": f"https://archive.example/box1/canvas/{number}",
                        }
                    ],
                }
            ],
        }
        for number, body in enumerate(
            (
                {
                    "id": "https://archive.example/files/plate%201.jpg",
                    "type": "Image",
                    "format": "image/jpeg",
                },
                {
                    "id": "https://images.example/iiif/box1%2Fplate-2/full/max/0/default.jpg",
                    "type": "Image",
                    "format": "image/jpeg",
                    "height": 30,
                    "width": 40,
                    "service": [
                        {
                            "id": "https://images.example/iiif/box1%2Fplate-2",
                            "type": "ImageService3",
                            "profile": "level1",
                        }
                    ],
                },
            ),
            1,
        )
    ],
}
VERSION_2 = {
    "@context": "http://iiif.io/api/presentation/2/context.json",
    "@id": "https://archive.example/box1/manifest.json",
    "@type": "sc:Manifest",
    "label": "Box 1",
    "description": [{"@value": "Ein Dorf", "@language": "de"}, "A village"],
    "attribution": "City Archive",
    "license": "https://creativecommons.org/publicdomain/zero/1.0/",
    "metadata": [{"label": "Date", "value": ["1912", "1913"]}],
    "sequences": [
        {
            "@type": "sc:Sequence",
            "canvases": [
                {
                    "@id": "https://archive.example/box1/canvas/1",
                    "@type": "sc:Canvas",
                    "label": "Plate 1",
                    "height": 30,
                    "width": 40,
                    "images": [
                        {
                            "@type": "oa:Annotation",
                            "motivation": "sc:painting",
                            "resource": {
                                "@id": "https://images.example/iiif/plate-2/full/full/0/default.jpg",
                                "@type": "dctypes:Image",
                                "format": "image/jpeg",
                                "service": {
                                    "@context": "http://iiif.io/api/image/2/context.json",
                                    "@id": "https://images.example/iiif/plate-2",
                                    "profile": "http://iiif.io/api/image/2/level1.json",
                                },
                            },
                            "on": "https://archive.example/box1/canvas/1",
                        }
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, stub_colorizer):
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(("box1/plate 1.jpg", "box1/plate-2.jpg")):
        path = pathlib.Path("files", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize((40, 30)).point(lambda x, i=i: x // 2 + i).save(path)
    pathlib.Path("three.json").write_text(json.dumps(VERSION_3))
    pathlib.Path("two.json").write_text(json.dumps(VERSION_2))
    stand_in = SimpleNamespace(load=lambda path: stub_colorizer)
    monkeypatch.setitem(sys.modules, "hybridvit.inference.colorizer", stand_in)
    return lambda line: call(colorize.main, line, capsys)


def written(path: str = "out/manifest.json") -> dict:
    return json.loads(pathlib.Path(path).read_text())


def test_version_3_in_and_out(run):
    code, out, _ = run(f"three.json --images files --output out --iiif {URL}/")
    assert (code, out) == (0, ["out: 2 coloured"])
    assert results() == ["box1/plate 1.jpg", "box1/plate-2.jpg", "manifest.json"]
    manifest = written()
    check_manifest(manifest)
    assert manifest["id"] == f"{URL}/manifest.json"
    for name in ("label", "metadata", "rights"):
        assert manifest[name] == VERSION_3[name]
    assert manifest["requiredStatement"]["value"]["en"][0] == "City Archive"
    assert "no part of the original" in manifest["requiredStatement"]["value"]["en"][1]
    assert manifest["seeAlso"][0]["id"] == VERSION_3["id"]
    for canvas, before in zip(manifest["items"], VERSION_3["items"], strict=True):
        assert canvas["label"] == before["label"]
        coloured, original = canvas["items"][0]["items"][0]["body"]["items"]
        body = before["items"][0]["items"][0]["body"]
        assert {name: original[name] for name in body} == body
        assert (coloured["width"], coloured["height"], coloured["format"]) == (40, 30, "image/jpeg")
    first = manifest["items"][0]["items"][0]["items"][0]["body"]["items"][0]
    assert first["id"] == f"{URL}/box1/plate%201.jpg"
    rgb = read_photo("out/box1/plate 1.jpg").pixels
    assert np.ptp(rgb.astype(int), axis=-1).max() > 20  # it is the coloured one


def test_what_comes_out_goes_in_again(run):
    run(f"three.json --images files --output out --iiif {URL}")
    found = read_manifest("out/manifest.json")
    assert [names_of(canvas.picture)[0][-1] for canvas in found.canvases] == ["plate 1.jpg", "plate-2.jpg"]


def test_version_2_in_and_3_out(run):
    code, out, _ = run(f"two.json --images files --output out --iiif {URL} --samples 2")
    assert (code, out) == (0, ["out: 1 coloured"])
    manifest = written()
    check_manifest(manifest)
    assert manifest["label"] == {"none": ["Box 1"]}
    assert manifest["summary"] == {"de": ["Ein Dorf"], "none": ["A village"]}
    assert manifest["rights"] == "http://creativecommons.org/publicdomain/zero/1.0/"
    assert manifest["metadata"] == [{"label": {"none": ["Date"]}, "value": {"none": ["1912", "1913"]}}]
    assert manifest["requiredStatement"]["value"]["none"] == ["City Archive"]
    *coloured, original = manifest["items"][0]["items"][0]["items"][0]["body"]["items"]
    assert [one["id"] for one in coloured] == [f"{URL}/box1/plate-2-{k}.jpg" for k in (1, 2)]
    assert original["service"] == [
        {
            "@id": "https://images.example/iiif/plate-2",
            "@type": "ImageService2",
            "profile": "http://iiif.io/api/image/2/level1.json",
        }
    ]


def test_a_folder_with_the_address_of_its_originals(run):
    assert run(f"files --output out --iiif {URL} --originals https://archive.example/scans")[0] == 0
    manifest = written()
    check_manifest(manifest)
    assert manifest["label"] == {"none": ["out"]}
    bodies = [canvas["items"][0]["items"][0]["body"]["items"] for canvas in manifest["items"]]
    assert [body[1]["id"] for body in bodies] == [
        "https://archive.example/scans/box1/plate%201.jpg",
        "https://archive.example/scans/box1/plate-2.jpg",
    ]
    assert [body[1]["format"] for body in bodies] == ["image/jpeg"] * 2


@pytest.mark.parametrize(
    ("picture", "form"),
    [
        ({}, "image/tiff"),
        ({"format": "image/jpeg"}, "image/jpeg"),
        ({"service": [{"id": "https://images.example/iiif/1"}]}, None),
    ],
)
def test_a_manifest_knows_better_of_what_type_its_pictures_are(picture, form):
    canvas = Canvas({"id": "https://images.example/1", "type": "Image", **picture}, {})
    view = view_of([pathlib.Path("a.png")], pathlib.Path("a.png"), canvas, None, "image/tiff")
    assert view.original.get("format") == form


def test_a_result_in_a_frame_stands_beside_that_part_of_its_original(tmp_path):
    path = tmp_path / "part.png"
    frame = {"turns": 3, "crop": {"x": 4, "y": 5, "width": 6, "height": 7}}
    write_photo(path, np.zeros((6, 7, 3), np.uint8), photo_of(np.zeros((6, 7), np.uint8)), {"frame": frame})
    address = "https://archive.example/scans"
    manifest = manifest_of([view_of([path], pathlib.Path("a.png"), None, address)], tmp_path, URL)
    check_manifest(manifest)
    (canvas,) = manifest["items"]
    assert (canvas["width"], canvas["height"]) == (7, 6)
    original = canvas["items"][0]["items"][0]["body"]["items"][1]
    assert original["source"]["id"] == f"{address}/a.png"
    assert original["selector"] == {"type": "ImageApiSelector", "region": "4,5,6,7", "rotation": "270"}


def test_a_later_run_writes_it_anew_and_others_are_left(run):
    line = f"three.json --images files --output out --iiif {URL}"
    assert run(line)[0] == 0
    before = written()
    assert run(line)[1] == ["out: 0 coloured, 2 done already"]
    assert written() == before
    pathlib.Path("out/manifest.json").write_text(json.dumps(VERSION_3))
    code, _, err = run(line)
    assert code == 2
    assert "out/manifest.json is there, and not of this command" in err[0]
    assert written() == VERSION_3
    assert run(f"{line} --overwrite")[0] == 0
    check_manifest(written())


def test_what_browsers_do_not_show_is_said(run):
    code, _, err = run(f"two.json --images files --output out --iiif {URL} --format tiff")
    assert code == 0
    assert any("browsers show no image/tiff" in line for line in err)


def test_pictures_that_are_not_there_are_named(run):
    pathlib.Path("files/box1/plate-2.jpg").unlink()
    code, out, err = run(f"three.json --images files --output out --iiif {URL}")
    assert (code, out) == (1, ["out: 1 coloured, 1 failed"])
    failed = [line for line in err if line.startswith("failed: ")]
    assert len(failed) == 1
    assert "plate-2" in failed[0]
    assert "--images says where they are" in failed[0]
    manifest = written()
    check_manifest(manifest)
    assert len(manifest["items"]) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("files --output out --iiif https://a.example", "say where the originals are by --originals URL"),
        ("files --output out --iiif here", "'here' does not begin with http:// or https://"),
        ("files --output out --originals https://a.example", "name both"),
        (
            "files --output out --images files",
            "--images files is of a IIIF manifest, and none is among the inputs",
        ),
        ("three.json --output out --images nowhere", "nowhere: no such folder"),
        ("other.json --output out", "other.json: no IIIF manifest of Presentation 2 or 3"),
        ("list.json --output out", "list.json: a IIIF collection: name the manifests in it"),
        ("text.json --output out", "text.json: no IIIF manifest: not JSON"),
        ("bare.json --output out", "bare.json: a malformed IIIF manifest"),
        ("empty.json --output out", "empty.json: no picture in this IIIF manifest"),
    ],
)
def test_mistakes_are_one_line(line, said, run):
    for name, data in (
        ("other", [1]),
        ("list", {"type": "Collection"}),
        ("bare", {"type": "Manifest", "items": [3]}),
        ("empty", {"type": "Manifest", "id": "https://a.example", "items": []}),
    ):
        pathlib.Path(f"{name}.json").write_text(json.dumps(data))
    pathlib.Path("text.json").write_text("once upon a time")
    code, out, err = run(line)
    assert (code, out, len(err)) == (2, [], 1)
    assert said in err[0]
    assert not pathlib.Path("out").exists()


def test_namesakes_are_told_apart_by_their_folders(tmp_path):
    for name in ("box1/a.jpg", "box2/a.jpg", "a.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = Files(tmp_path, SUFFIXES)

    def find(address: str) -> str:
        return files.find(Canvas({"id": address}, {})).relative_to(tmp_path).as_posix()

    assert find("https://a.example/iiif/box2%2Fa/full/max/0/default.jpg") == "box2/a.jpg"
    assert find("https://a.example/files/box1/a.jpg") == "box1/a.jpg"
    assert find("https://a.example/a.tif") == "a.tif"
    with pytest.raises(ValueError, match="may each be it"):
        find("https://a.example/a.jpg")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example/iiif/2/abc.jp2/0,0,10,10/!200,200/!90.5/gray.png", "abc.jp2"),
        ("https://a.example/iiif/ark:%2F12345%2Fabc/full/max/0/default.jpg", "abc"),
        ("https://a.example/full/max/0/abc.jpg", "abc.jpg"),
        ("scans/b%20c.tif", "b c.tif"),
    ],
)
def test_names_in_addresses(address, name):
    assert names_of({"id": address})[0][-1] == name


def test_choices_and_parts_are_pictures_too(tmp_path):
    data = copy.deepcopy(VERSION_3)
    body = data["items"][0]["items"][0]["items"][0]
    plain = body["body"]
    body["body"] = {
        "type": "Choice",
        "items": [{"type": "SpecificResource", "source": plain}, {"type": "Sound", "id": "x"}],
    }
    (tmp_path / "m.json").write_text(json.dumps(data))
    assert read_manifest(tmp_path / "m.json").canvases[0].picture["id"] == plain["id"]


def test_a_manifest_is_an_input_where_it_is_named_alone(run):
    pathlib.Path("files/three.json").write_text(json.dumps(VERSION_3))
    found = find_sources(["files"], "out")
    assert (len(found.sources), found.manifests) == (2, [])
    found = find_sources(["files/three.json"], "out")
    assert [source.relative.as_posix() for source in found.sources] == [
        "box1/plate 1.jpg",
        "box1/plate-2.jpg",
    ]


PLACES = (  # in a manifest, where anything may stand
    lambda m: (m, "id"),
    lambda m: (m, "label"),
    lambda m: (m, "items"),
    lambda m: (m, "requiredStatement"),
    lambda m: (m["requiredStatement"], "value"),
    lambda m: (m["items"][1], "items"),
    lambda m: (m["items"][1]["items"][0], "items"),
    lambda m: (m["items"][1]["items"][0]["items"][0], "body"),
    lambda m: (m["items"][1]["items"][0]["items"][0]["body"], "id"),
    lambda m: (m["items"][1]["items"][0]["items"][0]["body"], "service"),
    lambda m: (m["items"][1]["items"][0]["items"][0]["body"]["service"], 0),
    lambda m: (m["items"][1]["items"][0]["items"][0]["body"]["service"][0], "id"),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["Choice", "http://["]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "@id", "type", "items", "value", "en"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_a_manifest_with_anything_anywhere_is_read_or_refused(place, value, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    data = copy.deepcopy(VERSION_3)
    holder, name = place(data)
    holder[name] = value
    path = folder / "anything.json"
    path.write_text(json.dumps(data))
    try:
        manifest = read_manifest(path)
    except ValueError as error:
        told = str(error)
        manifest = None
    if manifest is None:
        assert told.startswith(str(path))
        assert "\n" not in told
        return
    picture = folder / "a.jpg"
    Image.new("RGB", (4, 3)).save(picture)
    files = Files(folder / "nowhere", SUFFIXES)
    for canvas in manifest.canvases:
        with pytest.raises(ValueError, match=r".+"):
            files.find(canvas)
    views = [view_of([picture], pathlib.Path("a.jpg"), canvas, None) for canvas in manifest.canvases]
    assert json.dumps(manifest_of(views, folder, URL, [manifest]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.pop("label"),
        lambda m: m.update(label="text"),
        lambda m: m["items"][0].update(height=0),
        lambda m: m["items"][0]["items"][0]["items"][0].update(target="https://a.example"),
        lambda m: m["items"][1].update(id=m["items"][0]["id"]),
        lambda m: m["items"][0]["items"][0]["items"][0]["body"]["items"].pop(),
    ],
)
def test_the_rules_notice_what_is_wrong(spoil, run):
    run(f"three.json --images files --output out --iiif {URL}")
    manifest = written()
    check_manifest(manifest)
    spoil(manifest)
    with pytest.raises((AssertionError, KeyError)):
        check_manifest(manifest)
