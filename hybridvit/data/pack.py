"""Packs a folder of pictures once, at training size, into ArrayRecord shards: reading them is several times faster.

    python -m hybridvit.data.pack --input FOLDER --output PREFIX --size 256

Writes PREFIX-color-00000-of-00008.array_record, ... and PREFIX-gray-... for `config.data.color_records` and
`gray_records` (globs: "PREFIX-color-*"). Each record is one JPEG file, 4:4:4, upright, in sRGB, its shorter side
reduced to the size (never enlarged); its comment segment is the picture's name, "folder/path", in UTF-8.
The same folder always gives the same bytes.
"""

import argparse
import contextlib
import functools
import glob
import io
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from array_record.python.array_record_module import ArrayRecordWriter
from PIL import Image
from tqdm import tqdm

from hybridvit.data.decode import UnreadableImageError
from hybridvit.data.reading import map_in_order
from hybridvit.data.sources import FilePictures, open_folder
from hybridvit.data.transforms import chroma_percentile, to_gray

KINDS = ("color", "gray")


def pack_folder(
    pictures: FilePictures,
    prefix: str,
    *,
    size: int = 256,
    shards: int = 8,
    quality: int = 95,
    gray_chroma: float = 4.0,
    threads: int | None = None,
    overwrite: bool = False,
) -> tuple[Counter, dict[str, str]]:
    """Writes the shards; they appear all at once, under their names, when every picture is in.

    Args:
      pictures: files of a folder tree.
      prefix: path that the shards' names begin with; its folder is made.
      size: px, largest shorter side.
      shards: files of each kind, fewer if there are fewer pictures.
      quality: of the JPEG, 1..100.
      gray_chroma: ab units; a picture whose `chroma_percentile` is below this goes to the gray shards, as gray.
      threads: None: as many as there are processors.
      overwrite: replaces shards of the same prefix.

    Returns:
      How many of each kind, {"color": n, "gray": m}, and {name: reason} of the unreadable ones, in order.

    Raises:
      FileExistsError: there are shards of that prefix, and `overwrite` is False.
      ValueError: no picture was readable.
    """
    old = [shard for kind in KINDS for shard in glob.glob(f"{glob.escape(prefix)}-{kind}-*.array_record")]
    if old and not overwrite:
        raise FileExistsError(f"--output: {old[0]} is there already: choose another prefix, or --overwrite")
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    encode = functools.partial(_encode, pictures, size=size, quality=quality, gray_chroma=gray_chroma)
    partial = {kind: [f"{prefix}-{kind}-{i:05d}.partial" for i in range(shards)] for kind in KINDS}
    count: Counter = Counter()
    unreadable = {}
    try:
        with contextlib.ExitStack() as stack:
            writers = {kind: [_open_writer(path, stack) for path in paths] for kind, paths in partial.items()}
            encoded = map_in_order(encode, range(len(pictures)), threads or os.cpu_count() or 1)
            for i, (kind, content) in enumerate(tqdm(encoded, "packing", len(pictures), unit="pictures")):
                if kind == "unreadable":
                    unreadable[pictures.name(i)] = content
                else:
                    writers[kind][count[kind] % shards].write(content)
                    count[kind] += 1
        if not count:
            raise ValueError(
                f"none of the {len(pictures)} pictures is readable; {next(iter(unreadable.items()))}"
            )
        for path in old:
            os.remove(path)
        for kind in KINDS:
            used = min(shards, count[kind])
            for i in range(used):
                os.replace(partial[kind][i], f"{prefix}-{kind}-{i:05d}-of-{used:05d}.array_record")
    finally:
        for path in (path for paths in partial.values() for path in paths):
            Path(path).unlink(missing_ok=True)
    return count, unreadable


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m hybridvit.data.pack", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--input", required=True, help="folder of pictures, looked through to its depths")
    parser.add_argument("--output", required=True, help="prefix of the shards, e.g. packed/photos")
    parser.add_argument("--size", type=int, default=256, help="px, largest shorter side (%(default)s)")
    parser.add_argument("--shards", type=int, default=8, help="files of each kind (%(default)s)")
    parser.add_argument("--quality", type=int, default=95, help="of the JPEG (%(default)s)")
    parser.add_argument(
        "--gray-chroma", type=float, default=4.0, help="ab units; below it a picture is gray (%(default)s)"
    )
    parser.add_argument("--threads", type=int, help="(as many as processors)")
    parser.add_argument("--overwrite", action="store_true", help="replace shards of the same prefix")
    options = vars(parser.parse_args(argv))
    try:
        pictures = open_folder(options.pop("input"), "--input")
        count, unreadable = pack_folder(pictures, os.path.expanduser(options.pop("output")), **options)
    except (OSError, ValueError) as error:
        sys.exit(f"pack: {error}")
    for name, reason in unreadable.items():
        print(f"unreadable: {name} ({reason})")
    print(
        f"packed {count['color']:,} colour and {count['gray']:,} grayscale pictures; {len(unreadable):,} unreadable"
    )


def _open_writer(path: str, stack: contextlib.ExitStack) -> ArrayRecordWriter:
    # A record a group: read at random, one by one. JPEG leaves nothing to compress
    writer = ArrayRecordWriter(path, "group_size:1,uncompressed")
    stack.callback(writer.close)
    return writer


def _encode(
    pictures: FilePictures, index: int, size: int, quality: int, gray_chroma: float
) -> tuple[str, bytes | str]:
    """A kind and a JPEG file, or "unreadable" and why."""
    try:
        image = pictures.read(index, 0)
        kind = "gray" if chroma_percentile(image) < gray_chroma else "color"
        if min(image.size) > size:
            scale = size / min(image.size)
            width, height = (max(size, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        if kind == "gray" and image.mode == "RGB":
            image = Image.fromarray(to_gray(np.asarray(image))[..., 0])
        file = io.BytesIO()
        comment = pictures.name(index).encode("utf8", "surrogateescape")
        image.save(file, "JPEG", quality=quality, subsampling=0, comment=comment)
        return kind, file.getvalue()
    except (UnreadableImageError, OSError) as error:  # a strip of over 65,500 px cannot be a JPEG
        return "unreadable", str(error)


if __name__ == "__main__":
    main()
