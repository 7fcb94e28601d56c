"""Does a rewrite of the training step change what is learnt? Every recipe's first steps, bit for bit.

    python -m tests.benchmarks.identical record steps.json     # in the checkout before (also in one of 0.1, see below)
    python -m tests.benchmarks.identical compare steps.json    # in the checkout after

A recipe is a variant of a file of `configs/` or a system of those that compare several; what is the same to the step is
run once. Each is made tiny and takes three steps on pictures drawn from a seed; written down are its config, every
metric, and a digest of every field of the state. `compare` takes the same steps with the configs of the file, says
where numbers first differ, and exits with 1 if any do.

XLA fuses, contracts and reorders by what stands around an operation, so that equal formulas in another program round
otherwise. Therefore the step is traced and each of its operations runs as a program of its own: what is left are the
operations and their order. `--only NAME ..` takes the recipes whose names begin so.

Checkouts of 0.1 lack this file: `PYTHONPATH=. python PATH/identical.py record steps.json` in their folder.
"""

import argparse
import dataclasses
import functools
import hashlib
import importlib
import json
import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # thousands of small programs
import jax
import numpy as np
from ml_collections import ConfigDict

STEPS, SIDE, LABELED, UNLABELED = 3, 32, 4, 2
TINY = {
    "model.variant": "test",
    "data.image_size": SIDE,
    "data.batch_size": LABELED,
    "hints.min_count": 1,
    "hints.max_count": 16,
    "hints.cell_sizes": (1, 2),
    "degrade.blur": 0.0,  # as in tests/conftest.py: these four are much work, and no part of the step
    "degrade.scratches": 0.0,
    "degrade.dust": 0.0,
    "degrade.jpeg": 0.0,
    "adversarial.width": 4,
    "adversarial.num_layers": 1,
    "cycle.pool_size": 6,
    "optim.learning_rate": 1e-3,
    "optim.final_fraction": 0.01,
    "optim.ema_decay": 0.999,
    "train.steps": 2 * STEPS,
}
AT_MOST = {  # so that all phases are within the steps
    "restoration.pretrain_steps": 2,
    "adversarial.start_step": 1,
    "consistency.warmup_steps": 2,
    "optim.warmup_steps": 1,
}
COMPARED = ("compare", "label_efficiency")  # hold whole systems, most of them the recipes of other files
CALLS = ("jit", "pjit", "closed_call", "checkpoint", "custom_jvp_call", "custom_vjp_call")
NOT_TRAINED = ("base", "protocols")
UNSEEN = ("name", "seed", "init_from", "eval", "train", "mesh", "runtime")  # makes no other step
SEEN_OF_DATA = ("image_size", "batch_size", "unlabeled_batch_size", "kind")


def recipes() -> Iterator[tuple[str, ConfigDict]]:
    """Name and whole config of all that this checkout's `configs` hold."""
    names = {path.stem for path in pathlib.Path("configs").glob("[!_]*.py")}
    for name in sorted(names, key=lambda name: (name in COMPARED, not name.endswith("_vit"), name)):
        module = importlib.import_module(f"configs.{name}")
        if not hasattr(module, "get_config") or name in NOT_TRAINED:
            continue
        variants = getattr(module, "VARIANTS", None) or getattr(module, "RECIPES", None)
        for variant in variants or importlib.import_module("configs.ssl_vit").VARIANTS:
            config = module.get_config(variant)
            if "systems" not in config:
                yield f"{name}:{variant}", config
            for system, own in getattr(config, "systems", {}).items():
                if "model" in own:
                    yield f"{name}:{variant}:{system}", own


def made_tiny(config: ConfigDict) -> ConfigDict:
    """The same with little of everything."""
    config = ConfigDict(config.to_dict())
    if config.model.name == "Autoencoder" and config.model.variant in ("alpha", "beta"):
        own = {"model.variant": config.model.variant}  # "test" is its third variant
    else:
        own = {}
    config.update_from_flattened_dict(TINY | own)
    if config.data.unlabeled_batch_size:
        config.data.unlabeled_batch_size = UNLABELED
    for name, most in AT_MOST.items():
        section, field = name.split(".")
        config[section][field] = min(config[section][field], most)
    return config


def flattened(tree: dict, prefix: str = "") -> dict[str, Any]:
    """Dotted names and values."""
    flat = {}
    for name, value in tree.items():
        flat |= (
            flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        )
    return flat


def to_the_step(flat: dict[str, Any]) -> str:
    """What of a config the step sees."""
    kind = {"data.kind": flat["data.kind"] == "pairs"}
    seen = {
        name: value
        for name, value in flat.items()
        if name.split(".")[0] not in UNSEEN
        and (not name.startswith("data.") or name.removeprefix("data.") in SEEN_OF_DATA)
    }
    return json.dumps(seen | kind | {"train.steps": flat["train.steps"]}, sort_keys=True)


def distinct() -> dict[str, dict[str, Any]]:
    """Tiny configs by name, those alike left out."""
    found = {}
    for name, config in recipes():
        flat = flattened(made_tiny(config).to_dict())
        found.setdefault(to_the_step(flat), (name, flat))
    return dict(found.values())


def restored(flat: dict[str, Any]) -> ConfigDict:
    """This checkout's config with the values of the file; what the file does not know is as it is by default."""
    config = importlib.import_module("configs.base").get_config()
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in flat.items()}
    config.update_from_flattened_dict(values)
    return config


