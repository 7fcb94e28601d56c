"""Films in the studio: listed, looked at by parts, their frames hinted as photographs; the command uses the hints."""

import io
import json
import pathlib
import shlex
import tempfile

import numpy as np
import pytest
from PIL import Image

from hybridvit.film.hints import load_film_hints
from hybridvit.hints.shapes import Point
from hybridvit.studio import decode_film
from hybridvit.studio.film_child import answer
from hybridvit.studio.film_routes import _command
from hybridvit.studio.folder import Folder
from hybridvit.studio.library import Library
from hybridvit.studio.studio import Studio
from hybridvit.studio.uploads import Uploads
from tests.film.conftest import av, film_command, plane_of, read_film, scene, write_film

__all__ = ["film_command"]

SHOTS = (20, 30)  # frames
POINT = {"type": "point", "x": 40.0, "y": 30.0, "color": "#7a2e2e"}
OTHER = {"type": "point", "x": 60.0, "y": 20.0, "color": "#2e3a7a"}


@pytest.fixture
def no_film_children(monkeypatch) -> None:
    """Films are decoded in the studio's process: to start others takes longer than all the rest."""

    def in_process(path, wanted, max_pixels, collect):
        with tempfile.TemporaryDirectory() as folder:
            answer(path, pathlib.Path(folder), wanted["film"], max_pixels)
            return collect(path, pathlib.Path(folder))

    monkeypatch.setattr(decode_film, "in_child", in_process)


@pytest.fixture
def reels(tmp_path):
    """A folder with a film of two shots."""
    folder = tmp_path / "reels"
    folder.mkdir()
    write_film(folder / "reel.mkv", scene(SHOTS[0]) + scene(SHOTS[1], seed=1))
    return folder


@pytest.fixture
def film(enter, reels, no_film_children):
    """A client of a studio over it, and the film's address."""
    client = enter(folder=reels)
    (listed,) = client.get("/api/photos").json()["photos"]
    assert (listed["name"], listed["kind"], listed["hints"]) == ("reel.mkv", "film", None)
    return client, f"/api/photos/{listed['id']}"


def hint(client, address: str, at: int, *hints: dict, **more: object) -> dict:
    """Puts hints on a frame; what the frame is."""
    frame = client.get(f"{address}-{at}").json()
    sidecar = {**frame["sidecar"], "hints": list(hints), **more}
    response = client.put(f"{address}-{at}/sidecar", content=json.dumps(sidecar))
    return {**frame, "answer": response}


def spread(client, address: str, at: int) -> dict:
    """The shot's colours, when they are made."""
    found = client.get(f"{address}/film/spread", params={"at": at}).json()
    while found["done"] < found["total"]:
        found = client.get(f"{address}/film/spread", params={"at": at, "after": found["done"]}).json()
        assert found["failure"] is None
    return found


def picture(client, address: str, at: int, **query: object) -> np.ndarray:
    response = client.get(f"{address}/film/picture", params={"at": at, **query})
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_the_strip_and_the_shots(film):
    client, address = film
    about = client.get(f"{address}/film").json()
    assert (about["width"], about["height"], about["length"]) == (96, 64, 2_000_000)
    assert (about["step"], about["cells"], about["hinted"]) == (500_000, 4, [])
    assert about["command"].startswith("hybridvit film ")
    cells = client.get(f"{address}/film/cells", params={"first": 1}).json()["cells"]
    assert [one["at"] for one in cells] == [480_000, 1_000_000, 1_480_000]
    assert cells[0]["clock"] == "0:00.480"
    assert client.get(f"{address}/film/cuts?at=5").json() == {"until": 10_000_000, "cuts": [0, 800_000]}
    first = client.get(f"{address}/film/shot", params={"at": 480_000}).json()
    assert first["times"] == [40_000 * k for k in range(20)]
    assert (first["begins"], first["ends"], first["stop"]) == (True, True, 800_000)
    assert len(first["picked"]) == 12
    other = client.get(f"{address}/film/shot", params={"at": 440_000}).json()
    assert {one["at"] for one in other["picked"]} == {one["at"] for one in first["picked"]} | {440_000}
    second = client.get(f"{address}/film/shot", params={"at": 800_000}).json()
    assert second["times"] == [40_000 * k for k in range(20, 50)]
    assert (second["before"], second["stop"]) == (760_000, None)
    assert client.get(f"{address}/film/shot", params={"at": 800_001}).status_code == 404
    assert client.get(f"{address}/film/cells", params={"first": 4}).status_code == 400
    np.testing.assert_allclose(picture(client, address, 480_000), _shown(scene(20)[12]), atol=6)


def _shown(luma: np.ndarray) -> np.ndarray:
    """Limited range as a screen has it."""
    return np.clip((luma.astype(float) - 16) * 255 / 219, 0, 255)


