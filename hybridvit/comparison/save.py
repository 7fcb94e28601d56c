"""Writes report.md, report.html and the sheets into the comparison's folder."""

import pathlib

import numpy as np
from ml_collections import ConfigDict

from hybridvit.comparison.page import write_page
from hybridvit.comparison.report import write_markdown
from hybridvit.comparison.rows import Results
from hybridvit.comparison.sheet import draw_sheet, read_grid
from hybridvit.comparison.systems import System
from hybridvit.measures.tables import TRUTH
from hybridvit.tasks.colorize import GRAY


def save_comparison(
    results: Results, systems: list[System], config: ConfigDict, workdir: pathlib.Path
) -> None:
    """Writes the report of the systems that are done; without any, of what failed."""
    by_name = {system.name: system for system in systems}
    automatic = [row.name for row in results.rows if row.name in by_name and row.quality]
    hinted = [row.name for row in results.rows if row.name in by_name and row.hinted]
    counts = "1 hint" if config.sheet_hints == 1 else f"{config.sheet_hints} hints"
    sheets = {
        "sheet.png": (automatic, "evaluation", "Without hints"),
        "sheet-hints.png": (hinted, "evaluation-hinted", f"With {counts} (2 x 2 px, the same for all)"),
    }
    captions = {}
    for file, (names, folder, caption) in sheets.items():
        grids = {name: by_name[name].folder / folder / "grid.png" for name in names}
        if grids:
            draw_sheet(make_columns(grids, results.image_size)).save(workdir / file)
            captions[file] = (
                f"{caption}: the gray picture, the systems by their PSNR without hints, the truth."
            )
    (workdir / "report.md").write_text(write_markdown(results, captions))
    (workdir / "report.html").write_text(write_page(results, captions, workdir))


def make_columns(grids: dict[str, pathlib.Path], size: int) -> list:
    """Label and tiles of each column: gray, the predictions in the grids' order, truth; of the same pictures only."""
    columns = {name: read_grid(path, size) for name, path in grids.items()}
    gray, _, truth = next(iter(columns.values()))
    same = {name: tiles[1] for name, tiles in columns.items() if np.array_equal(tiles[2], truth)}
    return [(GRAY, gray), *same.items(), (TRUTH, truth)]
