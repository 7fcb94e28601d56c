"""The input pipeline: Grain from a seed to batches of uint8 squares, and the pictures to evaluate on.

`dataset[step]` is the batch of a step, whatever was read before: {"labeled": uint8 `[B, S, S, 3]`, "unlabeled": uint8
`[U, S, S, 1]`}, the latter absent if `unlabeled_batch_size` is 0. Resuming is slicing; there is no iterator to save.
Of side-by-side pairs "labeled" is `[B, S, S, 4]`, the given gray last; so are the pictures to evaluate on.

What is read is planned first, as numbers alone: indices, shuffled anew each epoch, with the draws of crop and flip,
batched. Each process then takes its rows of the global batch, in order (process 0 the first B / P), and only those are
read. So the rows of all processes, one after the other, are the same global batch for any number of processes.
"""

import functools
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import grain
import numpy as np
from absl import flags, logging
from jaxtyping import UInt8
from ml_collections import ConfigDict

from hybridvit.data.pairs import MODE as PAIR
from hybridvit.data.reading import Stream, map_in_order
from hybridvit.data.splits import CACHE_DIR, build_eval_stream, build_training_streams
from hybridvit.data.transforms import EVAL_VIEWS, random_square, to_gray

Batch = dict[str, np.ndarray]
PUT_AHEAD = 2  # batches on the devices before their step begins


def make_train_dataset(
    config: ConfigDict, seed: int, process_index: int = 0, process_count: int = 1, cache_dir: str = CACHE_DIR
) -> grain.MapDataset:
    """An endless, randomly accessible dataset of this process's part of each batch.

    Args:
      config: the section `config.data`.
      seed: of order, crops, flips, and of the choice of labeled pictures.
      process_index: of this process.
      process_count: batches are split evenly over so many.
      cache_dir: where the look through a folder is remembered; empty: nowhere.

    Raises:
      ValueError, FileNotFoundError: one line that names the flag to mend.
    """
    _check(config, process_count)
    labeled, unlabeled = build_training_streams(config, seed, cache_dir)
    size, crop_scale = config.image_size, tuple(config.crop_scale)

    def batches(stream: Stream, seed: int, batch_size: int, gray: bool) -> grain.MapDataset:
        rows = batch_size // process_count
        own = slice(process_index * rows, (process_index + 1) * rows)
        read = functools.partial(
            _read_rows, stream=stream, rows=own, size=size, crop_scale=crop_scale, gray=gray
        )
        order = functools.partial(_shuffled, count=len(stream), seed=seed)
        plan = grain.MapDataset.range(len(stream)).seed(seed).repeat().map_with_index(order)
        # Of an endless plan nothing remains; Grain would round the number of batches of 1 up, past an integer's range
        return plan.random_map(_with_draws).batch(batch_size, drop_remainder=True).map(read)

    # Two seeds a run, so that no two streams of any two runs share their numbers
    parts = {"labeled": batches(labeled, 2 * seed, config.batch_size, gray=False)}
    if unlabeled is not None:
        parts["unlabeled"] = batches(unlabeled, 2 * seed + 1, config.unlabeled_batch_size, gray=True)
    steps = min(len(part) for part in parts.values())
    zipped = grain.experimental.ZipMapDataset([part[:steps] for part in parts.values()])
    return zipped.map(functools.partial(_named, names=tuple(parts)))


def make_train_iterator(
    dataset: grain.MapDataset,
    config: ConfigDict,
    start_step: int = 0,
    put: Callable[[Batch], Any] | None = None,
) -> grain.DatasetIterator:
    """Reads the batches from `start_step` on, ahead of the consumer; `close()` it in the end.

    `put`, if given, makes of each what is then handed out, in a thread of its own and `PUT_AHEAD` batches ahead: puts
    it onto the devices while these are at work. The batches do not depend on `config.num_threads`, `num_workers` and
    `prefetch`. Worker processes start afresh ("spawn"), so the calling script needs the usual
    `if __name__ == "__main__"`.
    """
    read = _read_ahead(dataset[start_step:], config)
    if put is not None:
        read = grain.experimental.ThreadPrefetchIterDataset(read.map(put), prefetch_buffer_size=PUT_AHEAD)
    return iter(read)


def _read_ahead(remaining: grain.MapDataset, config: ConfigDict) -> grain.IterDataset:
    if config.num_workers:
        if (
            not flags.FLAGS.is_parsed()
        ):  # Grain's start of workers reads absl flags, also where no absl.app runs
            flags.FLAGS.mark_as_parsed()
        threads = grain.ReadOptions(num_threads=config.num_threads, prefetch_buffer_size=config.num_threads)
        workers = grain.MultiprocessingOptions(
            num_workers=config.num_workers,
            per_worker_buffer_size=max(1, math.ceil(config.prefetch / config.num_workers)),
        )
        return remaining.to_iter_dataset(threads).mp_prefetch(workers, _follow_the_run)
    buffered = max(config.prefetch, config.num_threads) if config.num_threads else 0
    threads = grain.ReadOptions(num_threads=config.num_threads, prefetch_buffer_size=buffered)
    return remaining.to_iter_dataset(threads)


