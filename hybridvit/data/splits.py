"""From the configuration to streams of pictures: labeled, unlabeled, held out.

Every choice is a hash of a picture's key, so it is the same on every machine and in every process. `eval_fraction`
holds out the pictures whose hash is small: they stay held out when files are added, and for every seed.
`labeled_fraction` takes the first of an order by seed: 5 % lies within 10 %.
"""

import hashlib
import math

import numpy as np
from absl import logging
from jaxtyping import Int, UInt64
from ml_collections import ConfigDict

from hybridvit.data.bundled import BundledColor, BundledGray, BundledTiles
from hybridvit.data.pairs import PairPictures, open_pairs
from hybridvit.data.reading import Reader, Stream
from hybridvit.data.scan import scan_folder
from hybridvit.data.sources import open_folder, open_records, open_tfds

KINDS = ("bundled", "folder", "pairs", "tfds", "array_record")
CACHE_DIR = "~/.cache/hybridvit"

Part = tuple[Reader, Int[np.ndarray, "_"]]  # a reader, and the pictures chosen from it


def build_training_streams(
    config: ConfigDict, seed: int, cache_dir: str = CACHE_DIR
) -> tuple[Stream, Stream | None]:
    """The labeled pictures and, unless `unlabeled_batch_size` is 0, the unlabeled ones.

    The latter are read as they are, colour in part: `transforms.to_gray` is the pipeline's.

    Args:
      config: the section `config.data`.
      seed: chooses which pictures are labeled.
      cache_dir: where the look through a folder is remembered; empty: nowhere.

    Raises:
      ValueError, FileNotFoundError: one line that names the flag to mend.
    """
    _check_kind(config)
    if not 0 < config.labeled_fraction <= 1:
        raise ValueError(
            f"--config.data.labeled_fraction {config.labeled_fraction} is not within 0 (excluded) and 1"
        )
    (reader, color), gray_parts = _open_color(config, cache_dir, announce=True)
    if not _has_eval_set(config):
        color = np.setdiff1d(color, _held_out(reader, color, config.eval_fraction))
    labeled = _labeled(reader, color, config.labeled_fraction, seed)
    # Training needs no more pixels than the smallest crop shows: lets large JPEGs come reduced
    min_side = math.ceil(config.image_size / config.crop_scale[0])
    labeled_stream = Stream([(reader, labeled)], color=True, min_side=min_side)
    if config.unlabeled_batch_size == 0:
        return labeled_stream, None

    rest = color if config.labeled_as_unlabeled else np.setdiff1d(color, labeled)
    unlabeled_stream = Stream(
        [*gray_parts, *_open_gray(config), (reader, rest)], color=False, min_side=min_side
    )
    if not len(unlabeled_stream):
        raise ValueError(
            f"--config.data.unlabeled_batch_size is {config.unlabeled_batch_size}, but there is no unlabeled "
            "picture: give grayscale ones, set --config.data.labeled_as_unlabeled=True, or set it to 0"
        )
    logging.info(
        "training on %s labeled and %s unlabeled pictures", f"{len(labeled):,}", f"{len(unlabeled_stream):,}"
    )
    return labeled_stream, unlabeled_stream


def build_eval_stream(config: ConfigDict, cache_dir: str = CACHE_DIR) -> Stream:
    """The held-out colour pictures, `eval_limit` of them at most, evenly spread. Disjoint from training's.

    Raises:
      ValueError, FileNotFoundError: one line that names the flag to mend.
    """
    _check_kind(config)
    if _has_eval_set(config):
        reader, color = _open_eval(config, cache_dir)
    else:
        (reader, color), _ = _open_color(config, cache_dir, announce=False)
        color = _held_out(reader, color, config.eval_fraction)
    count = min(len(color), config.eval_limit or len(color))
    spread = np.arange(count) * len(color) // max(count, 1)
    return Stream([(reader, color[spread])], color=True, min_side=0)


def _check_kind(config: ConfigDict) -> None:
    if config.kind not in KINDS:
        raise ValueError(f"--config.data.kind '{config.kind}' is none of {', '.join(KINDS)}")


def _has_eval_set(config: ConfigDict) -> bool:
    sets = {
        "bundled": True,
        "folder": config.eval_dir,
        "pairs": config.eval_dir,
        "tfds": config.tfds_eval_split,
    }
    return bool(sets.get(config.kind, config.eval_records))


