"""Checkpoints on disk: the only file that knows Orbax.

A checkpoint is a folder named by its step. In it each field of the state has a folder of its own (params,
ema, ...), so that a reader takes what it needs and knows nothing of the rest; `run/data.json` explains it
(configuration, data position, seed, package versions) and `digests/data.json` lists every array with its
type, shape and content digest: a flipped bit in an array would otherwise load without a word.
"""

import contextlib
import functools
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, SupportsFloat

import jax
import numpy as np
from absl import logging
from etils import epath
from jax.experimental import multihost_utils
from orbax.checkpoint import v1 as ocp

from hybridvit.runtime.digest import array_digests, json_digest

LOOSE = "loose"  # the folder of the state's fields that are single arrays


class DamagedError(ValueError):
    """A checkpoint that cannot be read, or whose content is not what was written."""


class UnwrittenError(OSError):
    """A checkpoint that could not be written, one line: the disk is full, say. Those before it are sound."""


class Checkpoints:
    """The checkpoints of one run: the last `keep_last` and the best by `best_metric`. A context manager.

    All processes make the same calls in the same order. With `keep_last=None` the folder is for reading:
    nothing in it is created, cleaned or deleted; otherwise what a killed save left behind is removed.
    Raises FileNotFoundError if the folder to be read is not there.
    """

    def __init__(self, folder: str | os.PathLike, keep_last: int | None = None, best_metric: str = "psnr"):
        self.folder = epath.Path(folder).absolute()
        self._best_metric = best_metric
        self._keep_last = keep_last
        self._damaged: set[int] = set()
        logging.get_absl_logger().addFilter(_no_page)
        if keep_last is None and not self.folder.is_dir():
            raise FileNotFoundError(f"no checkpoints at {folder}: there is no such folder")
        if keep_last is not None and keep_last < 1:
            raise ValueError(f"config.train.keep_last={keep_last} keeps no checkpoint: set it to 1 or more")
        self._checkpointer = ocp.training.Checkpointer(
            self.folder,
            context=_context(),
            preservation_policy=self,
            cleanup_tmp_directories=keep_last is not None,
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        # With another process gone, what they are saving together would be waited for in vain
        elif not issubclass(kind, jax.errors.JaxRuntimeError):
            with contextlib.suppress(UnwrittenError):  # the error that is under way came first
                self.close()

    @property
    def steps(self) -> tuple[int, ...]:
        """All steps, ascending; the one being written among them."""
        return tuple(checkpoint.step for checkpoint in self._checkpointer.checkpoints)

    @property
    def latest_step(self) -> int | None:
        """The last step, or None."""
        return max(self.steps, default=None)

    @property
    def best_step(self) -> int | None:
        """The step whose `best_metric` is the highest, or None if no checkpoint has it."""
        return self._best(self._checkpointer.checkpoints)

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> Sequence[bool]:
        """Orbax's question before it deletes; damaged checkpoints count for nothing and are left alone."""
        if self._keep_last is None:
            return [True] * len(checkpoints)
        sound = [checkpoint.step for checkpoint in checkpoints if checkpoint.step not in self._damaged]
        kept = {*sound[-self._keep_last :], self._best(checkpoints), *self._damaged}
        return [checkpoint.step in kept for checkpoint in checkpoints]

    def _best(self, checkpoints: Sequence[Any]) -> int | None:
        scores = {
            checkpoint.step: checkpoint.metrics[self._best_metric]
            for checkpoint in checkpoints
            if checkpoint.step not in self._damaged and self._best_metric in (checkpoint.metrics or {})
        }
        scores = {step: score for step, score in scores.items() if math.isfinite(score)}
        return max(scores, key=scores.get, default=None)

    def save(
        self,
        step: int,
        state: Any,
        run: dict,
        metrics: Mapping[str, SupportsFloat] | None = None,
        force: bool = False,
    ) -> bool:
        """Starts writing `state` as `step`; returns when it is copied to the host, and may be donated.

        `run` is JSON, `metrics` numbers. A step that is there already is left alone (False), unless it was
        found damaged or `force` is given. Waits for the save before it, and raises UnwrittenError if it failed.

        Orbax asks JAX's preemption sync point about `step` here, and JAX says True only once: a loop that
        asks too must ask about the same step number.
        """
        exists = step in self.steps
        if exists and step not in self._damaged and not force:
            return False
        leaves = _flatten(state)
        run = json.loads(json.dumps(run))  # a copy: it is written later, in another thread
        arrays = _describe(leaves)
        digests = {"arrays": arrays, "json": json_digest({"run": run, "arrays": arrays})}
        with self._told_in_a_line():
            self._checkpointer.save_checkpointables_async(
                step,
                {**_nest(leaves), "run": run, "digests": digests},
                force=True,  # Orbax would skip a step older than the latest, which may be a damaged one
                overwrite=exists,
                metrics=metrics and {name: float(value) for name, value in metrics.items()},
            )
        self._damaged.discard(step)
        return True

    def restore(self, step: int | None, abstract: Any) -> tuple[Any, dict]:
        """(state, run) of `step`, or of the last sound checkpoint if `step` is None.

        `abstract` is a tree of ShapeDtypeStruct with the shardings that the arrays shall have. Raises
        ValueError if its tree, shapes or types are not those of the checkpoint; FileNotFoundError if there
        is no such checkpoint; DamagedError if what was asked for, or all there is, is damaged.
        """
        return self._restore(step, "", abstract)

    def restore_part(self, step: int | None, name: str, abstract: Any) -> tuple[Any, dict]:
        """As `restore`, of one field of the state only ("ema", say): `abstract` is that field's tree, or array."""
        return self._restore(step, f"{name}/", abstract)

    def read_run(self, step: int | None = None) -> dict:
        """The JSON that was saved with `step` (None: the last sound one). Errors as in `restore`."""
        return self._first_sound(step, self._read_run)[0]

    def wait(self) -> None:
        """Returns when the save under way is on disk; raises UnwrittenError if it failed."""
        with self._told_in_a_line():
            self._checkpointer.wait()

    def close(self) -> None:
        """Waits, and releases Orbax's threads; raises UnwrittenError if the save under way failed."""
        with self._told_in_a_line():
            self._checkpointer.close()

    @contextlib.contextmanager
    def _told_in_a_line(self) -> Iterator[None]:
        try:
            yield
        except jax.errors.JaxRuntimeError:  # of another process that is gone
            raise
        except Exception as error:  # Orbax raises anything for what it could not write
            known = re.search(r"[^:]*(?= \[os_error_code)", str(error))
            reason = known.group().strip() if known else _root_cause(error)
            raise UnwrittenError(
                f"a checkpoint could not be written to {self.folder} ({reason}): mend that, for instance make room, "
                "and the same command goes on from the one before"
            ) from error

    def _restore(self, step: int | None, prefix: str, abstract: Any) -> tuple[Any, dict]:
        wanted = _flatten(abstract, prefix)

        def read(step: int) -> tuple[dict[str, jax.Array], dict]:
            run, digests = self._read_run(step)
            stored = {path: entry for path, entry in digests.items() if f"{path}/".startswith(prefix)}
            self._check_fits(step, stored, wanted)
            alone = {path for path in digests if "/" not in path}  # one tree, and a tree is named whole
            request = wanted | (dict.fromkeys(alone - wanted.keys(), ...) if alone & wanted.keys() else {})
            # Orbax reads all arrays at once and prints a traceback for each that fails: try a few first.
            self._load(step, _nest(_one_of_each_field(request)))
            leaves = _flatten(self._load(step, _nest(request)))
            leaves = {path.removeprefix(f"{LOOSE}/"): leaf for path, leaf in leaves.items()}
            leaves = {path: leaf for path, leaf in leaves.items() if path in wanted}
            for path, entry in _describe(leaves).items():
                if entry != stored[path]:
                    raise DamagedError(f"{path}: digest differs")
            return leaves, run

        leaves, run = self._first_sound(step, read)
        return jax.tree.unflatten(jax.tree.structure(abstract), [leaves[path] for path in wanted]), run

    def _first_sound(self, step: int | None, read: Any) -> Any:
        """`read(step)`; where `step` is None, of the latest step for which it finds no damage."""
        self.wait()
        candidates = sorted(self.steps, reverse=True) if step is None else [step]
        if not set(candidates) & set(self.steps):
            raise FileNotFoundError(
                f"no checkpoint {'' if step is None else f'{step} '}in {self.folder}"
                + (f": there are {', '.join(map(str, self.steps))}" if self.steps else "")
            )
        for position, candidate in enumerate(candidates):
            try:
                return read(candidate)
            except DamagedError as error:
                self._damaged.add(candidate)
                message = f"checkpoint {candidate} is damaged ({error})"
                if position + 1 == len(candidates):
                    raise DamagedError(f"{message}, in {self.folder}") from error
                logging.warning("%s; going back to %d", message, candidates[position + 1])
        raise AssertionError("unreachable")

    def _read_run(self, step: int) -> tuple[dict, dict[str, list]]:
        """The run, and the entry [type, shape, digest] of each array by its path."""
        loaded = self._load(step, {"run": None, "digests": None})
        match loaded:
            case {"run": dict(run), "digests": {"arrays": dict(arrays), "json": digest}}:
                if json_digest({"run": run, "arrays": arrays}) == digest and all(
                    map(_is_entry, arrays.values())
                ):
                    return run, arrays
        raise DamagedError("run or digests: digest differs")

    def _load(self, step: int, abstract: dict[str, Any]) -> dict[str, Any]:
        """Orbax's own reading, with whatever goes wrong on any process told by all of them as damage."""
        loaded, error = None, None
        try:
            loaded = self._checkpointer.load_checkpointables(step, abstract)
        except Exception as raised:  # Orbax raises anything for a broken file
            error = raised
        if not _agree(error is None):
            raise DamagedError(_root_cause(error) if error else "another process cannot read it") from error
        return loaded

    def _check_fits(self, step: int, stored: dict[str, list], wanted: dict[str, Any]) -> None:
        differences = []
        for path in sorted({*stored, *wanted}):
            there = _show(*stored[path][:2]) if path in stored else "missing"
            here = _show(wanted[path].dtype, wanted[path].shape) if path in wanted else "missing"
            if there != here:
                differences.append(f"{path} is {there} there, {here} here")
        if differences:
            more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
            raise ValueError(
                f"checkpoint {self.folder / str(step)} is of another model or optimizer: "
                f"{differences[0]}{more}; its configuration is in run/data.json"
            )


def resolve(path: str | os.PathLike) -> tuple[epath.Path, int | None]:
    """(folder, step or None) of a path to runs/x, runs/x/checkpoints or runs/x/checkpoints/100.

    Raises FileNotFoundError if no checkpoint is there.
    """
    path = epath.Path(path).expanduser().absolute()
    if path.name.isdigit() and path.is_dir():
        return path.parent, int(path.name)
    for folder in (path, path / "checkpoints"):
        if folder.is_dir() and any(child.name.isdigit() for child in folder.iterdir()):
            return folder, None
    raise FileNotFoundError(
        f"no checkpoint at {path}: "
        "give a work folder (runs/x) or one of its checkpoints (runs/x/checkpoints/100)"
    )


def _no_page(record: Any) -> bool:
    """Whether a log record is not one of the tracebacks that each of Orbax's threads writes of one failure."""
    return not (record.exc_info and f"{os.sep}orbax{os.sep}" in record.pathname)


def _context() -> ocp.Context:
    context = ocp.Context()
    context.checkpointables.registry = ocp.handlers.local_registry()
    for name in ("run", "digests"):  # by itself, Orbax takes a dict for a tree of arrays
        context.checkpointables.registry.add(ocp.handlers.JsonHandler, checkpointable_name=name)
    # Orbax would compile a slicing of every replicated array: 20 s for the first save on 8 devices.
    context.array.saving.use_replica_parallel = False
    return context


def _flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Leaves by their path, as in "params/stem/kernel", in the tree's order."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        (prefix + jax.tree_util.keystr(path, simple=True, separator="/")).removesuffix("/"): leaf
        for path, leaf in leaves
    }


