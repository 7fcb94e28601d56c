"""Measuring a model on held-out pictures: the automatic protocol, PSNR@N hints, tables and picture grids.

PSNR@N follows the evaluation of iColoriT (Yun et al. 2023): shorter side to `eval.image_size`, centre crop, N hint
cells of 2 x 2 px drawn by a generator seeded with the picture's name, each revealing its mean ab; N = 0 is automatic
colorization. Everything is measured on 8-bit sRGB, a picture at a time, then averaged. Beside the model stand the
task's anchors: of colouring the gray picture, and the picture under its own mean ab (`one tint (oracle)`: it has seen
the truth, and PSNR alone puts it above most colorizers).
"""

import functools
import json
import pathlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, UInt8
from ml_collections import ConfigDict
from PIL import Image

from hybridvit import metrics
from hybridvit.checkpoint import Checkpoints, resolve
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.data.pipeline import make_eval_pictures
from hybridvit.hints.simulate import protocol_hints, to_hints
from hybridvit.likelihood import Cells, score_cells, summarize
from hybridvit.mesh import build_mesh, check_batch_size, put_batch
from hybridvit.state import Networks, abstract_state, build_networks
from hybridvit.step import make_eval_step
from hybridvit.tasks.task import Examined
from hybridvit.validate import check_config, saved_config

METRICS = ("psnr", "ssim", "ciede2000", "colorfulness")
HEADINGS = ("PSNR dB", "SSIM", "CIEDE2000", "colorfulness")
TRUTH = "truth"
Pictures = Sequence[tuple[str, UInt8[np.ndarray, "s s _"]]]  # 3 channels, or 4 of pairs