def test_a_frame_is_opened_as_a_photograph(film):
    client, address = film
    frame = client.get(f"{address}-480000").json()
    assert (frame["name"], frame["width"], frame["height"]) == ("reel.mkv, 0:00.480", 96, 64)
    assert frame["film"] == {"id": address.rpartition("/")[2], "at": 480_000}
    tile = client.get(f"{address}-480000/tiles/original/0/0/0")
    np.testing.assert_allclose(
        np.asarray(Image.open(io.BytesIO(tile.content))), _shown(scene(20)[12]), atol=1
    )
    assert client.get(f"{address}-480001").status_code == 404
    assert "open one of its frames" in client.get(address).json()["error"]
    assert client.get(f"{address}-0480000").status_code == 404
    assert client.get(f"{address}-480000/colors?x=3&y=3").status_code == 200
    assert client.post(f"{address}-480000/save").status_code == 409
    assert client.get("/api/review").json()["photos"] == []


def test_hints_are_in_the_films_sidecar_by_time(film, reels):
    client, address = film
    hint(client, address, 480_000, POINT)["answer"].raise_for_status()
    hint(client, address, 1_000_000, OTHER, palette=[{"color": "#6b4a2f"}])["answer"].raise_for_status()
    found = load_film_hints(reels / "reel.hints.json")
    assert found.frames == ((0.48, (Point(40, 30, "#7a2e2e"),)), (1.0, (Point(60, 20, "#2e3a7a"),)))
    assert [one.color for one in found.recipe.palette] == ["#6b4a2f"]
    assert client.get(f"{address}-480000").json()["sidecar"]["palette"] == [
        {"color": "#6b4a2f", "weight": 1.0}
    ]
    assert client.get(f"{address}/film").json()["hinted"] == [480_000, 1_000_000]
    assert client.get("/api/photos").json()["photos"][0]["hints"] == 2
    hint(client, address, 480_000)["answer"].raise_for_status()
    assert [time for time, _ in load_film_hints(reels / "reel.hints.json").frames] == [1.0]
    for more, said in (
        ({"protected": [{"polygon": [[0, 0], [9, 0], [0, 9]], "hints": []}]}, "protected"),
        ({"frame": {"turns": 1}}, "neither cropped nor turned"),
        ({"settings": {"decode": "sample"}}, "not drawn"),
    ):
        response = hint(client, address, 480_000, POINT, **more)["answer"]
        assert response.status_code == 400
        assert said in response.json()["error"]


def test_what_others_have_written(film, reels):
    client, address = film
    sidecar = {
        "version": 1,
        "film": {"width": 96, "height": 64},
        "frames": [{"time": 0.495, "hints": [POINT]}],
    }
    (reels / "reel.hints.json").write_text(json.dumps(sidecar))
    assert len(client.get(f"{address}-480000").json()["sidecar"]["hints"]) == 1  # that is shown at 0.495 s
    assert client.get(f"{address}-520000").json()["sidecar"]["hints"] == []
    hint(client, address, 480_000, POINT, OTHER)["answer"].raise_for_status()
    assert [time for time, _ in load_film_hints(reels / "reel.hints.json").frames] == [0.48]
    (reels / "reel.hints.json").write_text("{")
    frame = client.get(f"{address}-480000").json()
    assert frame["sidecar"]["hints"] == []
    assert "not JSON" in frame["remarks"][0]
    hint(client, address, 480_000, OTHER)["answer"].raise_for_status()
    assert (reels / "reel.hints.json.unread").read_text() == "{"


