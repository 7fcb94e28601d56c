"""The API, from outside."""

import concurrent.futures
import io
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import load_hints
from hybridvit.inference.canvas import Canvas
from hybridvit.photo.photo import read_photo

GREEN = {"type": "point", "x": 30, "y": 40, "color": "#2e6b3a"}


def picture(response: httpx.Response) -> np.ndarray:
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)))


def put(client: httpx.Client, url: str, hints=(GREEN,), **changes) -> str:
    """The revision of the photograph with these hints."""
    sidecar = {**client.get(url).json()["sidecar"], "hints": list(hints), **changes}
    answer = client.put(f"{url}/sidecar", json=sidecar)
    assert answer.status_code == 200, answer.text
    return answer.json()["revision"]


def test_about(enter, scans):
    client = enter(first=scans / "photo 10.jpg")
    about = client.get("/api/").json()
    photos = client.get("/api/photos").json()["photos"]
    assert about["folder"] == "scans"
    assert about["settings"] == {
        "size": 256,
        "strength": 1.0,
        "decode": "vivid",
        "seed": 0,
        "borders": "auto",
    }
    assert [photo["name"] for photo in photos] == ["box/deep.tif", "photo 2.png", "photo 10.jpg"]
    assert about["first"] == photos[2]["id"]


def test_a_hint_changes_the_tiles_and_is_on_the_disk(client, ids, scans):
    url = f"/api/photos/{ids['photo 2.png']}"
    opened = client.get(url).json()
    assert (opened["width"], opened["height"], opened["levels"], opened["gray"]) == (150, 90, 1, True)
    assert not (scans / "photo 2.hints.json").exists()
    before = picture(client.get(f"{url}/tiles/{opened['revision']}/0/0/0"))
    original = picture(client.get(f"{url}/tiles/original/0/0/0"))
    np.testing.assert_array_equal(original, read_photo(scans / "photo 2.png").pixels[..., 0])

    revision = put(client, url)
    assert load_hints(scans / "photo 2.hints.json").recipe == Recipe((Point(30, 40, "#2e6b3a"),))
    answer = client.get(f"{url}/tiles/{revision}/0/0/0")
    assert "immutable" in answer.headers["cache-control"]
    after = picture(answer)
    assert int(after[40, 30, 1]) > int(after[40, 30, 0]) + 20  # green
    assert (after != before).any()
    assert client.get("/api/photos").json()["photos"][1]["hints"] == 1

    assert put(client, url, hints=()) == opened["revision"] != revision
    np.testing.assert_array_equal(picture(client.get(f"{url}/tiles/{revision}/0/0/0")), after)


def test_namesakes_are_saved_with_their_own_hints(enter, scans):
    Image.open(scans / "photo 2.png").convert("L").transpose(Image.Transpose.ROTATE_180).save(
        scans / "photo 2.tif"
    )
    client = enter()
    ids = {one["name"]: one["id"] for one in client.get("/api/photos").json()["photos"]}
    for name, hints in (("photo 2.png", [GREEN]), ("photo 2.tif", [GREEN, {**GREEN, "x": GREEN["x"] + 9}])):
        put(client, f"/api/photos/{ids[name]}", hints)
        saved = client.post(f"/api/photos/{ids[name]}/save", json={}).json()
        assert saved["sidecar"] == str(scans / f"{name}.hints.json")
        assert (
            f"{name}.hints.json"
            in client.get(f"/api/photos/{ids[name]}/sidecar").headers["content-disposition"]
        )
    found = [find_sidecar(scans / name, Neighbours()) for name in ("photo 2.png", "photo 2.tif")]
    assert [len(load_hints(path).recipe.hints) for path in found] == [1, 2]
    listed = {one["name"]: one["hints"] for one in client.get("/api/photos").json()["photos"]}
    assert (listed["photo 2.png"], listed["photo 2.tif"]) == (1, 2)


def test_what_is_saved_is_what_was_shown_and_the_same_after_a_restart(enter, scans):
    client = enter()
    deep = client.get("/api/photos").json()["photos"][0]["id"]
    url = f"/api/photos/{deep}"
    region = {"type": "region", "polygon": [[300, 200], [520, 200], [520, 599]], "color": [-20, 30]}
    revision = put(client, url, [GREEN, region], settings={"size": 64, "decode": "mean"})
    tiles = [picture(client.get(f"{url}/tiles/{revision}/0/{k // 2}/{k % 2}")) for k in range(4)]
    shown = np.block([[[tiles[0]], [tiles[1]]], [[tiles[2]], [tiles[3]]]])
    saved = client.post(f"{url}/save", json={}).json()
    result = scans / "box" / "deep-colorized.tif"
    assert saved["file"] == str(result)
    assert saved["sidecar"] == str(scans / "box" / "deep.hints.json")
    pixels = read_photo(result).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(np.round(pixels / 257), shown)
    listed = [one["name"] for one in client.get("/api/photos").json()["photos"]]
    assert listed == ["box/deep.tif", "photo 2.png", "photo 10.jpg"]  # results are no photographs

    first = result.read_bytes()
    result.unlink()
    again = enter()
    assert again.get(url).json()["revision"] == revision
    download = again.get(f"{url}/result")
    assert download.content == first
    assert not result.exists()  # a download writes nothing into the folder
    assert "deep-colorized.tif" in download.headers["content-disposition"]
    assert again.get(f"{url}/result", params={"format": "jpeg"}).content[:2] == b"\xff\xd8"


