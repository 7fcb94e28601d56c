"""Measuring a model on held-out pictures: the automatic protocol, PSNR@N hints, realism, picture grids.

PSNR@N follows the evaluation of iColoriT (Yun et al. 2023): shorter side to `eval.image_size`, centre crop, N hint
cells of 2 x 2 px drawn by a generator seeded with the picture's name, each revealing its mean ab; N = 0 is automatic
colorization. Everything is measured on 8-bit sRGB, a picture at a time, then averaged. Beside the model stand the
task's anchors: of colouring the gray picture, and the picture under its own mean ab (`one tint (oracle)`: it has seen
the truth, and PSNR alone puts it above most colorizers). Where `config.eval` names their weights, frozen networks judge
how real the colours look (`measures.judges`).
"""

import functools
import json
import pathlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, UInt8
from ml_collections import ConfigDict
from PIL import Image

from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.data.pipeline import make_eval_pictures
from hybridvit.hints.simulate import protocol_hints, to_hints
from hybridvit.inference.decode import vivid_ab
from hybridvit.measures import metrics
from hybridvit.measures.aligned import align_tables
from hybridvit.measures.grid_headings import draw_headings
from hybridvit.measures.judges import Looked, Tally, load_judges
from hybridvit.measures.likelihood import Cells, score_cells, summarize
from hybridvit.measures.tables import TRUTH, VIVID, all_tables
from hybridvit.models.prediction import Prediction
from hybridvit.objectives.bin_cross_entropy import log_rarity
from hybridvit.runtime.checkpoint import Checkpoints, resolve
from hybridvit.runtime.mesh import build_mesh, check_batch_size, put_batch
from hybridvit.tasks.task import Examined
from hybridvit.training.eval_step import make_eval_step
from hybridvit.training.inherit import inherit_model, is_weights_file, load_initial
from hybridvit.training.state import Networks, TrainState, abstract_state, build_networks
from hybridvit.training.validate import check_config, saved_config

Pictures = Sequence[tuple[str, UInt8[np.ndarray, "s s _"]]]  # 3 channels, or 4 of pairs