def make_evaluate(
    networks: Networks, config: ConfigDict, mesh: Mesh
) -> Callable[[Any, Array | None, Pictures, Sequence[int]], tuple[dict, list[UInt8[np.ndarray, "h w 3"]]]]:
    """The evaluation of a run: `evaluate(variables, bin_prior, pictures, hint_counts) -> (report, grid rows)`.

    Compiled once. `bin_prior` is the state's, None for what has no distribution. `pictures` all have the side
    `config.eval.image_size`. The report is JSON: mean of every metric by system (the task's anchors, `truth`,
    `model@N`), its standard error for PSNR, and each picture's PSNR; log-likelihoods of a network trained with bins.
    Grid rows are uint8 `[s, 3 s or 4 s, 3]` (input, prediction with the fewest hints, truth, confidence) of some
    pictures, evenly chosen. All processes make the call; each computes its part of every batch and all get the same
    report.
    """
    task = networks.task
    eval_step = make_eval_step(networks, config)
    replicated = NamedSharding(mesh, PartitionSpec())

    def examine(pictures: Array, seeds: Array) -> Examined:
        return task.examine(jax.vmap(jax.random.key)(seeds), pictures.astype(jnp.float32) / 255)

    @functools.partial(jax.jit, out_shardings=replicated)
    def predict(
        variables: Any, bin_prior: Array | None, pictures: Array, seeds: Array, hints: Array | None
    ) -> tuple[dict[str, Array], Array, Array | None, Cells | None]:
        examined = examine(pictures, seeds)
        rgb, logits, confidence = eval_step(variables, bin_prior, examined.luma, hints)
        cells = None
        if config.bins.weight > 0 and logits is not None:
            cells = score_cells(logits, examined.target)
        return measure(rgb, examined.truth), rgb, confidence, cells

    @functools.partial(jax.jit, out_shardings=replicated)
    def prepare(pictures: Array, seeds: Array) -> tuple[dict[str, dict[str, Array]], Array, Array, Array]:
        """Metrics of the anchors; the first anchor, the truth, and what is to be predicted."""
        examined = examine(pictures, seeds)
        systems = task.anchors(examined) | {TRUTH: examined.truth}
        measured = {name: measure(rgb, examined.truth) for name, rgb in systems.items()}
        return measured, next(iter(systems.values())), examined.truth, examined.target

    def evaluate(
        variables: Any, bin_prior: Array | None, pictures: Pictures, hint_counts: Sequence[int]
    ) -> tuple[dict, list]:
        hint_counts = sorted(set(hint_counts))
        values: dict[str, dict[str, list]] = {}
        cells: dict[str, list[Cells]] = {}
        all_names, rows = [], []
        shown = np.linspace(0, len(pictures) - 1, min(len(pictures), config.eval.grid_pictures)).astype(int)

        def collect(system: str, measured: dict[str, Array], count: int) -> None:
            for name, value in measured.items():
                values.setdefault(system, {}).setdefault(name, []).extend(np.asarray(value)[:count].tolist())

        for start in range(0, len(pictures), config.eval.batch_size):
            part = [pictures[i] for i in range(start, min(start + config.eval.batch_size, len(pictures)))]
            names, pixels = [name for name, _ in part], np.stack([picture for _, picture in part])
            all_names += names
            short = config.eval.batch_size - len(part)  # the last batch is filled up with black, then cut
            pixels = np.concatenate([pixels, np.zeros((short, *pixels.shape[1:]), np.uint8)])
            seeds = np.array([zlib.crc32(name.encode()) for name in names] + [0] * short, np.uint32)
            batch = put_batch((_own_rows(pixels), _own_rows(seeds)), mesh)
            measured, start_from, truth, target = prepare(*batch)
            for system in measured:
                collect(system, measured[system], len(part))
            scaled = np.asarray(target) * CHROMA_SCALE  # what `to_hints` takes back
            for count in hint_counts:
                hints = None
                if config.model.hints:
                    hints = np.zeros((*pixels.shape[:3], task.channels + 1), np.float32)
                    for i, name in enumerate(names):
                        hints[i] = to_hints(*protocol_hints(scaled[i], name, count))
                    hints = put_batch(_own_rows(hints), mesh)
                measured, rgb, confidence, scored = predict(variables, bin_prior, *batch, hints)
                collect(f"model@{count}", measured, len(part))
                if scored is not None:
                    kept = Cells(*(np.asarray(x)[: len(part)] for x in scored))
                    cells.setdefault(f"model@{count}", []).append(kept)
                if count == hint_counts[0]:
                    panels = (start_from, rgb, truth) + (() if confidence is None else (confidence,))
                    rows += [
                        grid_row(*(np.asarray(panel[i]) for panel in panels))
                        for i in range(len(part))
                        if start + i in shown
                    ]
        for system, parts in cells.items():
            values[system] |= summarize(Cells(*map(np.concatenate, zip(*parts, strict=True))))
        report = {
            "pictures": len(pictures),
            "image_size": config.eval.image_size,
            "colorfulness_variant": "Hasler-Suesstrunk 2003, signed",
            "systems": {system: _summary(value) for system, value in values.items()},
            "per_picture_psnr": {
                system: dict(zip(all_names, np.round(value["psnr"], 3).tolist(), strict=True))
                for system, value in values.items()
                if system != TRUTH
            },
        }
        return report, rows

    return evaluate


def evaluate_checkpoint(path: str, config: ConfigDict | None, output: str | None) -> None:
    """Evaluates the EMA weights of the checkpoint at `path` and prints the tables (`--mode=eval`).

    The checkpoint says by itself what its model and data are; a `config` replaces its data, eval and mesh sections.
    The report goes to the folder `output`, or to evaluation/ beside the checkpoints.
    """
    folder, step = resolve(path)
    with Checkpoints(folder) as checkpoints:
        run = checkpoints.read_run(step)
        saved = saved_config(run)
        if config is not None:
            saved.update({name: config[name] for name in ("data", "eval", "mesh")})
        check_config(saved)
        mesh = build_mesh(saved.mesh.fsdp)
        check_batch_size("config.eval.batch_size", saved.eval.batch_size, mesh)
        networks = build_networks(saved)
        abstract = abstract_state(networks, mesh)
        ema, _ = checkpoints.restore_part(step, "ema", abstract.ema)
        prior, _ = checkpoints.restore_part(step, "bin_prior", abstract.bin_prior)
    pictures = make_eval_pictures(saved.data, saved.eval.image_size)
    report, rows = make_evaluate(networks, saved, mesh)(ema, prior, pictures, saved.eval.hint_counts)
    if jax.process_index() == 0:
        where = pathlib.Path(output) if output else pathlib.Path(folder).parent / "evaluation"
        print_report(report, save_report(where, report, rows), f"{path} at step {run['step']}")


