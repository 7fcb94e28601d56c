import itertools
import json

import pytest

from hybridvit.comparison.label_measures import CONDITIONS
from hybridvit.comparison.label_record import make_record
from hybridvit.comparison.label_runs import SCORES, Run

RIVALS = ("supervised", "strong-views")
LEVELS = {"supervised": 1.0, "strong-views": 2.0, "semi": 2.5}


@pytest.fixture
def record() -> dict:
    runs = [
        Run(
            arm,
            percent,
            seed,
            {condition: dict.fromkeys(SCORES, level + percent + seed) for condition in CONDITIONS},
        )
        for (arm, level), percent, seed in itertools.product(LEVELS.items(), (1.0, 5.0), (0, 2))
    ]
    return json.loads(json.dumps(make_record(runs, "semi", RIVALS, {"command": "x"})))


def test_it_holds_all_that_the_pages_tell(record):
    assert record["measured"] == {"command": "x"}
    assert record["seeds"] == [0, 2]
    assert set(record["worth"]) == {"1 %", "5 %"}
    assert record["gain"]["5 %"]["unseen"]["psnr"] == [0.5, 0]
    assert len(record["runs"]) == 12


def test_its_rows_fit_its_columns(record):
    assert (
        {len(row) for row in record["rows"]}
        == {len(record["columns"])}
        == {3 + len(CONDITIONS) * len(SCORES)}
    )
    assert [row[:3] for row in record["rows"][:3]] == [["1 %", arm, 2] for arm in LEVELS]
    assert record["rows"][2][3] == [4.5, 1]  # of 3.5 and 5.5


def test_one_seed_has_no_error():
    measured = {condition: dict.fromkeys(SCORES, -2.5) for condition in CONDITIONS}
    (row,) = make_record([Run("semi", 1.0, 0, measured)], "semi", RIVALS, {})["rows"]
    assert row == ["1 %", "semi", 1, *[-2.5] * (len(CONDITIONS) * len(SCORES))]