def _follow_the_run(worker_index: int, worker_count: int) -> None:
    """Makes a worker process leave signals to the run, which still wants batches, and end with it, however it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all processes of a terminal, or of a job
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class EvalPictures(Sequence):
    """Held-out colour pictures as (name "set/file", uint8 `[size, size, 3 or 4]`), decoded at each access."""

    def __init__(self, stream: Stream, size: int, view: str):
        self._stream = stream
        self._size = size
        self._view = EVAL_VIEWS[view]
        looks = map_in_order(self._is_color, range(len(stream)), threads=8)
        self._chosen = [i for i, good in enumerate(looks) if good]
        if len(self._chosen) < len(stream):
            passed = len(stream) - len(self._chosen)
            logging.warning(
                "%d of %d held-out pictures are grayscale or unreadable: left out", passed, len(stream)
            )

    def _is_color(self, index: int) -> bool:
        reader, chosen = self._stream.locate(index)
        return reader.read(chosen, color=True) is not None

    @property
    def names(self) -> list[str]:
        """The names, without decoding."""
        located = [self._stream.locate(i) for i in self._chosen]
        return [reader.source.name(chosen) for reader, chosen in located]

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> tuple[str, UInt8[np.ndarray, "size size c"]]:
        reader, chosen = self._stream.locate(self._chosen[index])
        image, name = reader.read(chosen), reader.source.name(chosen)
        if image is None:
            raise ValueError(f"the evaluation picture {name} became unreadable: {reader.unreadable[chosen]}")
        return name, self._view(image if image.mode == PAIR else image.convert("RGB"), self._size)


def make_eval_pictures(
    config: ConfigDict, size: int, view: str = "center", cache_dir: str = CACHE_DIR
) -> EvalPictures:
    """The pictures to evaluate on, `size` px square; the same for every seed. None of them is trained on.

    `view` is one of `EVAL_VIEWS`.

    They are `eval_limit` at most, evenly spread over the eval set, or over the share `eval_fraction` held out of the
    colour pictures.

    Raises:
      ValueError, FileNotFoundError: one line that names the flag to mend.
    """
    pictures = EvalPictures(build_eval_stream(config, cache_dir), size, view)
    if not pictures:
        raise ValueError(
            "no held-out colour picture to evaluate on: name an eval set (config.data.eval_dir, tfds_eval_split or "
            "eval_records) or raise config.data.eval_fraction"
        )
    return pictures


def _shuffled(position: int, _: int, count: int, seed: int) -> int:
    """The picture at a position of the endless order: each epoch, each picture once."""
    # Not Grain's shuffle: for a handful of pictures (n < 1000) it takes 20 ms / n for each index
    return int(_permutation(count, seed, position // count)[position % count])


@functools.lru_cache(maxsize=4)  # two streams, two epochs where batches straddle them
def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)


def _with_draws(index: int, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    return index, rng.random(4)  # what `random_square` draws from


def _read_rows(
    plan: tuple[np.ndarray, np.ndarray],
    stream: Stream,
    rows: slice,
    size: int,
    crop_scale: tuple[float, float],
    gray: bool,
) -> UInt8[np.ndarray, "rows size size c"]:
    """Reads some rows of a planned batch; c is 1 for `gray`, else 3, or 4 of pairs."""
    pixels = []
    for index, draws in zip(*(numbers[rows] for numbers in plan), strict=True):
        square = random_square(stream[int(index)], draws, size, crop_scale)
        pixels.append(
            to_gray(square) if gray else np.broadcast_to(square, (size, size, max(3, square.shape[-1])))
        )
    return np.stack(pixels)


def _named(parts: tuple[np.ndarray, ...], names: tuple[str, ...]) -> Batch:
    return dict(zip(names, parts, strict=True))


def _check(config: ConfigDict, process_count: int) -> None:
    for field in ("batch_size", "unlabeled_batch_size"):
        batch_size = config[field]
        if batch_size % process_count:
            below = batch_size // process_count * process_count
            choices = f"{below} or {below + process_count}" if below else f"{process_count}"
            raise ValueError(
                f"config.data.{field} {batch_size} does not divide over {process_count} processes: set it to {choices}"
            )
    low, high = config.crop_scale
    if not 0 < low <= high <= 1:
        raise ValueError(f"config.data.crop_scale {low}, {high} is no range within 0 (excluded) and 1")