def test_two_downloads_at_once_have_a_file_each(client, ids, monkeypatch):
    from hybridvit.studio import saving_routes

    left = []  # what would be removed when it has been sent
    monkeypatch.setattr(saving_routes, "_remove", left.append)
    url = f"/api/photos/{ids['photo 2.png']}/result"
    first, second = client.get(url), client.get(url)
    client.get("/api/photos")
    assert first.content == second.content
    assert left[0] != left[1]
    monkeypatch.undo()
    saving_routes._remove(left[0])
    assert left[1].read_bytes() == second.content
    saving_routes._remove(left[1])
    assert not left[1].parent.parent.exists()


def test_upper_levels_are_the_shrunk_picture(client, ids, scans):
    url = f"/api/photos/{ids['box/deep.tif']}"
    assert client.get(url).json()["levels"] == 2
    gray = np.round(read_photo(scans / "box" / "deep.tif").pixels[..., 0] / 257.0)
    padded = np.pad(gray, ((0, 0), (0, 1)), mode="edge")  # 521 is odd
    expected = padded.reshape(300, 2, 261, 2).mean((1, 3))
    original = picture(client.get(f"{url}/tiles/original/1/0/0"))
    assert original.shape == (300, 261)
    assert np.abs(original - expected).mean() < 1  # a JPEG
    revision = put(
        client, url, [{"type": "stroke", "points": [[50, 300], [450, 300]], "width": 80, "color": [60, 40]}]
    )
    full = np.hstack([picture(client.get(f"{url}/tiles/{revision}/0/0/{k}")) for k in (0, 1)])[:, :520]
    half = picture(client.get(f"{url}/tiles/{revision}/1/0/0"))[:256, :260].astype(int)
    shrunk = full.reshape(256, 2, 260, 2, 3).mean((1, 3))
    assert np.abs(half - shrunk).mean() < 3
    shifted = {
        (y, x): np.abs(half[2:-2, 2:-2] - np.roll(shrunk, (y, x), (0, 1))[2:-2, 2:-2]).mean()
        for y in (-1, 0, 1)
        for x in (-1, 0, 1)
    }
    assert min(shifted, key=shifted.get) == (0, 0)


def test_changes_of_another_window_are_not_overwritten(client, ids):
    url = f"/api/photos/{ids['photo 2.png']}"
    opened = client.get(url).json()
    stale = {"If-Match": f'"{opened["revision"]}"'}
    revision = put(client, url)
    answer = client.put(f"{url}/sidecar", json=opened["sidecar"], headers=stale)
    assert answer.status_code == 409
    assert "changed elsewhere" in answer.json()["error"]
    fresh = {"If-Match": f'"{revision}"'}
    assert client.put(f"{url}/sidecar", json=opened["sidecar"], headers=fresh).status_code == 200


def test_places(client, ids):
    url = f"/api/photos/{ids['photo 2.png']}"
    revision = put(client, url)
    tile = picture(client.get(f"{url}/tiles/{revision}/0/0/0"))
    place = {"x": 30.5, "y": 40.9, "revision": revision}
    pixel = client.get(f"{url}/gamut", params=place).json()
    assert pixel["color"] == "#{:02x}{:02x}{:02x}".format(*tile[40, 30].tolist())
    colors = client.get(f"{url}/colors", params=place).json()
    assert colors["lightness"] == pixel["lightness"]
    shown, *shares = [color["share"] for color in colors["colors"]]  # the first is what the picture shows
    assert 0 < shown < 1
    assert shares == sorted(shares, reverse=True)
    assert 1 <= len(shares) <= 5
    points = client.get(f"{url}/next", params={"count": 2}).json()["points"]
    assert len(points) <= 2
    assert all(0 <= point["x"] < 150 and 0 <= point["y"] < 90 for point in points)


