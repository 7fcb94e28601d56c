"""The training run: start or resume, step, log, evaluate, save, stop when told.

Everything that a killed run needs to go on is in its work folder:

    config.json     the config of the last start
    parameters.txt  the model's, each with its shape
    checkpoints/    state, config, data position, versions, a digest of every array
    tensorboard/    scalars, picture grids, the config as text, a trace of some steps if `config.train.profile`
    metrics.jsonl   the same scalars, a line a step
    lock            held by the run at work in it
    tracker.json    which run of MLflow or W&B this is, with `config.train.tracker`; mlruns/, wandb/ are theirs
    evaluation/     report.json, report.md, grid.png of the last evaluation
"""

import contextlib
import dataclasses
import functools
import importlib.metadata
import pathlib
from typing import Any

import jax
import numpy as np
from absl import logging
from clu import parameter_overview
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, UInt32
from ml_collections import ConfigDict
from tqdm import tqdm

from hybridvit.data.pipeline import make_eval_pictures, make_train_dataset, make_train_iterator
from hybridvit.evaluate import make_evaluate, print_report, save_report
from hybridvit.extras import needing
from hybridvit.inference.embedding_weights import load_embedding
from hybridvit.models.autoencoder import classifier_of
from hybridvit.models.encoder_weights import for_gray, load_encoder_weights
from hybridvit.models.hybrid_conv_vit import VARIANTS
from hybridvit.objectives.term import Metrics
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.lock import lock_folder
from hybridvit.runtime.mesh import batch_sharding, build_mesh, check_batch_size, kernel_mesh, put_batch
from hybridvit.runtime.profiling import Profile
from hybridvit.runtime.revision import git_revision
from hybridvit.runtime.stop import StopSignal
from hybridvit.runtime.trackers import Tracker, open_tracker
from hybridvit.runtime.writer import Writer
from hybridvit.training.cycle_step import make_cycle_step
from hybridvit.training.growing import grow_batch
from hybridvit.training.inherit import inherit_model, load_initial
from hybridvit.training.phases import Phase, phase_at, plan_phases
from hybridvit.training.state import Networks, TrainState, abstract_state, build_networks, create_state
from hybridvit.training.step import Batch, make_train_step
from hybridvit.training.validate import check_config
from hybridvit.version import VERSION

PACKAGES = ("jax", "flax", "optax", "orbax-checkpoint", "grain")
BUNDLED = """\
This run shows that everything works, no more: five photographs teach nothing beyond themselves. In the grid of ours a
black helmet came out orange and a red cup brown."""


class DivergedError(RuntimeError):
    """Too many steps in a row had a non-finite loss."""


def train(config: ConfigDict, workdir: pathlib.Path) -> bool:
    """Runs `config` in `workdir` from wherever it stands to `config.train.steps`, and prints what came out.

    SIGTERM or Ctrl-C saves a checkpoint and returns: False, for there is more to do. Raises ValueError or
    FileNotFoundError for a config that cannot work, DivergedError for a loss that stays non-finite.
    """
    config = inherit_model(config)
    check_config(config)
    mesh = build_mesh(config.mesh.fsdp)
    check_batch_sizes(config, mesh)
    networks = build_networks(config)
    abstract = abstract_state(networks, mesh)
    phases = plan_phases(config)
    step_of = functools.cache(lambda phase: jit_train_step(networks, config, abstract, mesh, phase))
    seed, is_first = seed_of(config), jax.process_index() == 0
    with contextlib.ExitStack() as stack:
        if is_first:
            stack.enter_context(lock_folder(workdir))
        dataset = make_train_dataset(config.data, config.seed, jax.process_index(), jax.process_count())
        pictures = make_eval_pictures(config.data, config.eval.image_size, config.eval.view)
        evaluate = make_evaluate(networks, config, mesh)
        checkpoints = stack.enter_context(
            Checkpoints(workdir / "checkpoints", config.train.keep_last, config.train.best_metric)
        )
        state = start_state(config, networks, mesh, abstract, checkpoints)
        start = int(state.step)
        kind = config.train.tracker
        with needing(kind, f"config.train.tracker={kind} needs"):  # the extra has its name
            tracker = open_tracker(kind, workdir, config.name) if is_first else None
        writer = stack.enter_context(Writer(workdir, start, is_first, tracker))
        writer.text("config", config_text(config))
        writer.config(config.to_dict(), about_run())
        if is_first:
            (workdir / "config.json").write_text(config.to_json(indent=2))
            overview = parameter_overview.get_parameter_overview(abstract.params, include_stats=False)
            (workdir / "parameters.txt").write_text(f"{overview}\n")
            print(summary(config, abstract, workdir, tracker), flush=True)
        put = functools.partial(put_batch, mesh=mesh)
        batches = stack.enter_context(
            contextlib.closing(make_train_iterator(dataset, config.data, start, put))
        )
        profile = stack.enter_context(
            Profile(workdir / "tensorboard", start, config.train.steps, config.train.profile and is_first)
        )
        stop = stack.enter_context(StopSignal())
        bar = stack.enter_context(
            tqdm(total=config.train.steps, initial=start, unit="step", disable=not is_first, smoothing=0.1)
        )
        for step in range(start + 1, config.train.steps + 1):
            train_step = step_of(phase_at(phases, step - 1))
            profile.before(step, state)
            with jax.profiler.StepTraceAnnotation("train", step_num=step):
                state, metrics = train_step(state, next(batches), seed)
            profile.after(step, state)
            bar.update()
            last = step == config.train.steps
            if last or step % config.train.log_every == 0:
                metrics = {name: float(value) for name, value in metrics.items()}
                writer.scalars(step, metrics | {"learning_rate": float(networks.schedule(step - 1))})
                bar.set_postfix_str(f"loss {metrics['loss']:.3f}, skipped {metrics['skipped']:.0f}")
                check_finite(config, metrics)
            scores = None
            if last or step % config.train.eval_every == 0:
                report, rows = evaluate(state.ema, state.bin_prior, pictures, (0,))
                scores = report["systems"]["model@0"]
                writer.scalars(step, {f"eval/{name}": value for name, value in scores.items()})
                writer.images(step, "eval/grid", np.concatenate(rows))
            stopped = stop.requested(step)
            due = (
                step % config.train.checkpoint_every == 0 and not state.skipped_in_row
            )  # it may be past saving
            if last or stopped or due:
                checkpoints.save(step, state, describe_run(config, step), scores)
                writer.checkpoint(step, workdir / "checkpoints" / str(step))
            if stopped and not last:
                checkpoints.wait()
                writer.end("stopped")
                bar.close()
                if is_first:
                    print(f"Stopped at step {step}, saved in {workdir}; the same command goes on from there.")
                return False
        checkpoints.wait()
        bar.close()
        report, rows = evaluate(state.ema, state.bin_prior, pictures, config.eval.hint_counts)
        if is_first:
            what = f"{config.name} at step {int(state.step)}"
            grid = save_report(workdir / "evaluation", report | {"weights": what}, rows)
            print_report(report, grid, what)
            print(f"checkpoint    {workdir / 'checkpoints' / str(int(state.step))}")
            print(f"TensorBoard   {workdir / 'tensorboard'}")
            if config.data.kind == "bundled" and config.task == "colorize":
                print(BUNDLED)
        writer.end("finished")
    return True


