"""Reports what became of a folder's photographs: state, doubt, hints with their sources, weights, settings.

    hybridvit report scans/ --results coloured/ --output report/
    hybridvit report scans/ --results coloured/ --output report/ --export accepted/

Writes report.csv, report.json, report.html (one file, its pictures inside) and premis.xml. Exit codes: 0 done; 2 a
mistake in the command.
"""

from collections.abc import Sequence
from typing import NoReturn

from hybridvit.colorize.summary import explain
from hybridvit.command_line import Parser, check_writable, fail, path, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = Parser(prog="hybridvit report", description=__doc__)
    add = parser.add_argument
    add("folder", type=path, metavar="FOLDER", help="of the photographs")
    add("--results", type=path, metavar="DIR", help="folder of their results (FOLDER)")
    add("--output", type=path, required=True, metavar="DIR", help="folder of the report; made if missing")
    add("--export", type=path, metavar="DIR", help="copies the accepted results there")
    options = parser.parse_args(argv)
    try:
        if not options.folder.is_dir():
            raise FileNotFoundError(f"{options.folder}: no such folder")
        check_writable("output", options.output)
        check_writable("export", options.export)
        from hybridvit.review.found import find_reviewed
        from hybridvit.review.write import export_accepted, write_report

        found = find_reviewed(options.folder, options.results or options.folder)
        written = write_report(found, options.output, options.folder.resolve().name)
        print(f"{options.output}: {', '.join(one.name for one in written)} of {len(found)} photographs")
        if options.export is not None:
            copied, there = export_accepted(found, options.export)
            print(f"{options.export}: {copied} accepted results copied, {there} there already")
    except (ValueError, OSError) as error:
        fail(explain(error))
    return 0


def run() -> NoReturn:
    """The command as a process."""
    run_command(main)