def make_steps(config: ConfigDict) -> tuple[Any, list]:
    """The first state and a function for each step, of this checkout."""
    try:
        state = importlib.import_module("hybridvit.training.state")
        step = importlib.import_module("hybridvit.training.step")
        cycle_step = importlib.import_module("hybridvit.training.cycle_step")
        phases = importlib.import_module("hybridvit.training.phases")
    except ModuleNotFoundError:  # 0.1, of one program for all steps
        state, step, cycle_step = (
            importlib.import_module(f"hybridvit.{name}") for name in ("state", "step", "cycle_step")
        )
        phases = None
    networks = state.build_networks(config)
    first = jax.jit(lambda: state.init_state(networks, config.seed))()
    if config.cycle.weight > 0:
        return first, [cycle_step.make_cycle_step(networks, config)] * STEPS
    if phases is None:
        return first, [step.make_train_step(networks, config)] * STEPS
    plan = phases.plan_phases(config)
    make = functools.cache(lambda restoring: step.make_train_step(networks, config, restoring))
    return first, [make(phases.phase_at(plan, number).restoring) for number in range(STEPS)]


def by_operations(function: Callable, *args: Any) -> Callable:
    """`function`, traced for what `args` are like, whose operations run one by one."""
    traced, result = jax.make_jaxpr(function, return_shape=True)(*args)

    def call(*args: Any) -> Any:
        flat = evaluate(traced.jaxpr, traced.consts, jax.tree.leaves(args))
        return jax.tree.unflatten(jax.tree.structure(result), flat)

    return call


def evaluate(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """The outputs; calls are gone into, loops and branches are one operation."""
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))

    def read(atom: Any) -> Any:
        return atom.val if hasattr(atom, "val") else values[atom]

    for equation in jaxpr.eqns:
        given = [read(atom) for atom in equation.invars]
        if equation.primitive.name in CALLS:
            inner = next(equation.params[key] for key in ("jaxpr", "call_jaxpr") if key in equation.params)
            made = evaluate(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), given)
        else:
            made = equation.primitive.bind(*given, **equation.primitive.get_bind_params(equation.params))
            made = made if equation.primitive.multiple_results else [made]
        values.update(zip(equation.outvars, made, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def pictures(config: ConfigDict) -> dict[str, np.ndarray]:
    """A batch of large squares of many colours, and gray ones."""
    channels = 4 if config.data.kind == "pairs" else 3
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 256, (LABELED + UNLABELED, 8, 8, channels), dtype=np.uint8)
    drawn = np.kron(drawn, np.ones((1, SIDE // 8, SIDE // 8, 1), np.uint8))
    batch = {"labeled": drawn[:LABELED]}
    if config.data.unlabeled_batch_size:
        batch["unlabeled"] = drawn[LABELED:, ..., :1]
    return batch


def digests(state: Any) -> dict[str, str]:
    """Of each field that holds anything."""
    found = {}
    for field in dataclasses.fields(state):
        digest = hashlib.sha256()
        leaves = jax.tree_util.tree_leaves_with_path(getattr(state, field.name))
        for path, leaf in leaves:
            leaf = np.asarray(leaf)
            digest.update(f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape}".encode())
            digest.update(leaf.tobytes())
        if leaves:
            found[field.name] = digest.hexdigest()[:16]
    return found


def run(config: ConfigDict) -> list[dict[str, Any]]:
    """Digests of the first state; metrics and digests after each step."""
    state, steps = make_steps(config)
    batch = pictures(config)
    rows = [{"metrics": {}, "state": digests(state)}]
    operations = functools.cache(lambda step: by_operations(step, state, batch))
    for step in steps:
        state, metrics = operations(step)(state, batch)
        rows.append(
            {"metrics": {name: float(metrics[name]) for name in sorted(metrics)}, "state": digests(state)}
        )
    return rows


def differences(before: list[dict], after: list[dict]) -> list[str]:
    """The first step at which numbers differ, told; what only one of both logs or holds is no difference, but told."""
    lines = []
    for kind in ("metrics", "state"):
        for side, one, other in (("before", before, after), ("after", after, before)):
            only = sorted(
                {name for a, b in zip(one, other, strict=True) for name in a[kind].keys() - b[kind]}
            )
            if only:
                lines.append(f"  only {side}: {', '.join(only)}")
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        told = [
            f"{name} {value!r} -> {other['metrics'][name]!r}"
            for name, value in one["metrics"].items()
            if other["metrics"].get(name, value) != value
        ]
        told += [
            f"state.{name}"
            for name, value in one["state"].items()
            if other["state"].get(name, value) != value
        ]
        if told:
            return [*lines, f"! {f'step {number}' if number else 'the first state'}: {'; '.join(told)}"]
    return lines


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("file", type=pathlib.Path, help="JSON, written by record")
    parser.add_argument("--only", nargs="+", default=[""], help="recipes whose names begin so")
    options = parser.parse_args()
    if options.what == "record":
        found = {}
        for name, flat in distinct().items():
            if name.startswith(tuple(options.only)):
                found[name] = {"config": flat, "rows": run(restored(flat))}
                print(name, found[name]["rows"][-1]["metrics"]["loss"], flush=True)
                options.file.write_text(json.dumps(found, indent=1))
        return 0
    equal, other = 0, 0
    for name, recorded in json.loads(options.file.read_text()).items():
        if name.startswith(tuple(options.only)):
            lines = differences(recorded["rows"], run(restored(recorded["config"])))
            differs = any(line.startswith("!") for line in lines)
            equal, other = equal + (not differs), other + differs
            print(f"{'DIFFERS' if differs else 'equal  '} {name}", *lines, sep="\n", flush=True)
    print(f"{equal} recipes bit for bit the same, {other} not")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
