import csv
import json

import numpy as np
import pytest
from PIL import Image

from hybridvit.colorize.batch import colorize_files
from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.naming import plan
from hybridvit.colorize.summary import Summary
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.review import Review, review_now
from hybridvit.hints.shapes import HintError, Point
from hybridvit.hints.sidecar import Sidecar, load_hints, save_hints, sidecar_path
from hybridvit.review.command import main
from hybridvit.review.found import Reviewed, find_reviewed
from hybridvit.review.write import contact_sheet


@pytest.fixture
def folders(tmp_path, stub_colorizer):
    """Three photographs, two coloured: the first accepted, with a hint."""
    scans, coloured = tmp_path / "scans", tmp_path / "coloured"
    scans.mkdir()
    for name, gray in (("a.png", 60), ("=b<b>.png", 120), ("c.png", 200)):
        Image.fromarray(np.full((24, 32), gray, np.uint8)).save(scans / name)
    hint = Point(3, 4, "#2e6b3a", "the coat, in the museum")
    sidecar = Sidecar(32, 24, recipe=Recipe((hint,)), review=review_now("accepted", "Ada"))
    save_hints(scans / "a.hints.json", sidecar)
    jobs = [
        job
        for job in plan(find_sources([str(scans)], coloured).sources, coloured).jobs
        if job.source.stem != "c"
    ]
    colorize_files(stub_colorizer, jobs, Summary(total=2), sidecar_of=lambda path: None)
    return scans, coloured


def test_every_photograph_is_reported_with_its_state(folders, tmp_path, capsys):
    scans, coloured = folders
    out, accepted = tmp_path / "report", tmp_path / "accepted"
    argv = [str(scans), "--results", str(coloured), "--output", str(out), "--export", str(accepted)]
    assert main(argv) == 0
    rows = {row["name"]: row for row in json.loads((out / "report.json").read_text())}
    assert set(rows) == {"a.png", "=b<b>.png", "c.png"}
    assert (rows["a.png"]["state"], rows["a.png"]["by"]) == ("accepted", "Ada")
    assert rows["=b<b>.png"]["state"] == "unreviewed"
    assert rows["c.png"]["result"] is None
    assert rows["a.png"]["doubt"] == pytest.approx(0.7)
    with open(out / "report.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert sorted(row["name"] for row in table) == ["'=b<b>.png", "a.png", "c.png"]  # no formula
    page = (out / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 3
    assert "=b&lt;b&gt;.png" in page
    assert 'src="http' not in page
    assert b"premis" in (out / "premis.xml").read_bytes()
    assert [path.name for path in accepted.iterdir()] == ["a.png"]
    assert "1 accepted results copied, 0 there already" in capsys.readouterr().out
    main(argv)
    assert "0 accepted results copied, 1 there already" in capsys.readouterr().out


def test_those_first_that_need_a_person_most(folders):
    found = find_reviewed(*folders)
    assert [one.name for one in found] == ["=b<b>.png", "a.png", "c.png"]  # of no result nothing is in doubt


def test_a_review_is_kept_in_the_sidecar(tmp_path):
    path = sidecar_path(tmp_path / "a.png")
    sidecar = Sidecar(3, 4, review=Review("redo", "Ada", "2026-11-28T14:03:00+01:00"))
    save_hints(path, sidecar)
    assert load_hints(path) == sidecar


def test_what_files_say_stays_text(tmp_path):
    hint = {"type": "point", "color": '#000"><script>', "source": "<b>"}
    one = Reviewed(
        "a.png", tmp_path / "a.png", None, "redo", "<i>", "", None, None, (hint, {"color": "#2E6b3a"}), {}
    )
    page = contact_sheet([one], "<u>")
    assert not any(text in page for text in ("<script", "<b>", "<i>", "<u>"))
    assert page.count('class="swatch"') == 1


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        (("fine", "Ada", "2026-11-28T14:03:00+01:00"), "state"),
        (("redo", "A\nda", "2026-11-28T14:03:00+01:00"), "by"),
        (("redo", "Ada", "2026-11-28T14:03:00"), "when"),
        (("redo", "Ada", None), "when"),
    ],
)
def test_what_is_no_review(fields, where):
    with pytest.raises(HintError, match=f"^{where}: "):
        Review(*fields)


def test_no_folder_is_a_usage_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "none"), "--output", str(tmp_path)])
    assert ended.value.code == 2
    assert "no such folder" in capsys.readouterr().err
