"""Says what hybridvit sees in files; nothing is changed and nothing is coloured.

    hybridvit inspect scan.tif more/*.jpg
    hybridvit inspect --json scan.tif

For each page: what is stored and what is read of it, its profile, resolution, orientation and borders, and what of its
metadata comes into the result and what does not. Exit codes: 0 all can be coloured; 1 some cannot, each is named; 2 a
mistake in the command.
"""

import json
import os
from collections.abc import Sequence
from typing import Any, NoReturn

from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.summary import explain
from hybridvit.command_line import Parser, fail, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = Parser(prog="hybridvit inspect", description=__doc__)
    parser.add_argument(
        "inputs", nargs="+", metavar="FILE", help="a picture, a folder (to its depths), or a glob"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON list, a file an entry")
    options = parser.parse_args(argv)
    try:
        sources = find_sources(options.inputs, os.devnull).sources
    except (ValueError, OSError) as error:
        fail(explain(error))
    from hybridvit.photo.inspection import inspect_file

    bad = False
    if options.json:
        print("[")
    for i, source in enumerate(sources):
        seen = inspect_file(source.path)
        bad |= "error" in seen
        if options.json:
            print(json.dumps(seen, indent=1) + ("," if i + 1 < len(sources) else ""))
        else:
            print("\n".join(told(seen)))
    if options.json:
        print("]")
    return 1 if bad else 0


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)


def told(seen: dict[str, Any]) -> list[str]:
    """What `inspect_file` found, in lines for people."""
    pages = seen["pages"]
    head = [seen["format"] or "no known format", f"{seen['bytes']:,} bytes"]
    head += [f"{len(pages)} pages"] if len(pages) > 1 else []
    head += ["a result of hybridvit"] if seen.get("result") else []
    lines = [seen["file"], f"  {', '.join(head)}"]
    lines += [f"  no page: {one['what']} of {one['width']} x {one['height']} px" for one in seen["left_out"]]
    if "error" in seen and not pages:
        lines.append(f"  not read: {seen['error']}")
    for number, page in enumerate(pages, 1):
        lines += [f"  page {number}:"] if len(pages) > 1 else []
        lines += [f"  {'  ' if len(pages) > 1 else ''}{line}" for line in _told_of_page(page)]
    return lines


def _told_of_page(page: dict[str, Any]) -> list[str]:
    lines = []
    stored = page["stored"]
    if stored:
        how = f", {page['compression']}" if "compression" in page else ""
        turned = f", orientation {stored['orientation']}" if stored["orientation"] != 1 else ""
        lines.append(
            f"stored: {stored['width']} x {stored['height']} px, {stored['channels']} x {stored['samples']}, "
            f"{stored['model']}{how}{turned}"
        )
    if "error" in page:
        return [*lines, f"not read: {page['error']}"]
    read, profile, border = page["read"], page["profile"], page["border"]
    alpha = " and alpha" if read["alpha"] else ""
    lines.append(
        f"read: {read['width']} x {read['height']} px upright, {read['bits']} bit {read['colors']}{alpha}"
    )
    lines.append(f"result: {page['written_as']}, {profile['name'] if profile else 'without a profile'}")
    if page["dpi"]:
        lines.append("resolution: {:g} x {:g} dpi".format(*page["dpi"]))
    lines.append(
        "border: " + (", ".join(f"{px} px {where}" for where, px in border.items()) if border else "none")
    )
    lines.append(f"metadata kept: {', '.join(page['kept']) or 'there is none'}")
    if page["not_kept"]:
        lines.append(f"not kept: {', '.join(page['not_kept'])}")
    return lines + [f"note: {remark}" for remark in page["remarks"]]


if __name__ == "__main__":
    run()