def summary(
    config: ConfigDict, abstract: TrainState, workdir: pathlib.Path, tracker: Tracker | None = None
) -> str:
    """What is trained, on what, and where all of it stands: a few lines before the first step."""
    count = sum(leaf.size for leaf in jax.tree.leaves(abstract.params))
    data, side = config.data, config.data.image_size
    gray = f" and {data.unlabeled_batch_size} gray" if data.unlabeled_batch_size else ""
    cache = config.runtime.compilation_cache
    kept = f"; the next start finds it in {cache}" if cache else ""
    lines = {
        "run": config.name,
        "model": f"{config.model.name} {config.model.variant}, {count:,} parameters",
        "data": f"{data.kind}: {data.batch_size} colour{gray} pictures of {side} x {side} px a step",
        "steps": f"{config.train.steps:,}, measured every {config.train.eval_every:,}",
        "whole config": f"{workdir / 'config.json'}",
        **({"tracker": tracker.place} if tracker else {}),
        "compiling": f"before the first step, which can take minutes{kept}",
    }
    return "\n".join(f"{name:12}  {line}" for name, line in lines.items())


def check_batch_sizes(config: ConfigDict, mesh: Mesh) -> None:
    """Raises ValueError, naming the field, if a batch does not divide over microbatches and devices."""
    fields = {"data.batch_size": config.data.batch_size}
    if config.data.unlabeled_batch_size:
        fields["data.unlabeled_batch_size"] = config.data.unlabeled_batch_size
    for name, size in fields.items():
        count = config.optim.accumulate
        if size % count:
            raise ValueError(
                f"config.{name}={size} does not divide into config.optim.accumulate={count} microbatches"
            )
        check_batch_size(f"config.{name} (over config.optim.accumulate)", size // count, mesh)
    check_batch_size("config.eval.batch_size", config.eval.batch_size, mesh)


def jit_train_step(
    networks: Networks, config: ConfigDict, abstract: TrainState, mesh: Mesh, phase: Phase | None = None
) -> Any:
    """The train step compiled for the mesh; the old state's memory is reused for the new one.

    That of a `phase` of the run; None: the last one. Its third argument is what `seed_of` gives, so that the compiled
    program of one seed is every seed's.
    """
    phase = phase or plan_phases(config)[-1]
    cycle = config.cycle.weight > 0
    step = make_cycle_step(networks, config) if cycle else make_train_step(networks, config, phase.restoring)

    def train_step(state: TrainState, batch: Batch, seed: UInt32[Array, ""]) -> tuple[TrainState, Metrics]:
        with kernel_mesh(mesh):
            return step(state, grow_batch(batch, phase.stage, state.step), seed)

    shardings = jax.tree.map(lambda x: x.sharding, abstract)
    everywhere = NamedSharding(mesh, PartitionSpec())
    return jax.jit(
        train_step,
        in_shardings=(shardings, batch_sharding(mesh), everywhere),
        out_shardings=(shardings, everywhere),
        donate_argnums=0,
    )


def seed_of(config: ConfigDict) -> np.uint32:
    """What a jitted train step draws from, as its program takes it."""
    return np.uint32(config.seed)


def start_state(
    config: ConfigDict, networks: Networks, mesh: Mesh, abstract: TrainState, checkpoints: Checkpoints
) -> TrainState:
    """The last sound checkpoint's state; else a fresh one, with the weights of `config.init_from` if named."""
    if checkpoints.latest_step is not None:
        state, run = checkpoints.restore(None, abstract)
        changes = changed_fields(run["config"], config.to_dict())
        if jax.process_index() == 0:
            print(f"Resuming at step {int(state.step)} of {config.train.steps}.")
        if changes:
            logging.warning("the config has changed since this run was saved: %s", "; ".join(changes))
        return state
    # Read before the state is made, which takes a while: what is wrong with them is said at once
    encoder = read_encoder(config.model) if config.model.encoder_weights and not config.init_from else None
    state = create_state(networks, mesh, config.seed)
    if "classifier" in state.stats:
        state = with_classifier(state, config.model)
    if encoder is not None:
        return with_encoder(state, encoder)
    if not config.init_from:
        return state
    ema, prior, what = load_initial(config, abstract)
    if jax.process_index() == 0:
        print(f"Starting from {what}.")
    return dataclasses.replace(state, params=jax.tree.map(lambda x: x.copy(), ema), ema=ema, bin_prior=prior)


def with_classifier(state: TrainState, config: ConfigDict) -> TrainState:
    """The state with the frozen classifier's weights, from the section `model`; raises as `load_embedding`."""
    weights = load_embedding(classifier_of(config.variant), config.embedding)
    placed = jax.tree.map(
        lambda new, old: jax.device_put(new, old.sharding), weights, state.stats["classifier"]
    )
    both = {"classifier": placed}
    return dataclasses.replace(
        state, stats=state.stats | both, ema=state.ema | jax.tree.map(lambda x: x.copy(), both)
    )


def read_encoder(config: ConfigDict) -> dict[str, Any]:
    """The weights named by the section `model`, for luma alone; raises as `load_encoder_weights`."""
    if config.name != "HybridConvViT" or not VARIANTS[config.variant].encoder:
        raise ValueError(
            f"config.model.encoder_weights={config.encoder_weights!r}: {config.name} {config.variant} has no such "
            "encoder: set it to an empty string, or config.model.variant to Lite0, Lite2 or Lite4"
        )
    weights = load_encoder_weights(config.encoder_weights, VARIANTS[config.variant].encoder)
    if jax.process_index() == 0:
        print(f"The encoder starts from {config.encoder_weights}.")
    return for_gray(weights)


def with_encoder(state: TrainState, weights: dict[str, Any]) -> TrainState:
    """The state with the pretrained encoder's weights."""
    old = state.params["half"]["encoder"]
    placed = jax.tree.map(lambda new, old: jax.device_put(new, old.sharding), weights, old)
    with_it = lambda tree: tree | {"half": tree["half"] | {"encoder": placed}}  # noqa: E731
    return dataclasses.replace(
        state, params=with_it(state.params), ema=jax.tree.map(lambda x: x.copy(), with_it(state.ema))
    )


def changed_fields(old: dict, new: dict, prefix: str = "config.") -> list[str]:
    """`config.a.b: 1 -> 2` for every field that differs between two nested dicts."""
    changes = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            changes += changed_fields(before, after, f"{prefix}{name}.")
        elif (list(before) if isinstance(before, tuple) else before) != (
            list(after) if isinstance(after, tuple) else after
        ):
            changes.append(f"{prefix}{name}: {before} -> {after}")
    return changes


def describe_run(config: ConfigDict, step: int) -> dict:
    """What a checkpoint says of itself, as JSON: config, step, data position, versions."""
    return {
        "config": config.to_dict(),
        "step": step,
        "data": {"next_batch": step, "seed": config.seed},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def about_run() -> dict[str, str]:
    """Which code it is, for a tracker."""
    revision = git_revision()
    about = {"software": f"hybridvit {VERSION}"}
    return about | {"git_revision": revision} if revision else about


def config_text(config: ConfigDict) -> str:
    """The config as Markdown that TensorBoard shows verbatim."""
    return "".join(f"    {line}\n" for line in str(config).splitlines())


def check_finite(config: ConfigDict, metrics: dict[str, float]) -> None:
    """Raises DivergedError when too many steps in a row were skipped."""
    skipped = int(metrics["skipped_in_row"])
    if skipped >= config.train.max_skipped:
        raise DivergedError(
            f"the loss was not finite in the last {skipped} steps (config.train.max_skipped="
            f"{config.train.max_skipped}): lower config.optim.learning_rate, or look at the data; "
            "the last checkpoint is sound"
        )
