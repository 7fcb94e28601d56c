"""The pages: tables are those that were measured, links lead somewhere, indexes are complete."""

import json
import pathlib
import re
import runpy
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TABLES = runpy.run_path(str(ROOT / "docs" / "tables.py"))
PAGES = sorted(path for pattern in TABLES["PAGES"] for path in ROOT.glob(pattern))
RESULTS = sorted((ROOT / "docs" / "results").glob("*.json"))
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_are_those_of_the_results(path):
    assert TABLES["written"](path.read_text()) == path.read_text(), "run: python docs/tables.py"


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_say_how_and_when_and_are_shown(path):
    assert {"command", "machine", "date"} <= json.loads(path.read_text())["measured"].keys()
    shown = {name for page in PAGES for name in re.findall(r"<!-- table: ([\w-]+) -->", page.read_text())}
    code = (ROOT / "docs" / "tables.py").read_text()
    assert path.stem in shown or f'"{path.stem}"' in code


def test_a_changed_number_is_seen():
    page = (ROOT / "docs" / "researcher" / "results.md").read_text()
    changed = page.replace("**31.09**", "**31.90**")
    assert changed != page
    assert TABLES["written"](changed) == page


def test_cells():
    cell = TABLES["cell"]
    assert cell(48_013, {"digits": 0}) == "48,013"
    assert cell([0.0541, 0.008], {"digits": 3, "signed": True}) == "+0.054 ± 0.008"
    assert [cell(value, {"significant": 3}) for value in (0.117, 7.8, 39.1)] == ["0.117", "7.80", "39.1"]
    assert cell(None, {}) == ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path):
    folder = path.parent
    for target in LINK.findall(re.sub(r"(?s)```.*?```", "", path.read_text())):
        assert (folder / target).exists(), target


def test_the_readme_is_short_and_has_the_two_commands():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 200
    assert (
        "    pip install -r requirements.txt && python -m hybridvit.main --config=configs/ssl_vit.py" in lines
    )
    assert "    pip install -r requirements-test.txt && pytest -n 2 --dist loadfile" in lines


def test_findings_are_all_in_their_index():
    listed = re.findall(r"^\| `(\S+\.sh)` \|", (ROOT / "findings" / "README.md").read_text(), re.MULTILINE)
    assert listed == sorted(path.name for path in (ROOT / "findings").glob("*.sh"))


def test_every_room_is_in_the_layout():
    rooms = {path.stem for path in (ROOT / "hybridvit").iterdir() if not path.name.startswith("_")} - {"py"}
    page = (ROOT / "docs" / "contributor" / "layout.md").read_text()
    named = set(re.findall(r"^  (\w+)(?:/|\.py) ", page, re.MULTILINE))
    assert named == rooms


def test_requirements_of_the_docs_are_those_of_the_package_and_sphinx():
    lines = (ROOT / "requirements-docs.txt").read_text().splitlines()
    assert "-r requirements.txt" in lines
    assert {re.split(r"[<>=]", line)[0] for line in lines if line[0] not in "#-"} == {
        "furo",
        "myst-nb",
        "sphinx",
    }


def test_the_citation_is_of_this_version():
    version = re.search(r'VERSION = "(.+)"', (ROOT / "hybridvit" / "version.py").read_text())[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["readme"] == "README.md"