def test_the_command_uses_the_hints_as_the_strip_shows_them(enter, tmp_path, no_film_children, film_command):
    folder = tmp_path / "one shot"
    folder.mkdir()
    reel, out = write_film(folder / "reel.mkv", scene(14)), tmp_path / "made.mkv"
    client = enter(folder=folder)
    address = f"/api/photos/{client.get('/api/photos').json()['photos'][0]['id']}"
    assert spread(client, address, 0)["tag"] is None
    hint(client, address, 200_000, POINT)["answer"].raise_for_status()
    made = spread(client, address, 0)
    assert made["total"] == 2 * 14
    assert made["ready"] == [40_000 * k for k in range(14)]
    shot = client.get(f"{address}/film/shot", params={"at": 0}).json()
    assert shot["hinted"] == [200_000]
    assert film_command(reel, "--codec", "ffv1", "--chroma", "444", "--output", out) == 0
    frames, _ = read_film(out)
    for at in made["ready"]:  # red there, as shown so coded; how equal they are: tests/film/test_shot.py
        x = 40 - (at - 200_000) // 40_000  # it moves
        rgb = picture(client, address, at, tag=made["tag"])[28:32, x - 2 : x + 2].astype(int)
        assert (rgb[..., 0] - rgb[..., 1]).mean() > 30, at
        assert plane_of(frames[at // 40_000], 2)[28:32, x - 2 : x + 2].mean() > 128 + 15, at
    gone = client.get(f"{address}/film/picture", params={"at": 480_000, "tag": "0" * 16})
    assert gone.status_code == 410
    hint(client, address, 200_000)["answer"].raise_for_status()
    assert spread(client, address, 0)["tag"] is None


def test_the_command_says_what_it_would_not_find(reels, tiny_colorizer, tmp_path):
    write_film(reels / "reel.mp4", scene(2), codec="libx264")
    library = Library(Folder(reels, None, tmp_path), Uploads(tmp_path), tmp_path / "out")
    studio = Studio(tiny_colorizer, library, weights="hf://owner/name")
    entry = library.folder.entries(with_films=True)[0]
    said = shlex.split(_command(studio, entry, True))
    assert said == [
        *(
            "hybridvit",
            "film",
            str(reels / "reel.mkv"),
            "--output",
            str(tmp_path / "out" / "reel-coloured.mkv"),
        ),
        *("--hints", str(reels / "reel.mkv.hints.json"), "--deinterlace", "--weights", "hf://owner/name"),
    ]


def test_what_the_command_made_is_no_film_to_colour(film, reels):
    client, _ = film
    with av.open(str(reels / "reel.mkv")) as reel, av.open(str(reels / "coloured.mkv"), "w") as made:
        made.metadata["comment"] = (
            'colours generated by hybridvit 0, not part of the original film {"software": ""}'
        )
        stream = made.add_stream_from_template(reel.streams.video[0])
        for packet in reel.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    assert [one["name"] for one in client.get("/api/photos").json()["photos"]] == ["reel.mkv"]


def test_without_its_packages_films_are_left_out_and_one_line_says_what_to_install(enter, reels, monkeypatch):
    from hybridvit.studio import library

    monkeypatch.setattr(library, "films_can_be_read", lambda: False)
    client = enter(folder=reels)
    assert client.get("/api/photos").json()["photos"] == []
    assert client.get("/api/").json()["films"] == "films need PyAV and OpenCV: pip install 'hybridvit[film]'"


def test_what_is_no_film_and_films_that_are_gone(enter, reels, no_film_children, tmp_path):
    (reels / "not.mp4").write_bytes(b"nothing of the kind" * 99)
    (reels / "list.mkv").write_text("ffconcat version 1.0\nfile reel.mkv\n")
    (reels / "out.mkv").symlink_to(write_film(tmp_path / "elsewhere.mkv", scene(2)))
    client = enter(folder=reels)
    listed = {one["name"]: one["id"] for one in client.get("/api/photos").json()["photos"]}
    assert set(listed) == {"list.mkv", "not.mp4", "reel.mkv"}
    said = client.get(f"/api/photos/{listed['list.mkv']}/film").json()["error"]
    assert said == "list.mkv: a list of films, not one"
    answer = client.get(f"/api/photos/{listed['not.mp4']}/film")
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("not.mp4: ")
    (reels / "reel.mkv").unlink()
    assert client.get(f"/api/photos/{listed['reel.mkv']}-0").status_code == 404


ABOUT = {"width": 1, "height": 1, "length": 9, "deinterlaced": False}
ABOUT["geometry"] = {
    "size": [1, 1],
    "levels": [8, True],
    "matrix": [0.2, 0.1, 1],
    "turns": 0,
    "aspect": [1, 1],
}


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (decode_film.about_film, b"[]"),
        (decode_film.about_film, json.dumps(ABOUT | {"width": "x"}).encode()),
        (decode_film.about_film, json.dumps(ABOUT | {"length": -1}).encode()),
        (decode_film.about_film, json.dumps(ABOUT | {"geometry": None}).encode()),
        (lambda path: decode_film.stretch_of(path, 0, 1), b'{"times": [0], "cuts": 0}'),
        (
            lambda path: decode_film.decode_frame(path, 0),
            b'{"times": [0], "shape": [1, 1, 3], "dtype": "|O"}',
        ),
        (
            lambda path: decode_film.decode_frame(path, 0),
            b'{"times": [0], "shape": [1, 9, 9], "dtype": "|u1"}',
        ),
        (
            lambda path: decode_film.decode_frame(path, 0),
            b'{"times": [5], "shape": [1, 1, 3], "dtype": "|u1"}',
        ),
    ],
)
def test_a_decoder_that_was_taken_over_cannot_reach_the_server(tmp_path, monkeypatch, ask, said):
    def in_child(path, wanted, max_pixels, collect):
        (tmp_path / "rest").write_bytes(said)
        (tmp_path / "pixels").write_bytes(bytes(3))
        return collect(path, tmp_path)

    monkeypatch.setattr(decode_film, "in_child", in_child)
    with pytest.raises(ValueError, match=r"^\S+a\.mkv: .+$"):
        ask(tmp_path / "a.mkv")


def test_a_child_decodes(reels):
    about = decode_film.about_film(reels / "reel.mkv")
    assert (about.width, about.height) == (96, 64)
    frame = decode_film.decode_frame(reels / "reel.mkv", 480_000)
    np.testing.assert_allclose(frame.pixels[..., 0], _shown(scene(20)[12]), atol=1)
    assert frame.source == reels / "reel.mkv"
