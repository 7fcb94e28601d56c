"""A box of forty photographs, from scans to signed results: coloured, reviewed, corrected, learnt, coloured again."""

import json

import numpy as np
import pytest
from PIL import Image

from hybridvit import verify
from hybridvit.adapt import command as adapt_command
from hybridvit.adapt import learn
from hybridvit.colorize import command as colorize_command
from hybridvit.inference.weights import load_weights, save_weights
from hybridvit.review import command as report_command

SIDE, COUNT, CORRECTED = 64, 40, 8
COAT = {
    "type": "point",
    "x": 20.5,
    "y": 44.5,
    "color": "#2e6b3a",
    "reach": 1,
    "source": "the coat, in the museum",
}


@pytest.fixture
def box(tmp_path, tiny_weights):
    """Forty scans, and weights."""
    save_weights(tiny_weights, tmp_path / "tiny.safetensors")
    rng = np.random.default_rng(4)
    (tmp_path / "box" / "1944").mkdir(parents=True)
    for i in range(COUNT):
        pixels = np.full((SIDE, SIDE), 190) + rng.integers(-5, 6, (SIDE, SIDE))
        pixels[SIDE // 2 :] -= 20 + 2 * i
        place = tmp_path / "box" / ("1944" if i % 2 else "")
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{i:02d}.png")
    return tmp_path


def test_from_scans_to_signed_results(box, enter, monkeypatch, capsys):
    pytest.importorskip("c2pa")
    scans, coloured, weights = box / "box", box / "coloured", box / "collection.safetensors"
    argv = [str(scans), "--output", str(coloured)]
    assert colorize_command.main([*argv, "--weights", str(box / "tiny.safetensors")]) == 0
    first = {path.relative_to(coloured): path.read_bytes() for path in coloured.rglob("*.png")}
    assert len(first) == COUNT

    client = enter(folder=scans, output=coloured)  # reviewed, most doubtful first; some corrected
    queue = client.get("/api/review").json()["photos"]
    needs = [one["doubt"] for one in queue]
    assert needs == sorted(needs, reverse=True)
    verdicts = ["redo"] * CORRECTED + ["accepted"] * 4 + ["rejected"] * 2
    for one, state in zip(queue, verdicts, strict=False):
        match = {"If-Match": one["revision"]}
        client.put(f"/api/photos/{one['id']}/review", json={"state": state, "by": "Ada"}, headers=match)
    for one in queue[:CORRECTED]:
        sidecar = client.get(f"/api/photos/{one['id']}").json()["sidecar"]
        sidecar.pop("review", None)
        assert (
            client.put(f"/api/photos/{one['id']}/sidecar", json=sidecar | {"hints": [COAT]}).status_code
            == 200
        )
    states = [one["state"] for one in client.get("/api/review").json()["photos"]]
    assert states.count("unreviewed") == COUNT - 6  # what got hints is for a new review

    monkeypatch.setattr(learn, "STEPS", 10)
    taught = [
        str(scans),
        "--results",
        str(coloured),
        "--output",
        str(weights),
        "--replay",
        str(scans),
        "--loss",
        "100",
    ]
    assert adapt_command.main([*taught, "--weights", str(box / "tiny.safetensors")]) == 0
    assert f"{CORRECTED} corrected photographs and 4 accepted results" in capsys.readouterr().out

    assert colorize_command.main([*argv, "--weights", str(weights), "--sign", "test"]) == 0
    second = {path.relative_to(coloured): path.read_bytes() for path in coloured.rglob("*.png")}
    assert second.keys() == first.keys()
    assert all(second[name] != first[name] for name in first)

    capsys.readouterr()
    assert verify.main([str(coloured), "--original", str(scans), "--json"]) == 0
    accounts = json.loads(capsys.readouterr().out)
    assert len(accounts) == COUNT
    assert load_weights(weights).digest in json.dumps(accounts[0])
    with_evidence = [one for one in accounts if COAT["source"] in json.dumps(one)]
    assert len(with_evidence) == CORRECTED
    corrected = np.asarray(Image.open(coloured / queue[0]["name"]))[44, 20]
    assert np.argmax(corrected) == 1  # green, as the museum has it

    report = [str(scans), "--results", str(coloured), "--output", str(box / "report")]
    assert report_command.main([*report, "--export", str(box / "accepted")]) == 0
    rows = json.loads((box / "report" / "report.json").read_text())
    assert sum(row["state"] == "accepted" for row in rows) == 4
    assert len(list((box / "accepted").rglob("*.png"))) == 4
