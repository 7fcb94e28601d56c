"""The tables of an evaluation's report, as Markdown."""

TRUTH = "truth"
VIVID = "model, vivid"
METRICS = ("psnr", "ssim", "ciede2000", "colorfulness")
HEADINGS = ("PSNR dB", "SSIM", "CIEDE2000", "colorfulness")
REALISM = {
    "top1": ("top1", 3),
    "fed": ("fed", 2),
    "fid": ("FID", 2),
    "lpips": ("LPIPS", 3),
}  # heading, digits
OF_TRUTH = ("colorfulness", "colorfulness_unsigned", "top1")  # what is said of the true pictures
PAPERS = {  # the columns of papers: heading, digits, and the field of `config.eval` that it takes
    "fid": ("FID", 2, "inception"),
    "colorfulness_unsigned": ("CF", 2, None),
    "delta_cf": ("ΔCF", 2, None),
    "delta_cf_pictures": ("ΔCF by picture", 2, None),
    "psnr": ("PSNR", 2, None),
    "ssim": ("SSIM", 3, None),
    "lpips": ("LPIPS", 3, "lpips_backbone and lpips_linear"),
    "top1": ("top1", 3, "classifier"),
    "fed": ("fed", 2, "classifier"),
}


def rows_without_hints(report: dict) -> list[tuple[str, dict[str, float]]]:
    """The anchors, the model, its vivid colours, the truth: names and measures."""
    systems = report["systems"]
    last = {name: systems[key] for name, key in (("model", "model@0"), (VIVID, VIVID)) if key in systems}
    first = {
        name: row for name, row in systems.items() if name not in (TRUTH, VIVID) and "model@" not in name
    }
    return [*first.items(), *last.items(), (TRUTH, systems[TRUTH])]


def quality_table(report: dict) -> str:
    """The anchors and the model without hints; the measures of realism that were taken."""
    rows = rows_without_hints(report)
    taken = [name for name in REALISM if any(name in row for _, row in rows)]
    headings = (*HEADINGS, *(REALISM[name][0] for name in taken))
    digits = (2, 3, 2, 1, *(REALISM[name][1] for name in taken))
    lines = [f"| {report['pictures']} pictures | {' | '.join(headings)} |", "|---|" + "--:|" * len(headings)]
    columns = dict(zip((*METRICS, *taken), digits, strict=True))
    return "\n".join(lines + [_line(name, row, columns) for name, row in rows])


def hints_table(report: dict) -> str:
    """The metrics, and likelihoods of a model that has them, by the number of hints."""
    by_count = {
        int(name.split("@")[1]): row for name, row in report["systems"].items() if name.startswith("model@")
    }
    counts = sorted(by_count)
    lines = [f"| hints | {' | '.join(map(str, counts))} |", "|---|" + "--:|" * len(counts)]
    for metric, heading, digits in (
        ("psnr", "PSNR dB", 2),
        ("ssim", "SSIM", 3),
        ("colorfulness", "colorfulness", 1),
        *((name, *about) for name, about in REALISM.items()),
        ("log_likelihood", "log-likelihood, nats", 3),
        ("log_likelihood_balanced", "the same, balanced", 3),
    ):
        if metric not in by_count[counts[0]]:
            continue
        cells = [f"{by_count[count][metric]:.{digits}f}" for count in counts]
        lines.append(f"| {heading} | {' | '.join(cells)} |")
    return "\n".join(lines)


def papers_table(report: dict) -> str:
    """The columns that papers on colouring print, and what is wanting for those that are empty."""
    rows = rows_without_hints(report)
    headings = [heading for heading, _, _ in PAPERS.values()]
    lines = [f"| {report['protocol']} | {' | '.join(headings)} |", "|---|" + "--:|" * len(headings)]
    digits = {name: n for name, (_, n, _) in PAPERS.items()}
    lines += [_line(name, row, digits) for name, row in rows]
    wanting: dict[str, list[str]] = {}
    for name, (heading, _, field) in PAPERS.items():
        if field and not any(name in row for _, row in rows):
            wanting.setdefault(field, []).append(heading)
    lines += [f"\n{' and '.join(names)}: set config.eval.{field}." for field, names in wanting.items()]
    expected = report["protocol_pictures"]
    if expected not in (0, report["pictures"]):
        lines.append(
            f"\nThe protocol has {expected} pictures and these are {report['pictures']}: not to be put beside "
            "what papers print."
        )
    return "\n".join(lines)


def all_tables(report: dict) -> str:
    """Those of a report, one after the other."""
    tables = [quality_table(report), hints_table(report)]
    return "\n\n".join([*tables, papers_table(report)] if report.get("protocol") else tables)


def _line(name: str, row: dict[str, float], digits: dict[str, int]) -> str:
    said = {
        metric: f"{row[metric]:.{n}f}"
        for metric, n in digits.items()
        if metric in row and (name != TRUTH or metric in OF_TRUTH)
    }
    return f"| {name} | {' | '.join(said.get(metric, '') for metric in digits)} |"
