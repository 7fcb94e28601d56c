"""The report, from the files of runs that never were."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

from hybridvit.comparison.report import findings, limits, quality_table, show
from hybridvit.comparison.rows import collect
from hybridvit.comparison.save import save_comparison

BUDGET = {"images": 0, "minutes": 15.0}


@pytest.fixture
def entries(systems, write_run):
    """ssl_vit leads supervised_vit by 1 dB on each picture, unet takes no hints and failed, levin needs hints."""
    by_name = {system.name: system for system in systems}
    ssl = write_run(by_name["ssl_vit"], {0: (23.0, 24.0, 25.5), 10: (26.0, 27.0, 28.0)}, 30.0, 110)
    supervised = write_run(
        by_name["supervised_vit"], {0: (22.0, 23.0, 24.5), 10: (28.0, 29.0, 30.0)}, 20.0, 120
    )
    levin = write_run(by_name["levin"], {10: (27.0, 27.0, 27.0)}, 35.0, 130)
    failed = {"status": "failed", "why": "the loss was not <finite>"}
    outcomes = {"ssl_vit": ssl, "supervised_vit": supervised, "levin": levin, "unet": failed}
    return [(by_name[name], outcome, []) for name, outcome in outcomes.items()]


def cells(table, name: str) -> dict[str, str]:
    row = next(cells for _, cells in table.rows if cells[0] == name)
    return dict(zip(table.headings, row, strict=True))


def test_the_table(entries):
    table = quality_table(collect("x", BUDGET, entries))
    order = ["one tint (oracle)", "ssl_vit", "supervised_vit", "gray", "levin", "truth"]
    assert [cells[0] for _, cells in table.rows] == order
    assert cells(table, "ssl_vit") == {
        "system": "ssl_vit",
        "parameters M": "2.56",
        "GFLOPs": "0.500",
        "ms / picture": "1,234",
        "PSNR dB": "24.17",
        "± dB": "0.59",
        "SSIM": "0.900",
        "CIEDE2000": "10.00",
        "colorfulness": "30.0",
        "PSNR@10": "27.00",
    }
    levin = cells(table, "levin")
    assert (levin["PSNR dB"], levin["PSNR@10"], levin["parameters M"]) == ("", "27.00", "")
    assert {name for name, cell in cells(table, "truth").items() if cell} == {"system", "colorfulness"}
    best = {table.rows[row][1][0]: table.headings[column] for row, column in sorted(table.best)}
    assert best["supervised_vit"] == "PSNR@10"
    assert {table.rows[row][1][0] for row, column in table.best if table.headings[column] == "PSNR dB"} == {
        "ssl_vit"
    }
    assert "gray" not in best


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0123, "0.0123"), (0.0, "0.00000"), (9.999, "10.00"), (23.0, "23.0"), (1234.5, "1,234")],
)
def test_three_digits_that_count(value, text):
    assert show(value, "3") == text


def test_a_network_without_hints_has_none_measured(systems, write_run):
    unet = next(system for system in systems if system.name == "unet")
    outcome = write_run(unet, {0: (20.0, 20.0, 20.0), 10: (20.0, 20.0, 20.0)}, 3.0)
    results = collect("x", BUDGET, [(unet, outcome, [])])
    assert next(row for row in results.rows if row.name == "unet").hinted == {}
    assert "PSNR@10" not in quality_table(results).headings


def test_what_the_numbers_say(entries):
    said = " ".join(findings(collect("x", BUDGET, entries)))
    assert (
        "Without hints ssl_vit comes nearest to the truth, 24.17 dB. supervised_vit follows 1.00 ± 0.00 dB"
        in said
    )
    assert "noise" not in said
    assert "Surely above the gray picture in PSNR: ssl_vit, supervised_vit." in said
    assert "own colorfulness (40.0) is ssl_vit (30.0)" in said
    assert "With 10 hints the best are: supervised_vit 29.00, ssl_vit 27.00, levin 27.00 dB." in said


def test_a_lead_that_may_be_chance_and_a_system_below_gray_are_called_so(systems, write_run):
    first, second = (system for system in systems if system.name in ("ssl_vit", "supervised_vit"))
    near = write_run(first, {0: (23.0, 20.5, 22.5)}, 30.0)
    far = write_run(second, {0: (19.0, 20.0, 21.5)}, 20.0)
    said = " ".join(findings(collect("x", BUDGET, [(first, near, []), (second, far, [])])))
    assert f"Above the gray picture by less than 2 standard errors: {first.name}." in said
    assert f"no colour would have erred less: {second.name}." in said
    assert "1.83 ± 0.89 dB behind." in said
    closer = [(first, near, []), (second, write_run_again(second, far, (24.0, 20.0, 21.5)), [])]
    assert "which is within the noise" in " ".join(findings(collect("x", BUDGET, closer)))


def write_run_again(system, outcome: dict, psnr: tuple[float, ...]) -> dict:
    path = system.folder / "evaluation" / "report.json"
    path.write_text(path.read_text().replace('{"set/a.png": 19.0,', f'{{"set/a.png": {psnr[0]},'))
    return outcome


def test_others_pictures_are_left_out_and_changes_told(entries):
    system = entries[1][0]
    path = system.folder / "evaluation" / "report.json"
    path.write_text(path.read_text().replace("set/b.png", "set/z.png"))
    entries[0] = (*entries[0][:2], ["config.seed: 0 -> 1"])
    results = collect("x", BUDGET, entries)
    assert system.name not in [row.name for row in results.rows]
    notes = {name: said for _, name, said in results.notes}
    assert "measured on other pictures" in notes[system.name]
    assert "config.seed: 0 -> 1" in notes["ssl_vit"]
    assert notes["unet"] == "failed: the loss was not <finite>"


class Page(html.parser.HTMLParser):
    """Rows of the tables, sources of pictures, and whether every tag is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.rows, self.sources, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "line", "circle"):
            self.open.append(tag)
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "button") and data.strip():
            self.rows[-1].append(data)


