import pytest

from hybridvit.measures.tables import TRUTH, VIVID, all_tables, hints_table, papers_table, quality_table
from hybridvit.tasks.colorize import GRAY, TINT


@pytest.fixture
def report() -> dict:
    row = {"psnr": 20.123, "ssim": 0.91234, "ciede2000": 9.876, "colorfulness": 12.34, "psnr_sem": 0.5}
    row |= {"colorfulness_unsigned": 11.119, "delta_cf": 3.456, "delta_cf_pictures": 5.0}
    systems = {GRAY: row | {"colorfulness": 0.0}, TINT: row, TRUTH: row | {"psnr": 50.0}}
    return {"pictures": 7, "systems": systems | {"model@10": row, "model@0": row | {"psnr": 21.0}}}


def test_tables(report):
    assert quality_table(report).splitlines() == [
        "| 7 pictures | PSNR dB | SSIM | CIEDE2000 | colorfulness |",
        "|---|--:|--:|--:|--:|",
        "| gray | 20.12 | 0.912 | 9.88 | 0.0 |",
        "| one tint (oracle) | 20.12 | 0.912 | 9.88 | 12.3 |",
        "| model | 21.00 | 0.912 | 9.88 | 12.3 |",
        "| truth |  |  |  | 12.3 |",
    ]
    assert hints_table(report).splitlines() == [
        "| hints | 0 | 10 |",
        "|---|--:|--:|",
        "| PSNR dB | 21.00 | 20.12 |",
        "| SSIM | 0.912 | 0.912 |",
        "| colorfulness | 12.3 | 12.3 |",
    ]
    assert all_tables(report) == f"{quality_table(report)}\n\n{hints_table(report)}"
    del report["systems"]["model@0"]
    assert "model" not in quality_table(report)


def test_measures_of_realism_where_they_were_taken(report):
    for name, row in report["systems"].items():
        row |= {"top1": 1.0, "fed": 0.0} if name == TRUTH else {"top1": 0.75, "fed": 12.345}
    report["systems"] = {name: dict(row) for name, row in report["systems"].items()}
    report["systems"][TRUTH] |= {"top1": 1.0, "fed": 0.0}
    report["systems"][VIVID] = dict(report["systems"]["model@0"], top1=0.8)
    assert quality_table(report).splitlines() == [
        "| 7 pictures | PSNR dB | SSIM | CIEDE2000 | colorfulness | top1 | fed |",
        "|---|--:|--:|--:|--:|--:|--:|",
        "| gray | 20.12 | 0.912 | 9.88 | 0.0 | 0.750 | 12.35 |",
        "| one tint (oracle) | 20.12 | 0.912 | 9.88 | 12.3 | 0.750 | 12.35 |",
        "| model | 21.00 | 0.912 | 9.88 | 12.3 | 0.750 | 12.35 |",
        "| model, vivid | 21.00 | 0.912 | 9.88 | 12.3 | 0.800 | 12.35 |",
        "| truth |  |  |  | 12.3 | 1.000 |  |",
    ]
    assert "| top1 | 0.750 | 0.750 |" in hints_table(report)


def test_the_columns_of_papers(report):
    report |= {"protocol": "COCO-Stuff val5k", "protocol_pictures": 7}
    for row in report["systems"].values():
        row["fid"] = 4.321
    lines = papers_table(report).splitlines()
    assert lines[0] == (
        "| COCO-Stuff val5k | FID | CF | ΔCF | ΔCF by picture | PSNR | SSIM | LPIPS | top1 | fed |"
    )
    assert lines[4] == "| model | 4.32 | 11.12 | 3.46 | 5.00 | 21.00 | 0.912 |  |  |  |"
    assert lines[5] == "| truth |  | 11.12 |  |  |  |  |  |  |  |"
    assert [line for line in lines[6:] if line] == [
        "LPIPS: set config.eval.lpips_backbone and lpips_linear.",
        "top1 and fed: set config.eval.classifier.",
    ]
    assert all_tables(report).endswith(papers_table(report))


def test_a_part_of_the_test_set_is_said_to_be_one(report):
    report |= {"protocol": "ADE20K val", "protocol_pictures": 2000}
    assert "The protocol has 2000 pictures and these are 7" in papers_table(report)
