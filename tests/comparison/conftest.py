"""A comparison that was never run: two networks, a method, and one that failed."""

import json
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from configs import compare
from hybridvit.comparison.systems import System, build_systems

SIZE, NAMES = 16, ("set/a.png", "set/b.png", "set/c.png")
PSNR = {"gray": (20.0, 21.0, 22.0), "one tint (oracle)": (25.0, 26.0, 28.0)}


@pytest.fixture
def config() -> ConfigDict:
    config = compare.get_config("bundled")
    config.classical = ("levin",)
    return config


@pytest.fixture
def systems(config: ConfigDict, tmp_path: pathlib.Path) -> list[System]:
    return build_systems(config, tmp_path)


@pytest.fixture
def write_run() -> Callable[..., dict]:
    """`write_run(system, {hints: PSNR of each picture}, colorfulness) -> outcome`, with its files."""

    def write(
        system: System, psnr: dict[int, tuple[float, ...]], colorfulness: float, shade: int = 100
    ) -> dict:
        names = {**PSNR, **{f"model@{count}": values for count, values in psnr.items()}}
        rows = {
            name: {
                "psnr": float(np.mean(values)),
                "ssim": 0.9,
                "ciede2000": 10.0,
                "colorfulness": 0.0 if name == "gray" else colorfulness,
                "psnr_sem": float(np.std(values) / np.sqrt(len(values))),
            }
            for name, values in names.items()
        }
        rows["truth"] = {**rows["gray"], "psnr": 50.0, "colorfulness": 40.0}
        report = {
            "pictures": len(NAMES),
            "image_size": SIZE,
            "systems": rows,
            "per_picture_psnr": {
                name: dict(zip(NAMES, values, strict=True)) for name, values in names.items()
            },
        }
        grid = np.zeros((2 * SIZE, 3 * SIZE, 3), np.uint8)
        grid[:, :SIZE], grid[:, SIZE : 2 * SIZE], grid[:, 2 * SIZE :] = 50, shade, 200
        for name in ("evaluation", "evaluation-hinted"):
            (system.folder / name).mkdir(parents=True)
            (system.folder / name / "report.json").write_text(json.dumps(report))
            Image.fromarray(grid).save(system.folder / name / "grid.png")
        return {
            "status": "done",
            "cost": {"parameters": None, "gflops": None, "milliseconds": 12.345}
            if system.method
            else {"parameters": 2_560_000, "gflops": 0.5, "milliseconds": 1234.5},
            "plan": None if system.method else {"steps": 1500, "images": 48000, "seconds_per_step": 0.6},
            "takes_hints": bool(system.method) or system.config.model.hints,
            "process_minutes": 17.25,
            "date": "2026-01-02",
            "machine": "A processor, 2 cores",
            "versions": "hybridvit 0",
        }

    return write
