"""The frame, cropped and turned, in what the studio draws, advises and saves."""

import io

import numpy as np
from PIL import Image

from hybridvit.hints.sidecar import load_hints
from hybridvit.photo.photo import read_photo

POINT = {"type": "point", "x": 20.5, "y": 30.5, "color": "#a03020", "reach": 1}


def put(client, photo_id: str, **fields) -> str:
    """The revision."""
    sidecar = client.get(f"/api/photos/{photo_id}").json()["sidecar"] | fields
    answer = client.put(f"/api/photos/{photo_id}/sidecar", json=sidecar)
    assert answer.status_code == 200, answer.text
    return answer.json()["revision"]


def test_what_is_saved_is_the_very_part_of_the_picture_without_a_frame(client, ids, scans):
    photo_id = ids["photo 2.png"]
    plain = put(client, photo_id, hints=[POINT])
    whole = read_photo(client.post(f"/api/photos/{photo_id}/save").json()["file"]).pixels
    crop = {"x": 40, "y": 11, "width": 100, "height": 60}
    revision = put(client, photo_id, frame={"turns": 1, "crop": crop})
    assert revision != plain  # so that a page that knows nothing of it does not write over it
    (scans / "photo 2-colorized.png").unlink()
    part = read_photo(client.post(f"/api/photos/{photo_id}/save").json()["file"]).pixels
    np.testing.assert_array_equal(part, np.rot90(whole[11:71, 40:140], -1))
    frame = load_hints(scans / "photo 2.hints.json").recipe.frame
    assert (frame.turns, vars(frame.crop)) == (1, crop)
    assert client.get(f"/api/photos/{photo_id}").json()["sidecar"]["frame"] == {"turns": 1, "crop": crop}


def test_tiles_are_of_the_whole_picture_and_small_pictures_of_the_frame(client, ids):
    photo_id = ids["box/deep.tif"]
    plain = put(client, photo_id, hints=[])
    revision = put(
        client, photo_id, frame={"turns": 3, "crop": {"x": 21, "y": 0, "width": 500, "height": 400}}
    )
    tiles = [client.get(f"/api/photos/{photo_id}/tiles/{one}/1/0/0").content for one in (plain, revision)]
    assert tiles[0] == tiles[1]
    small = Image.open(
        io.BytesIO(client.get(f"/api/photos/{photo_id}/thumbnail?revision={revision}").content)
    )
    assert small.size == (205, 256)
    whole = Image.open(io.BytesIO(tiles[0]))
    expected = whole.crop((10, 0, 260, 200)).rotate(90, expand=True).resize(small.size)
    small, expected = np.asarray(small).astype(int), np.asarray(expected).astype(int)
    off = [np.abs(small - one).mean() for one in (expected, expected[::-1], expected[:, ::-1])]
    assert off[0] < 10
    assert off[0] < min(off[1:]) / 3


def test_places_for_hints_are_shown_ones(client, ids):
    photo_id = ids["photo 2.png"]
    revision = put(client, photo_id, frame={"crop": {"x": 100, "y": 50, "width": 40, "height": 40}})
    points = client.get(f"/api/photos/{photo_id}/next?revision={revision}&count=10").json()["points"]
    assert points
    assert all(100 <= point["x"] < 140 and 50 <= point["y"] < 90 for point in points)


def test_a_frame_that_does_not_fit_is_named(client, ids):
    photo_id = ids["photo 2.png"]
    sidecar = client.get(f"/api/photos/{photo_id}").json()["sidecar"]
    sidecar["frame"] = {"crop": {"x": 100, "y": 0, "width": 51, "height": 9}}
    answer = client.put(f"/api/photos/{photo_id}/sidecar", json=sidecar)
    assert answer.status_code == 400
    assert answer.json()["error"] == "frame.crop: it is partly outside the picture, which is 150 x 90 px"