def test_drawn_pictures(client, ids):
    url = f"/api/photos/{ids['photo 10.jpg']}"
    assert max(picture(client.get(f"{url}/thumbnail")).shape) == 80
    one, same, other = (client.get(f"{url}/variants/{seed}").content for seed in (1, 1, 2))
    assert one == same != other
    heat = picture(client.get(f"{url}/uncertainty"))
    assert heat.shape == (64, 80, 3)
    thumbnail = client.get(f"{url}/thumbnail")
    unchanged = client.get(f"{url}/thumbnail", headers={"If-None-Match": thumbnail.headers["etag"]})
    assert unchanged.status_code == 304
    assert unchanged.content == b""


def test_references(client):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :10], pixels[:, 10:] = (200, 30, 30), (20, 60, 160)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    reference = client.post("/api/references", content=file.getvalue()).json()
    assert (reference["width"], reference["height"]) == (30, 20)
    assert {color["color"]: round(color["weight"], 2) for color in reference["palette"]} == {
        "#c81e1e": 0.33,
        "#143ca0": 0.67,
    }
    assert picture(client.get(f"/api/references/{reference['id']}")).shape == (20, 30, 3)
    Image.new("L", (9, 9)).save(file := io.BytesIO(), "PNG")
    gray = client.post("/api/references", content=file.getvalue())
    assert (gray.status_code, gray.json()["error"]) == (
        415,
        "the reference: a gray picture has no colours to take",
    )


def test_tiles_asked_for_at_once_are_coloured_once(client, ids, monkeypatch):
    url = f"/api/photos/{ids['box/deep.tif']}"
    revision = client.get(url).json()["revision"]
    started, calls, chroma = threading.Event(), [], Canvas.chroma

    def count(canvas, recipe):
        calls.append(recipe)
        started.wait(0.2)
        return chroma(canvas, recipe)

    monkeypatch.setattr(Canvas, "chroma", count)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        places = [f"0/{k // 2 % 2}/{k % 2}" for k in range(8)]
        answers = list(pool.map(lambda place: client.get(f"{url}/tiles/{revision}/{place}"), places))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(calls) == 1
    assert answers[0].content == answers[4].content != answers[1].content


@pytest.mark.parametrize("slow", ["decode", "save"])
def test_what_is_slow_does_not_keep_others_waiting(client, ids, monkeypatch, slow):
    from hybridvit.studio import open_photo, saving_routes

    go = threading.Event()

    def wait(*arguments):
        go.wait(20)
        raise ValueError("it took long")

    url = f"/api/photos/{ids['photo 2.png']}"
    client.get(url)
    monkeypatch.setattr(open_photo, "decode_photo", wait)
    monkeypatch.setattr(saving_routes, "save", wait)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        if slow == "decode":
            waiting = [pool.submit(client.get, f"/api/photos/{ids['box/deep.tif']}") for _ in range(3)]
        else:
            waiting = [pool.submit(client.post, f"{url}/save", json={}) for _ in range(3)]
        try:
            revision = put(client, url)
            assert client.get(f"{url}/tiles/{revision}/0/0/0").status_code == 200
            assert not any(one.done() for one in waiting)
        finally:
            go.set()
    assert {one.result().json()["error"].partition(": ")[2] for one in waiting} == {"it took long"}


def test_photographs_are_closed_for_others(enter, monkeypatch):
    from hybridvit.studio import studio

    monkeypatch.setattr(studio, "OPEN_BYTES", 1)
    client = enter()
    urls = [f"/api/photos/{photo['id']}" for photo in client.get("/api/photos").json()["photos"]]
    revisions = [put(client, url) for url in urls]
    for url, revision in zip(urls, revisions, strict=True):
        assert client.get(url).json()["revision"] == revision
        assert client.get(f"{url}/tiles/{revision}/0/0/0").status_code == 200
    earlier = client.get(f"{urls[0]}/tiles/{'0' * 16}/0/0/0")
    assert (earlier.status_code, "send the sidecar again" in earlier.json()["error"]) == (410, True)


def test_views_that_would_fill_the_memory(client, ids, monkeypatch):
    from hybridvit.studio import open_photo

    monkeypatch.setattr(open_photo, "VIEW_PIXELS", 100 * 120)
    url = f"/api/photos/{ids['box/deep.tif']}"
    sidecar = client.get(url).json()["sidecar"]
    assert client.put(f"{url}/sidecar", json={**sidecar, "settings": {"size": 100}}).status_code == 200
    answer = client.put(f"{url}/sidecar", json={**sidecar, "settings": {"size": 120}})
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (400, "settings.size")


