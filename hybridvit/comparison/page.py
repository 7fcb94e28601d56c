"""The report as one HTML file that needs no other: style, sorting and pictures are inside."""

import base64
import html
import pathlib

from hybridvit.comparison.report import Table, budget_table, findings, limits, quality_table
from hybridvit.comparison.rows import ANCHOR, Results, Row
from hybridvit.tasks.colorize import GRAY, TINT

STYLE = """
:root { color-scheme: light dark; --ink: #1d1f23; --soft: #666c76; --line: #dfe2e7; --paper: #fff; --band: #f5f6f8;
  --mark: #2559c4; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #9aa1ad; --line: #343a44; --paper: #16181c;
  --band: #1e2126; --mark: #86abff; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 90rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; }
p, li { max-width: 48rem; } ul { padding-left: 1.2rem; margin: .4rem 0; } li { margin: .3rem 0; }
.soft, figcaption { color: var(--soft); font-size: .875rem; } .failed, .changed { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { vertical-align: bottom; color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
tr.anchor td { background: var(--band); color: var(--soft); font-style: italic; }
td.best { font-weight: 700; color: var(--mark); }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-align: inherit; }
th button:hover, th button:focus-visible { color: var(--mark); text-decoration: underline; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
figure { margin: 1rem 0; } figure .wide { width: fit-content; max-width: 100%; border: 1px solid var(--line); }
figure img { display: block; max-width: 100%; height: auto; }
svg { width: 100%; max-width: 48rem; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg .soft { fill: var(--soft); font-size: 12px; } svg .rule { stroke: var(--line); } svg .guide { stroke: var(--soft);
  stroke-dasharray: 4 3; } svg .mark { stroke: var(--mark); stroke-width: 2; fill: var(--mark); }
"""
SORT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, i) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") !== "descending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = (row) => row.cells[i].textContent.trim(), sign = down ? -1 : 1;
    const order = (a, b) => i ? Number(a) - Number(b) : b.localeCompare(a);
    [...body.rows].sort((one, two) => {
      const a = text(one), b = text(two);
      return a === "" || b === "" ? (a === "") - (b === "") : sign * order(a, b);
    }).forEach((row) => body.append(row));
  }));
}
"""


def write_page(results: Results, sheets: dict[str, str], folder: pathlib.Path) -> str:
    """The page; `sheets` are captions by file in `folder`."""
    figures = [_figure(folder / file, caption) for file, caption in sheets.items()]
    said = [
        f'<li class="{kind}"><b>{html.escape(name)}</b> {html.escape(text)}</li>'
        for kind, name, text in results.notes
    ]
    title = html.escape(results.title)
    summary = f"{results.pictures} held-out pictures of {results.image_size} px; {results.budget}."
    notes = f"<ul>{''.join(said)}</ul>" if said else ""
    parts = [f"<h1>{title}</h1>", notes]
    if results.rows:
        parts = [
            f"<h1>{title}</h1>",
            f'<p class="soft">{html.escape(summary)}</p>',
            notes,
            _table(quality_table(results), sortable=True),
            '<p class="soft">A click on a heading sorts. Blue: the best of the systems (in colorfulness: nearest to '
            "the truth's). Shaded: no systems, but what to compare them with.</p>",
            "<h2>PSNR without hints</h2>",
            _plot(results),
            "<h2>Pictures</h2>",
            *figures,
            "<h2>What the numbers say</h2>",
            _list(findings(results)),
            "<h2>What they do not say</h2>",
            _list(limits(results)),
            "<h2>What the budget came to</h2>",
            _table(budget_table(results)),
            "<h2>Made on</h2>",
            _list(results.provenance),
        ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<script>{SORT}</script>\n</body>\n</html>\n"
    )


def _table(table: Table, sortable: bool = False) -> str:
    def head(heading: str) -> str:
        text = html.escape(heading)
        sorted_by = ' aria-sort="descending"' if sortable and heading == "PSNR dB" else ""
        return f'<th scope="col"{sorted_by}>' + (f"<button>{text}</button>" if sortable else text) + "</th>"

    body, best = [], ' class="best"'
    for i, (kind, cells) in enumerate(table.rows):
        shown = [
            f"<td{best if (i, j) in table.best else ''}>{html.escape(cell)}</td>"
            for j, cell in enumerate(cells)
        ]
        body.append(f'<tr class="{kind}">{"".join(shown)}</tr>')
    heads = "".join(map(head, table.headings))
    style = ' class="sortable"' if sortable else ""
    rows = "\n".join(body)
    return f'<div class="wide"><table{style}><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"


def _figure(path: pathlib.Path, caption: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    caption = html.escape(caption)
    return (
        f'<figure><div class="wide"><img alt="{caption}" src="data:image/png;base64,{data}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _plot(results: Results) -> str:
    """A dot a system with its standard error, and lines for the gray picture and the one tint."""
    systems = [row for row in results.rows if row.kind != ANCHOR and row.quality]
    guides = [row for row in results.rows if row.name in (GRAY, TINT)]
    if not systems:
        return ""
    ends = [row.quality["psnr"] + sign * row.quality["psnr_sem"] for row in systems for sign in (-1, 1)]
    ends += [row.quality["psnr"] for row in guides]
    low, high = min(ends), max(ends)
    width, left, right, line, top = 760, 170, 20, 28, 34
    scale = (width - left - right) / max(high - low, 1e-6)

    def x(psnr: float) -> float:
        return round(left + (psnr - low) * scale, 1)

    bottom = top + line * len(systems)
    marks = [_guide(row, x(row.quality["psnr"]), top, bottom) for row in guides]
    for i, row in enumerate(systems):
        y, psnr, error = top + line * (i + 0.5), row.quality["psnr"], row.quality["psnr_sem"]
        marks.append(f'<line class="rule" x1="{left}" x2="{width - right}" y1="{y}" y2="{y}"/>')
        marks.append(f'<line class="mark" x1="{x(psnr - error)}" x2="{x(psnr + error)}" y1="{y}" y2="{y}"/>')
        marks.append(f'<circle class="mark" cx="{x(psnr)}" cy="{y}" r="4"/>')
        marks.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{html.escape(row.name)}</text>')
        marks.append(f'<text class="soft" x="{x(psnr)}" y="{y - 7}" text-anchor="middle">{psnr:.2f}</text>')
    label = "PSNR in dB of each system, with its standard error"
    return f'<svg viewBox="0 0 {width} {bottom + 6}" role="img" aria-label="{label}">{"".join(marks)}</svg>'


def _guide(row: Row, x: float, top: int, bottom: int) -> str:
    anchor = "start" if row.name == GRAY else "end"
    return (
        f'<line class="guide" x1="{x}" x2="{x}" y1="{top - 8}" y2="{bottom}"/>'
        f'<text class="soft" x="{x}" y="{top - 14}" text-anchor="{anchor}">{html.escape(row.name)}</text>'
    )