def _open_color(config: ConfigDict, cache_dir: str, announce: bool) -> tuple[Part, list[Part]]:
    """The colour pictures, and the grayscale ones found among them."""
    if config.kind == "folder":
        return _open_scanned(
            config.color_dir, "--config.data.color_dir", config.gray_chroma, cache_dir, announce
        )
    if config.kind == "bundled":
        return _whole(Reader(BundledColor())), []
    if config.kind == "pairs":
        source = _open_pairs(config, config.color_dir, "--config.data.color_dir")
    elif config.kind == "tfds":
        source = open_tfds(config.tfds_name, config.tfds_split, config.tfds_dir, "--config.data.tfds_split")
    else:
        source = open_records(config.color_records, "--config.data.color_records")
    # Not looked through: gray pictures are passed over as they turn up
    return _whole(Reader(source, config.gray_chroma)), []


def _open_gray(config: ConfigDict) -> list[Part]:
    if config.kind == "bundled":
        return [_whole(Reader(BundledGray()))]
    if config.kind in ("folder", "pairs") and config.gray_dir:
        return [_whole(Reader(open_folder(config.gray_dir, "--config.data.gray_dir")))]
    if config.kind == "array_record" and config.gray_records:
        return [_whole(Reader(open_records(config.gray_records, "--config.data.gray_records")))]
    return []


def _open_eval(config: ConfigDict, cache_dir: str) -> Part:
    if config.kind == "bundled":
        return _whole(Reader(BundledTiles()))
    if config.kind == "folder":
        return _open_scanned(
            config.eval_dir, "--config.data.eval_dir", config.gray_chroma, cache_dir, announce=True
        )[0]
    if config.kind == "pairs":
        source = _open_pairs(config, config.eval_dir, "--config.data.eval_dir")
    elif config.kind == "tfds":
        source = open_tfds(
            config.tfds_name, config.tfds_eval_split, config.tfds_dir, "--config.data.tfds_eval_split"
        )
    else:
        source = open_records(config.eval_records, "--config.data.eval_records")
    return _whole(Reader(source, config.gray_chroma))


def _open_pairs(config: ConfigDict, folder: str, flag: str) -> PairPictures:
    return open_pairs(open_folder(folder, flag), config.pairs_order, config.gray_chroma, flag)


def _open_scanned(
    folder: str, flag: str, gray_chroma: float, cache_dir: str, announce: bool
) -> tuple[Part, list[Part]]:
    pictures = open_folder(folder, flag)
    scan = scan_folder(pictures, gray_chroma, cache_dir)
    total = f"{len(pictures):,} pictures in {pictures.set_name}/"
    if announce and len(scan.gray):
        use = "left out" if flag == "--config.data.eval_dir" else "used as unlabeled"
        logging.info("%s of %s are grayscale: %s", f"{len(scan.gray):,}", total, use)
    if announce and len(scan.unreadable):
        logging.warning("%s of %s are unreadable: left out", f"{len(scan.unreadable):,}", total)
    if not len(scan.color):
        found = f"{len(scan.gray):,} grayscale, {len(scan.unreadable):,} unreadable"
        raise ValueError(f"{flag}: none of the {total} is a readable colour picture ({found})")
    reader = Reader(pictures)
    return (reader, scan.color), [(reader, scan.gray)]


def _whole(reader: Reader) -> Part:
    return reader, np.arange(len(reader.source))


def _hashes(purpose: str, reader: Reader, indices: Int[np.ndarray, "_"]) -> UInt64[np.ndarray, "_"]:
    """A number for each picture, from its key alone, uniform in 0..2^64."""
    texts = (f"{purpose}/{reader.source.key(i)}".encode("utf8", "surrogateescape") for i in indices.tolist())
    digests = b"".join(hashlib.blake2b(text, digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def _held_out(reader: Reader, color: Int[np.ndarray, "_"], fraction: float) -> Int[np.ndarray, "_"]:
    """Those with a hash below the fraction; of few pictures the one with the least hash; never the only picture."""
    if fraction == 0 or len(color) < 2:
        return color[:0]
    hashes = _hashes("held out", reader, color)
    chosen = color[hashes < min(fraction, 1) * 2.0**64]
    return chosen if 0 < len(chosen) < len(color) else color[[np.argmin(hashes)]]


def _labeled(reader: Reader, color: Int[np.ndarray, "_"], fraction: float, seed: int) -> Int[np.ndarray, "_"]:
    if fraction == 1:
        return color
    hashes = _hashes(f"labeled/{seed}", reader, color)
    count = max(1, round(fraction * len(color)))
    return np.sort(color[np.argsort(hashes, kind="stable")[:count]])
