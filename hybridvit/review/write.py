"""The report of a folder in files: a table (CSV), the same for programs (JSON), events (PREMIS), and a contact sheet.

The contact sheet is one HTML file with its pictures inside, so that it can be sent and kept.
"""

import base64
import csv
import filecmp
import html
import io
import json
import pathlib
import re
import shutil
from collections import Counter
from collections.abc import Sequence

import numpy as np
from PIL import Image
from tqdm import tqdm

from hybridvit.photo.photo import read_photo
from hybridvit.photo.profile import to_depth
from hybridvit.photo.record import SOURCE
from hybridvit.provenance.premis import document_of
from hybridvit.review.found import Reviewed, said_by

THUMBNAIL = 220  # px, the longer side
COLUMNS = (
    "name",
    "result",
    "state",
    "by",
    "when",
    "doubt",
    "disagreement",
    "hints",
    "model",
    "weights",
    "settings",
)

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }
body { margin: 1.5rem; color: light-dark(#1c1c1c, #ececec); background: light-dark(#fff, #161616) }
h1 { margin: 0; font-size: 1.4rem }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; padding: 0 }
li { list-style: none; border: 1px solid #8886; border-radius: .5rem; padding: .6rem; overflow-wrap: anywhere }
li > img { display: block; width: 100%; height: 11rem; object-fit: contain; background: #8883; border-radius: .3rem }
p { margin: .3rem 0 } summary { cursor: pointer } li details { font-size: .85rem }
.state { padding: 0 .5rem; border-radius: 1rem; font-size: .85rem; background: #8883 }
.accepted { background: light-dark(#cfe8d3, #23452a) } .redo { background: light-dark(#fbe7bd, #4d3c12) }
.rejected { background: light-dark(#f6d0cc, #54221e) }
.swatch { display: inline-block; width: 1em; height: 1em; border: 1px solid #888; vertical-align: -.15em }
@media (max-width: 30rem) { body { margin: .7rem } ul { grid-template-columns: 1fr 1fr; gap: .5rem } }
@media print { li { break-inside: avoid } details > * { display: block } }
"""


def write_report(found: Sequence[Reviewed], folder: pathlib.Path, title: str) -> list[pathlib.Path]:
    """Writes report.csv, report.json, report.html and, where there are results, premis.xml; returns their paths.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row_of(one) for one in found]
    texts = {"report.csv": table(rows), "report.json": json.dumps(rows, indent=1, ensure_ascii=False) + "\n"}
    texts["report.html"] = contact_sheet(found, title)
    paths = []
    for name, text in texts.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8", newline="")
    results = [one.result for one in found if one.result is not None]
    if results:
        paths.append(folder / "premis.xml")
        paths[-1].write_bytes(document_of(results))
    return paths


def row_of(one: Reviewed) -> dict:
    """What is reported of a photograph, as JSON can hold it."""
    return {
        "name": one.name,
        "result": one.result and str(one.result),
        "state": one.state,
        "by": one.by,
        "when": one.when,
        "doubt": one.doubt,
        "disagreement": one.disagreement,
        "hints": list(one.hints),
        "model": one.said.get("model") or one.said.get("method"),
        "weights": one.said.get("weights_sha256"),
        "settings": one.said.get("settings"),
    }


def table(rows: Sequence[dict]) -> str:
    """As CSV (RFC 4180); lists and settings are JSON in their cells. No cell begins a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def contact_sheet(found: Sequence[Reviewed], title: str) -> str:
    """One page of HTML, its pictures inside."""
    counts = Counter(one.state for one in found)
    head = ", ".join(f"{count} {state}" for state, count in counts.items())
    items = [_item(one) for one in tqdm(found, "drawing", unit="picture", disable=None, dynamic_ncols=True)]
    name = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{name}</h1><p>{len(found)} photographs: {head}</p>\n<ul>\n{''.join(items)}</ul></body></html>\n"
    )


def export_accepted(found: Sequence[Reviewed], folder: pathlib.Path) -> tuple[int, int]:
    """Copies accepted results into a folder; returns how many, and how many were there already.

    An interrupted export goes on. Raises OSError, as `export_result`.
    """
    accepted = [one for one in found if one.state == "accepted" and one.result is not None]
    bar = tqdm(accepted, "copying", unit="picture", disable=None, dynamic_ncols=True)
    copied = sum(export_result(one, folder)[1] for one in bar)
    return copied, len(accepted) - copied


def export_result(one: Reviewed, folder: pathlib.Path) -> tuple[pathlib.Path, bool]:
    """Copies a result below a folder, as its photograph lies in its own; returns where, and whether it was not there.

    The copy appears when it is whole. Raises OSError; FileExistsError where something else is in its place.
    """
    assert one.result is not None
    target = folder / pathlib.Path(one.name).parent / one.result.name
    if target.exists():
        if filecmp.cmp(one.result, target, shallow=False):
            return target, False
        if said_by(target).get(SOURCE) != said_by(one.result).get(SOURCE):
            raise FileExistsError(f"{target} is there, and no result of {one.name}: choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    coming = target.with_name(f".{target.name}.coming")
    shutil.copy2(one.result, coming)
    coming.replace(target)
    return target, True


def thumbnail(path: pathlib.Path, side: int = THUMBNAIL) -> bytes:
    """A picture as a small JPEG. Raises OSError or ValueError if it cannot be read."""
    pixels = to_depth(read_photo(path).pixels, np.dtype(np.uint8))
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((side, side), reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()


def _item(one: Reviewed) -> str:
    try:
        data = base64.b64encode(thumbnail(one.result or one.path)).decode()
        picture = f'<img alt="" src="data:image/jpeg;base64,{data}">'
    except (OSError, ValueError):
        picture = "<p>(cannot be read)</p>"
    said = f"{one.state}{f' by {html.escape(one.by)}' if one.by else ''}"
    facts = [f'<p><span class="state {one.state}">{said}</span></p>']
    if one.result is None:
        facts.append("<p>not coloured</p>")
    if one.doubt is not None:
        facts.append(f"<p>doubt {100 * one.doubt:.0f} %</p>")
    if one.disagreement is not None:
        facts.append(f"<p>{one.disagreement:.1f} ab from its group</p>")
    if one.hints:
        count = "1 colour" if len(one.hints) == 1 else f"{len(one.hints)} colours"
        hints = "".join(map(_hint, one.hints))
        facts.append(f"<details><summary>{count} given</summary>{hints}</details>")
    model = one.said.get("model") or one.said.get("method")
    if model:
        settings = html.escape(json.dumps(one.said.get("settings"), ensure_ascii=False))
        weights = html.escape(str(one.said.get("weights_sha256", "")))
        facts.append(
            f"<details><summary>{html.escape(str(model))}</summary><p>{settings}</p><p>{weights}</p></details>"
        )
    return f"<li>{picture}<p>{html.escape(one.name)}</p>{''.join(facts)}</li>\n"


def _hint(hint: dict) -> str:
    """A colour that was given: a swatch, and where it is known from."""
    color = str(hint.get("color"))
    is_hex = re.fullmatch(
        "#[0-9a-fA-F]{6}", color
    )  # it is out of a file, and nothing else may come into the page
    swatch = f'<span class="swatch" style="background:{color}"></span> ' if is_hex else ""
    source = hint.get("source") or "no source said"
    return f"<p>{swatch}{html.escape(color)}, {html.escape(str(hint.get('type')))}: {html.escape(source)}</p>"


def _cell(value: object) -> str | float:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