def make_evaluate(
    networks: Networks, config: ConfigDict, mesh: Mesh
) -> Callable[[Any, Array | None, Pictures, Sequence[int]], tuple[dict, list[UInt8[np.ndarray, "h w 3"]]]]:
    """The evaluation of a run: `evaluate(variables, bin_prior, pictures, hint_counts) -> (report, grid rows)`.

    Compiled once. `bin_prior` is the state's, None for what has no distribution. `pictures` all have the side
    `config.eval.image_size`. The report is JSON: mean of every metric by system (the task's anchors, `truth`,
    `model@N`, and `model, vivid` if `config.eval.vivid`), its standard error for PSNR, and each picture's PSNR;
    log-likelihoods of a network trained with bins.
    Grid rows are uint8 `[s, 3 s or 4 s, 3]` (input, prediction with the fewest hints, truth, confidence) of some
    pictures, evenly chosen. All processes make the call; each computes its part of every batch and all get the same
    report. Raises FileNotFoundError or ValueError, one line, for weights of judges that are asked for and not there.
    """
    task = networks.task
    judges = load_judges(config.eval)
    eval_step = make_eval_step(networks, config)
    replicated = NamedSharding(mesh, PartitionSpec())
    judging = jax.device_put(judges.params, replicated)

    def examine(pictures: Array, seeds: Array) -> Examined:
        return task.examine(jax.vmap(jax.random.key)(seeds), pictures.astype(jnp.float32) / 255)

    def look_at(judging: Any, rgb: Array, truth: Array) -> tuple[dict[str, Array], Looked]:
        rgb = metrics.to_uint8_grid(rgb)
        return measure(rgb, truth), judges.look(judging, rgb, truth)

    @functools.partial(jax.jit, out_shardings=replicated, static_argnames="vivid")
    def predict(
        judging: Any,
        variables: Any,
        bin_prior: Array | None,
        pictures: Array,
        seeds: Array,
        hints: Array | None,
        vivid: bool,
    ) -> tuple[dict[str, tuple[dict[str, Array], Looked]], Array, Array | None, Cells | None]:
        """Looks at the model's picture, by system; that picture, its confidence, and the likelihood of the truth."""
        examined = examine(pictures, seeds)
        rgb, chroma, logits, confidence = eval_step(variables, bin_prior, examined.luma, hints)
        cells = None
        if config.bins.weight > 0 and logits is not None:
            cells = score_cells(logits, examined.target)
        drawn = {"model": rgb}
        if vivid:
            if logits is None:
                raise ValueError(
                    "config.eval.vivid needs a model with a distribution of colours: set it to False"
                )
            ab = vivid_ab(Prediction(chroma, logits), log_rarity(bin_prior, config.bins))
            drawn[VIVID] = task.draw(examined.luma, ab / CHROMA_SCALE)
        looks = {name: look_at(judging, picture, examined.truth) for name, picture in drawn.items()}
        return looks, rgb, confidence, cells

    @functools.partial(jax.jit, out_shardings=replicated)
    def prepare(
        judging: Any, pictures: Array, seeds: Array
    ) -> tuple[dict[str, tuple[dict[str, Array], Looked]], Array, Array, Array]:
        """Looks at the anchors and the truth; the first anchor, the truth, and what is to be predicted."""
        examined = examine(pictures, seeds)
        systems = task.anchors(examined) | {TRUTH: examined.truth}
        looks = {name: look_at(judging, rgb, examined.truth) for name, rgb in systems.items()}
        return looks, next(iter(systems.values())), examined.truth, examined.target

    def evaluate(
        variables: Any, bin_prior: Array | None, pictures: Pictures, hint_counts: Sequence[int]
    ) -> tuple[dict, list]:
        hint_counts = sorted(set(hint_counts))
        values: dict[str, dict[str, list]] = {}
        cells: dict[str, list[Cells]] = {}
        tallies: dict[str, Tally] = {}
        all_names, rows = [], []
        shown = np.linspace(0, len(pictures) - 1, min(len(pictures), config.eval.grid_pictures)).astype(int)

        def collect(system: str, look: tuple[dict[str, Array], Looked], count: int) -> None:
            measured, looked = look
            for name, value in measured.items():
                values.setdefault(system, {}).setdefault(name, []).extend(np.asarray(value)[:count].tolist())
            tallies.setdefault(system, Tally()).add(looked, count)

        for start in range(0, len(pictures), config.eval.batch_size):
            part = [pictures[i] for i in range(start, min(start + config.eval.batch_size, len(pictures)))]
            names, pixels = [name for name, _ in part], np.stack([picture for _, picture in part])
            all_names += names
            short = config.eval.batch_size - len(part)  # the last batch is filled up with black, then cut
            pixels = np.concatenate([pixels, np.zeros((short, *pixels.shape[1:]), np.uint8)])
            seeds = np.array([zlib.crc32(name.encode()) for name in names] + [0] * short, np.uint32)
            batch = put_batch((_own_rows(pixels), _own_rows(seeds)), mesh)
            looks, start_from, truth, target = prepare(judging, *batch)
            for system, look in looks.items():
                collect(system, look, len(part))
            scaled = np.asarray(target) * CHROMA_SCALE  # what `to_hints` takes back
            for count in hint_counts:
                hints = None
                if config.model.hints:
                    hints = np.zeros((*pixels.shape[:3], task.channels + 1), np.float32)
                    for i, name in enumerate(names):
                        hints[i] = to_hints(*protocol_hints(scaled[i], name, count))
                    hints = put_batch(_own_rows(hints), mesh)
                vivid = config.eval.vivid and count == 0
                looks, rgb, confidence, scored = predict(judging, variables, bin_prior, *batch, hints, vivid)
                collect(f"model@{count}", looks.pop("model"), len(part))
                for system, look in looks.items():
                    collect(system, look, len(part))
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
            "view": config.eval.view,
            "colorfulness_variant": "Hasler-Suesstrunk 2003, signed",
            "protocol": config.eval.protocol,
            "protocol_pictures": config.eval.protocol_pictures,
            "systems": {
                system: _summary(value, values[TRUTH]) | tallies[system].verdict(tallies[TRUTH])
                for system, value in values.items()
            },
            "per_picture_psnr": {
                system: dict(zip(all_names, np.round(value["psnr"], 3).tolist(), strict=True))
                for system, value in values.items()
                if system != TRUTH
            },
        }
        return report, rows

    return evaluate


class Loaded(NamedTuple):
    """What is evaluated: config, weights, their prior, what they are, where the report goes by default."""

    config: ConfigDict
    mesh: Mesh
    networks: Networks
    variables: Any
    bin_prior: Array
    what: str
    name: str  # that of `Weights`
    folder: pathlib.Path


