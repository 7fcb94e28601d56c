"""Markdown tables for a terminal."""

from hybridvit.measures.aligned import align_tables

TABLE = """\
before
| 3 pictures | PSNR | ΔCF |
|---|--:|--:|
| gray | 21.5 | |
| one tint | 7.25 | 100.0 |

after
| a |
|---|"""
ALIGNED = """\
before
| 3 pictures | PSNR |   ΔCF |
| ---------- | ---- | ----- |
| gray       | 21.5 |       |
| one tint   | 7.25 | 100.0 |

after
| a |
| - |"""


def test_columns_stand_under_one_another():
    assert align_tables(TABLE) == ALIGNED
    assert align_tables(ALIGNED) == ALIGNED
    assert align_tables("no table\n\nat all") == "no table\n\nat all"
