import itertools

import numpy as np
import pytest
from PIL import Image

from hybridvit.comparison.label_measures import CONDITIONS
from hybridvit.comparison.label_report import draw_curves, quality_table, write_markdown
from hybridvit.comparison.label_runs import OTHERS, SCORES, Run, difference, estimate

RIVALS = ("supervised", "strong-views")
MEANS = {"supervised": 20.0, "strong-views": 21.0, "semi": 21.5}


@pytest.fixture
def runs() -> list[Run]:
    """Scores that rise with the labels; each seed lifts all arms alike, and the arm `semi` a little more or less."""
    found = []
    for (arm, mean), percent, seed in itertools.product(MEANS.items(), (5, 100), range(3)):
        value = mean + np.log10(percent) + 10 * seed + (0.1 * (seed - 1) if arm == "semi" else 0)
        measured = {condition: dict.fromkeys([*SCORES, *OTHERS], value) for condition in CONDITIONS}
        found.append(Run(arm, float(percent), seed, measured | {"step": 1000, "scale": 1.0, "pictures": 7}))
    return found


def test_the_standard_error():
    mean, error = estimate([1.0, 2.0, 6.0])
    assert mean == 3
    assert error == pytest.approx(np.sqrt(7 / 3))  # variance (4 + 1 + 9) / 2, of 3 values
    assert estimate([4.0]) == (4, 0)


def test_differences_are_taken_seed_by_seed_to_the_better_arm(runs):
    gain = difference(runs, "semi", ["supervised", "strong-views"], 5.0, "aged", "psnr")
    assert gain.mean == pytest.approx(0.5)
    assert gain.error == pytest.approx(0.1 / np.sqrt(3))  # the seeds' own 10 dB are in both
    assert difference(runs, "semi", ["strong-views"], 10.0, "aged", "psnr") is None
    shorter = [run for run in runs if run.arm != "semi" or run.seed == 2]
    assert difference(shorter, "semi", ["supervised"], 100.0, "clean", "psnr").mean == pytest.approx(1.6)


def test_the_table_has_a_row_for_each_share_and_arm(runs):
    rows = [line.split("|") for line in quality_table(runs, "clean").splitlines()[2:]]
    assert [(row[1].strip(), row[2].strip()) for row in rows] == [
        (f"{percent} %", arm) for percent in (5, 100) for arm in MEANS
    ]
    assert rows[0][6].strip() == f"{20 + np.log10(5) + 10:.2f} ± {10 / np.sqrt(3):.2f}"  # PSNR


def test_the_report_names_what_is_missing(runs):
    text = write_markdown(runs, ["semi-1-0: killed"], "semi", list(RIVALS), "48,000 pictures")
    assert "18 runs, 48,000 pictures each; 7 test pictures" in text
    assert "## semi less the better of supervised, strong-views" in text
    assert "+0.500 ± 0.058" in text
    assert text.endswith("- semi-1-0: killed\n")
    assert "semi less" not in write_markdown(
        [run for run in runs if run.arm == "semi"], [], "semi", list(RIVALS), "1"
    )


def test_curves_are_drawn(runs, tmp_path):
    draw_curves(runs, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 1000
        colors = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(colors, axis=0)) > 20