def test_upload(enter, tmp_path):
    client = enter(folder=None)
    file = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).save(file, "TIFF")
    name = "../../..\\Großmutter\r\n 1944?.TIF"
    first = client.post("/api/photos", params={"name": name}, content=file.getvalue())
    assert first.status_code == 201
    photo = first.json()
    assert (photo["name"], photo["source"]) == ("Großmutter__ 1944_.TIF", "upload")
    again = client.post("/api/photos", params={"name": "other.png"}, content=file.getvalue()).json()
    assert again["id"] == photo["id"]
    url = f"/api/photos/{photo['id']}"
    revision = put(client, url, [GREEN | {"x": 3, "y": 4}])
    result = client.get(f"{url}/result")
    assert "Gro%C3%9Fmutter__%201944_-colorized.tif" in result.headers["content-disposition"]

    def stored() -> set[str]:
        data = tmp_path / "data"
        return {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}

    files = {f"uploads/{photo['id']}/{name}" for name in ("photo.tif", "photo.hints.json", "upload.json")}
    until = time.monotonic() + 10
    while stored() != files and time.monotonic() < until:  # the download's copy goes after it
        time.sleep(0.02)
    assert stored() == files

    later = enter(folder=None)
    assert [one["name"] for one in later.get("/api/photos").json()["photos"]] == ["Großmutter__ 1944_.TIF"]
    assert later.get(url).json()["revision"] == revision
    assert later.get(f"{url}/result").content == result.content
    assert later.delete(url).status_code == 204
    assert later.get("/api/photos").json()["photos"] == []
    assert later.get(url).status_code == 404
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


def test_results_go_where_they_are_wanted(enter, tmp_path):
    client = enter(output=tmp_path / "out")
    assert client.get("/api/").json()["output"] == str(tmp_path / "out")
    Image.new("L", (20, 10), 80).save(file := io.BytesIO(), "PNG")
    upload = client.post("/api/photos", params={"name": "x.png"}, content=file.getvalue()).json()["id"]
    photo = client.get("/api/photos").json()["photos"][1]["id"]
    saved = [
        client.post(f"/api/photos/{one}/save", json={"format": "webp"}).json() for one in (upload, photo)
    ]
    names = [f"upload-{upload[:12]}.webp", "photo 2.webp"]
    assert [one["file"] for one in saved] == [str(tmp_path / "out" / name) for name in names]
    assert client.get(f"/api/photos/{photo}/result?format=webp").headers["content-type"] == "image/webp"
    (tmp_path / "out" / "photo 2.png").write_bytes(b"somebody's")
    answer = client.post(f"/api/photos/{photo}/save")
    assert answer.status_code == 409
    assert "no result of this command" in answer.json()["error"]
    assert (tmp_path / "out" / "photo 2.png").read_bytes() == b"somebody's"


def test_carry(client, ids):
    names = ("photo 2.png", "photo 10.jpg", "box/deep.tif")
    source, *others = (ids[name] for name in names)
    put(client, f"/api/photos/{source}", [GREEN | {"source": "the museum"}])
    before = {one: client.get(f"/api/photos/{one}").json() for one in others}
    answer = client.post(f"/api/photos/{source}/carry", json={"to": [source, *others, "0" * 32]}).json()
    reasons = {one["id"]: one["reason"] for one in answer["skipped"]}
    assert reasons[source] == "these are its own colours"
    assert reasons["0" * 32].startswith("no such photograph")
    carried = {one["id"]: one["hints"] for one in answer["carried"]}
    assert reasons.keys() | carried.keys() == {source, *others, "0" * 32}
    for one in others:
        hints = client.get(f"/api/photos/{one}").json()["sidecar"]["hints"]
        assert len(hints) == len(before[one]["sidecar"]["hints"]) + carried.get(one, 0)


def test_a_photograph_that_was_replaced_or_removed(client, ids, scans):
    url = f"/api/photos/{ids['photo 2.png']}"
    put(client, url)
    tag = client.get(f"{url}/tiles/original/0/0/0").headers["etag"]
    Image.new("L", (150, 90), 99).save(scans / "photo 2.png")
    changed = client.get(url).json()
    assert changed["sidecar"]["hints"] == []
    assert any("another picture" in remark for remark in changed["remarks"])
    assert client.get(f"{url}/tiles/original/0/0/0", headers={"If-None-Match": tag}).status_code == 200
    (scans / "photo 2.png").unlink()
    answer = client.get(url)
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "photo 2.png: the file is not there any more",
    )


def test_hints_written_by_another_program_are_taken_over(client, ids, scans):
    url = f"/api/photos/{ids['photo 2.png']}"
    revision = put(client, url)
    path = scans / "photo 2.hints.json"
    path.write_text(path.read_text().replace("#2e6b3a", "#804020"))
    taken = client.get(url).json()
    assert taken["sidecar"]["hints"][0]["color"] == "#804020"
    assert taken["revision"] != revision


def test_the_page(client):
    index = client.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert index.headers["cache-control"] == "no-cache"
    assert client.get("/", headers={"If-None-Match": index.headers["etag"]}).status_code == 304
    assert client.get("/js/main.js").headers["content-type"] == "text/javascript; charset=utf-8"
