"""Markdown tables with their columns under one another, as a terminal wants them."""

import unicodedata


def align_tables(text: str) -> str:
    """`text` with the cells of each table padded to the widest of their column: the first column left, others right."""
    lines, done = text.splitlines(), []
    while lines:
        count = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
        done += _align(lines[:count]) if count else lines[:1]
        lines = lines[count or 1 :]
    return "\n".join(done)


def _align(table: list[str]) -> list[str]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table]
    rules = [set("".join(row)) <= set("-: ") and any("-" in cell for cell in row) for row in rows]
    cells = [row for row, rule in zip(rows, rules, strict=True) if not rule]
    widths = [max(_width(row[i]) for row in cells if i < len(row)) for i in range(max(map(len, cells)))]
    lines = []
    for row, rule in zip(rows, rules, strict=True):
        if rule:
            padded = ["-" * width for width in widths]
        else:
            spaces = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
            padded = [
                row[0] + spaces[0],
                *(space + cell for cell, space in zip(row[1:], spaces[1:], strict=True)),
            ]
        lines.append(f"| {' | '.join(padded)} |")
    return lines


def _width(cell: str) -> int:
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell
    )