@pytest.fixture
def saved(entries, systems, config, tmp_path):
    save_comparison(collect("compare-<x>", BUDGET, entries), systems, config, tmp_path)
    return tmp_path


def test_the_page_needs_no_other_file_and_says_what_the_markdown_says(saved, entries):
    text = (saved / "report.html").read_text()
    page = Page(text)
    assert not page.open
    assert len(page.sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert "http" not in re.sub(r"base64,\S+", "", text)
    markdown = (saved / "report.md").read_text()
    quality = quality_table(collect("x", BUDGET, entries))
    assert page.rows[: len(quality.rows) + 1] == [
        list(quality.headings),
        *([cell for cell in cells if cell] for _, cells in quality.rows),
    ]
    for _, cells in quality.rows:
        plain = markdown.replace("**", "")
        assert f"| {' | '.join(cells)} |" in plain
    for line in [*findings(collect("x", BUDGET, entries)), *limits(collect("x", BUDGET, entries))]:
        assert line in markdown
        assert html.escape(line) in text
    for words in (
        "compare-&lt;x&gt;",
        "not &lt;finite&gt;",
        "15 minutes of computing",
        "A processor, 2 cores",
    ):
        assert words in text
    for words in (
        "# compare-<x>",
        "A processor, 2 cores. 2026-01-02. hybridvit 0.",
        "**unet** failed: the loss",
    ):
        assert words in markdown


def test_sheets(saved):
    page = Page((saved / "report.html").read_text())
    expected = {"sheet.png": [50, 110, 120, 200], "sheet-hints.png": [50, 110, 120, 130, 200]}
    for (file, shades), source in zip(expected.items(), page.sources, strict=True):
        data = (saved / file).read_bytes()
        assert base64.b64decode(source.partition(",")[2]) == data
        bottom = np.asarray(Image.open(io.BytesIO(data)))[-20, :, 0]
        assert [int(x) for x in dict.fromkeys(bottom[bottom < 255])] == shades


def test_nothing_done_yet_is_a_report_too(systems, config, tmp_path):
    entries = [(system, {"status": "none"}, []) for system in systems]
    save_comparison(collect("x", BUDGET, entries), systems, config, tmp_path)
    assert "has not come to its end" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "sheet.png").exists()