def print_report(report: dict, grid: pathlib.Path, what: str) -> None:
    """The tables, and where the rest is."""
    print(f"\n{what}\n\n{quality_table(report)}\n\n{hints_table(report)}\n\npicture grid  {grid}")


def measure(rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> dict[str, Float[Array, " b"]]:
    """The metrics of each picture, on the 8-bit grid."""
    rgb = metrics.to_uint8_grid(rgb)
    return {
        "psnr": metrics.psnr(rgb, truth),
        "ssim": metrics.ssim(rgb, truth),
        "ciede2000": metrics.mean_ciede2000(rgb, truth),
        "colorfulness": metrics.colorfulness(rgb),
    }


def _own_rows(batch: np.ndarray) -> np.ndarray:
    """This process's rows of a batch that all processes have."""
    size = len(batch) // jax.process_count()
    return batch[jax.process_index() * size :][:size]


def _summary(values: dict[str, list]) -> dict[str, float]:
    summary = {name: float(np.mean(value)) for name, value in values.items()}
    return summary | {"psnr_sem": float(np.std(values["psnr"]) / np.sqrt(len(values["psnr"])))}


def grid_row(
    given: Float[np.ndarray, "s s 3"],
    rgb: Float[np.ndarray, "s s 3"],
    truth: Float[np.ndarray, "s s 3"],
    confidence: Float[np.ndarray, "s8 s8"] | None = None,
) -> UInt8[np.ndarray, "s columns 3"]:
    """Input | prediction | truth | confidence (white: sure), if there is one, of one picture."""
    panels = [np.rint(panel * 255).astype(np.uint8) for panel in (given, rgb, truth)]
    if confidence is not None:
        sure = Image.fromarray(np.rint(confidence * 255).astype(np.uint8))
        sure = np.asarray(sure.resize(truth.shape[:2], Image.NEAREST))
        panels.append(np.repeat(sure[..., None], 3, -1))
    return np.concatenate(panels, 1)


def quality_table(report: dict) -> str:
    """The anchors and the model without hints, as a Markdown table."""
    systems = report["systems"]
    rows = [(name, row) for name, row in systems.items() if name != TRUTH and not name.startswith("model@")]
    rows += [("model", systems["model@0"])] if "model@0" in systems else []
    rows += [(TRUTH, systems[TRUTH])]
    digits = (2, 3, 2, 1)
    lines = [f"| {report['pictures']} pictures | {' | '.join(HEADINGS)} |", "|---|" + "--:|" * len(METRICS)]
    for name, row in rows:
        cells = [f"{row[metric]:.{n}f}" for metric, n in zip(METRICS, digits, strict=True)]
        if name == TRUTH:
            cells[:3] = "", "", ""
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def hints_table(report: dict) -> str:
    """The metrics, and likelihoods of a model that has them, by the number of hints, as a Markdown table."""
    by_count = {
        int(name.split("@")[1]): row for name, row in report["systems"].items() if name.startswith("model@")
    }
    counts = sorted(by_count)
    lines = [f"| hints | {' | '.join(map(str, counts))} |", "|---|" + "--:|" * len(counts)]
    for metric, heading, digits in (
        ("psnr", "PSNR dB", 2),
        ("ssim", "SSIM", 3),
        ("colorfulness", "colorfulness", 1),
        ("log_likelihood", "log-likelihood, nats", 3),
        ("log_likelihood_balanced", "the same, balanced", 3),
    ):
        if metric not in by_count[counts[0]]:
            continue
        cells = [f"{by_count[count][metric]:.{digits}f}" for count in counts]
        lines.append(f"| {heading} | {' | '.join(cells)} |")
    return "\n".join(lines)


def save_report(folder: pathlib.Path, report: dict, rows: list[UInt8[np.ndarray, "h w 3"]]) -> pathlib.Path:
    """Writes report.json, report.md and grid.png into `folder`; returns the grid's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    (folder / "report.md").write_text(f"{quality_table(report)}\n\n{hints_table(report)}\n")
    path = folder / "grid.png"
    Image.fromarray(np.concatenate(rows)).save(path)
    return path
