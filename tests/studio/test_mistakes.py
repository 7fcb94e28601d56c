"""Whatever is wrong with a request: a status of 4xx and a line that says what, and nothing has happened."""

import pytest

from hybridvit.inference.canvas import Canvas

PHOTO = "/api/photos/{id}"


def test_a_mistake_of_ours_is_a_line_too(client, ids, monkeypatch, caplog):
    def fail(canvas, recipe):
        raise RuntimeError("no such\nthing")

    monkeypatch.setattr(Canvas, "doubt", fail)
    client.event_hooks = {}
    answer = client.get(f"/api/photos/{ids['photo 2.png']}/uncertainty")
    assert answer.status_code == 500
    assert answer.json() == {"error": "unexpected RuntimeError, please report it: no such thing"}


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/api/photos/0", 404, "no such photograph"),
        ("GET", "/api/photos/..%2f..%2fetc%2fpasswd", 404, ""),
        ("GET", "/api/nothing", 404, "there is nothing at this address"),
        ("GET", "/..%2fapp.py", 404, "there is nothing at this address"),
        ("GET", "/%00", 404, ""),
        ("POST", "/api/", 405, "POST is not possible at this address"),
        ("PATCH", PHOTO, 405, "PATCH"),
        ("PUT", "/index.html", 405, "PUT"),
        ("DELETE", PHOTO, 403, "photo 2.png is of your folder"),
        ("GET", PHOTO + "/colors", 400, "x: it is missing"),
        ("GET", PHOTO + "/colors?x=nan&y=1", 400, "x: 'nan' is not a number from 0 to below 150"),
        ("GET", PHOTO + "/colors?x=1&y=90", 400, "y: '90' is not a number from 0 to below 90"),
        ("GET", PHOTO + "/colors?x=-1&y=1", 400, "x: "),
        ("GET", PHOTO + "/gamut?x=1e999&y=1", 400, "x: "),
        ("GET", PHOTO + "/gamut?x=1&y=1&revision=%27", 400, "a revision has 16"),
        ("GET", PHOTO + "/gamut?x=1&y=1&revision=0123456789abcdef", 410, "send the sidecar again"),
        ("GET", PHOTO + "/next?count=0", 400, "count: '0' is not a whole number from 1 to 10"),
        ("GET", PHOTO + "/next?count=²", 400, "count: "),
        ("GET", PHOTO + "/variants/-1", 400, "seed: "),
        ("GET", PHOTO + "/variants/99999999999999", 400, "seed: "),
        ("GET", PHOTO + "/tiles/original/1/0/0", 400, "level: '1' is not a whole number from 0 to 0"),
        ("GET", PHOTO + "/tiles/original/0/0/1", 400, "column: "),
        ("GET", PHOTO + "/tiles/originals/0/0/0", 400, "a revision has 16"),
        ("GET", PHOTO + "/tiles/0123456789abcdef/0/0/0", 410, "send the sidecar again"),
        ("GET", PHOTO + "/result?format=exe", 400, "format: 'exe' is none of png, tiff"),
        ("GET", "/api/references/0", 404, "give it again"),
        ("POST", "/api/photos", 400, "the request is empty"),
        ("POST", "/api/references", 400, "the request is empty"),
    ],
)
def test_mistakes(client, ids, method, path, status, error):
    answer = client.request(method, path.replace("{id}", ids["photo 2.png"]))
    assert answer.status_code == status, answer.text
    assert error in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/api/photos?name=a.tif", b"II*\0nothing", 415, "a.tif: "),
        ("POST", "/api/references", b"nothing", 415, "the reference: "),
        ("PUT", PHOTO + "/sidecar", b"", 400, "not JSON"),
        ("PUT", PHOTO + "/sidecar", b"{\xff}", 400, "not UTF-8"),
        ("PUT", PHOTO + "/sidecar", b"[" * 100_000, 400, "nested too deep"),
        ("PUT", PHOTO + "/sidecar", b"{}", 400, "version: it is missing"),
        (
            "PUT",
            PHOTO + "/sidecar",
            b'{"version": 1, "picture": {"width": 9, "height": 9}, "hints": []}',
            400,
            "9 x 9",
        ),
        (
            "PUT",
            PHOTO + "/sidecar",
            b'{"version": 1, "picture": {"width": 150, "height": 90}, "hints": [{"type": "point", "x": 150, "y": 1, '
            b'"color": "#000000"}]}',
            400,
            "hints[0].x: 150 is outside the picture",
        ),
        (
            "PUT",
            PHOTO + "/sidecar",
            b'{"version": 1, "picture": {"width": 150, "height": 90, "sha256": "%s"}, "hints": []}'
            % (b"0" * 64),
            400,
            "picture.sha256: the hints are for another picture",
        ),
        ("POST", PHOTO + "/save", b"[]", 400, "[] is not a JSON object"),
        ("POST", PHOTO + "/save", b'{"format": "exe"}', 400, "format: 'exe' is none of"),
        ("POST", PHOTO + "/save", b'{"path": "/etc"}', 400, "'path': no such field, only format"),
        ("POST", PHOTO + "/carry", b'{"to": "all"}', 400, "to: give a list"),
        ("POST", PHOTO + "/carry", b'{"to": [1]}', 400, "to: give a list"),
        ("POST", PHOTO + "/carry", b"{", 400, "not JSON"),
        ("POST", PHOTO + "/carry", b" " * 2**21, 413, "more than 1048576 bytes"),
    ],
)
def test_bodies_that_are_wrong(client, ids, scans, tmp_path, method, path, body, status, error):
    answer = client.request(method, path.replace("{id}", ids["photo 2.png"]), content=body)
    assert answer.status_code == status, answer.text
    assert error in answer.json()["error"]
    found = "found.sqlite"  # what was read of the folder's files
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file() and path.name != found]
    assert not list(scans.rglob("*.json*"))


@pytest.mark.parametrize("asked", ["*", "bytes=9-1", "bytes=0-3"])
def test_a_result_is_whole_whatever_range_is_asked_for(client, ids, asked):
    url = f"/api/photos/{ids['photo 2.png']}/result"
    answer = client.get(url, headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.content == client.get(url).content