def _nest(leaves: dict[str, Any]) -> dict[str, Any]:
    """Nested dicts: on disk the tree is of names only, whatever classes the state is made of."""
    nested = {}
    for path, leaf in leaves.items():
        *parents, name = path.split("/") if "/" in path else (LOOSE, path)
        functools.reduce(lambda node, parent: node.setdefault(parent, {}), parents, nested)[name] = leaf
    return nested


def _one_of_each_field(leaves: dict[str, Any]) -> dict[str, Any]:
    """Orbax's placeholder for all but the first array of each folder."""
    first = {path.rpartition("/")[0] and path.split("/")[0]: path for path in reversed(leaves)}
    return {path: leaf if path in first.values() else ... for path, leaf in leaves.items()}


def _describe(leaves: dict[str, jax.Array]) -> dict[str, list]:
    """[type, shape, digest] of each array."""
    digests = array_digests(list(leaves.values()))
    return {
        path: [str(leaf.dtype), list(leaf.shape), digest]
        for (path, leaf), digest in zip(leaves.items(), digests, strict=True)
    }


def _is_entry(entry: Any) -> bool:
    match entry:
        case [str(), [*shape], int()]:
            return all(isinstance(side, int) for side in shape)
    return False


def _show(dtype: Any, shape: Sequence[int]) -> str:
    return f"{dtype}{list(shape)}"


def _agree(ok: bool) -> bool:
    """Whether it is so on all processes."""
    return ok if jax.process_count() == 1 else bool(multihost_utils.process_allgather(np.array(ok)).all())


def _root_cause(error: BaseException) -> str:
    """The first line of the error under Orbax's own."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return (str(error).strip('" \n') or type(error).__name__).splitlines()[0][:160]