def evaluate_checkpoint(path: str, config: ConfigDict | None, output: str | None) -> None:
    """Evaluates weights and prints the tables (`--mode=eval`).

    `path` is a work folder or one checkpoint in it: its EMA weights; what the model and data are it says by itself, and
    a `config` replaces its data, eval and mesh sections. Or a .safetensors file, or "pretrained": then the model is
    the file's and all else is the config's. The report goes to the folder `output`, or to evaluation/ beside the
    checkpoints, or to runs/<config.name>/evaluation.
    """
    loaded = (_load_weights if is_weights_file(path) else _load_checkpoint)(path, config)
    section = loaded.config.eval
    evaluate = make_evaluate(loaded.networks, loaded.config, loaded.mesh)
    pictures = make_eval_pictures(loaded.config.data, section.image_size, section.view)
    report, rows = evaluate(loaded.variables, loaded.bin_prior, pictures, section.hint_counts)
    if jax.process_index() == 0:
        where = pathlib.Path(output) if output else loaded.folder / "evaluation"
        print_report(report, save_report(where, report | {"weights": loaded.name}, rows), loaded.what)


def _load_checkpoint(path: str, config: ConfigDict | None) -> Loaded:
    folder, step = resolve(path)
    with Checkpoints(folder) as checkpoints:
        run = checkpoints.read_run(step)
        saved = saved_config(run)
        if config is not None:
            saved.update({name: config[name] for name in ("data", "eval", "mesh")})
        mesh, networks, abstract = _build(saved)
        ema, _ = checkpoints.restore_part(step, "ema", abstract.ema)
        prior, _ = checkpoints.restore_part(step, "bin_prior", abstract.bin_prior)
    what = f"{path} at step {run['step']}"
    name = f"{saved.name} at step {run['step']}"
    return Loaded(saved, mesh, networks, ema, prior, what, name, pathlib.Path(folder).parent)


def _load_weights(path: str, config: ConfigDict | None) -> Loaded:
    if config is None:
        raise ValueError(
            f"{path} does not say what to measure it on: add --config, as "
            "--config=configs/protocols.py:coco_stuff --config.data.eval_dir=FOLDER"
        )
    config = config.copy_and_resolve_references()
    config.init_from = path
    config = inherit_model(config)
    mesh, networks, abstract = _build(config)
    variables, prior, name = load_initial(config, abstract)
    return Loaded(config, mesh, networks, variables, prior, name, name, pathlib.Path("runs") / config.name)


def _build(config: ConfigDict) -> tuple[Mesh, Networks, TrainState]:
    """What a config that can work describes; the state is abstract."""
    check_config(config)
    if config.eval.protocol and config.data.kind == "folder" and not config.data.eval_dir:
        raise ValueError(
            f"--config.data.eval_dir is empty: set it to the folder of the pictures of {config.eval.protocol}"
        )
    mesh = build_mesh(config.mesh.fsdp)
    check_batch_size("config.eval.batch_size", config.eval.batch_size, mesh)
    networks = build_networks(config)
    return mesh, networks, abstract_state(networks, mesh)


def print_report(report: dict, grid: pathlib.Path, what: str) -> None:
    """The tables, and where the rest is."""
    print(f"\n{what}\n\n{align_tables(all_tables(report))}\n\npicture grid  {grid}")
    print("              colours are guesses, some of them plainly wrong: see the truth beside them")


def measure(rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> dict[str, Float[Array, " b"]]:
    """The metrics of each picture; `rgb` is on the 8-bit grid."""
    return {
        "psnr": metrics.psnr(rgb, truth),
        "ssim": metrics.ssim(rgb, truth),
        "ciede2000": metrics.mean_ciede2000(rgb, truth),
        "colorfulness": metrics.colorfulness(rgb),
        "colorfulness_unsigned": metrics.colorfulness(rgb, unsigned=True),
    }


def _own_rows(batch: np.ndarray) -> np.ndarray:
    """This process's rows of a batch that all processes have."""
    size = len(batch) // jax.process_count()
    return batch[jax.process_index() * size :][:size]


def _summary(values: dict[str, list], truth: dict[str, list]) -> dict[str, float]:
    """Means over pictures; and how far colorfulness is from the truth's, by the two ways that papers reckon it."""
    apart = np.array(values["colorfulness_unsigned"]) - truth["colorfulness_unsigned"]
    return {name: float(np.mean(value)) for name, value in values.items()} | {
        "delta_cf": float(np.abs(apart.mean())),
        "delta_cf_pictures": float(np.abs(apart).mean()),
        "psnr_sem": float(np.std(values["psnr"]) / np.sqrt(len(values["psnr"]))),
    }


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


def save_report(folder: pathlib.Path, report: dict, rows: list[UInt8[np.ndarray, "h w 3"]]) -> pathlib.Path:
    """Writes report.json, report.md and grid.png into `folder`; returns the grid's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    (folder / "report.md").write_text(f"{all_tables(report)}\n")
    path = folder / "grid.png"
    heading = draw_headings(rows[0].shape[1] // len(rows[0]), len(rows[0]))
    Image.fromarray(np.concatenate([heading, *rows])).save(path)
    return path
