"""Random-access sources of pictures: files of a folder tree, ArrayRecord shards, a TFDS dataset.

Each is a `PictureSource`; so are those of `bundled` and `pairs`. In: a flag's value; out: Pillow images of mode "RGB"
or "L".
"""

import glob
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from grain.sources import ArrayRecordDataSource
from PIL import Image

from hybridvit.data.decode import UnreadableImageError, read_picture

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".avif"),
    *(".ppm", ".pgm", ".pnm"),
)


class SourceGoneError(OSError):
    """All pictures of a source are gone at once, as of a disk taken away: no reason to pass over one by one."""


@runtime_checkable
class PictureSource(Protocol):
    """Random access to pictures; pickled to worker processes."""

    def __len__(self) -> int: ...

    def read(self, index: int, min_side: int) -> Image.Image:
        """The picture, of mode "RGB" or "L", or as of `pairs`; raises `UnreadableImageError`.

        For `min_side` see `decode.read_picture`.
        """

    def key(self, index: int) -> str:
        """What fixed random choices are hashed from: cheap, the same on every machine."""

    def name(self, index: int) -> str:
        """ "set/file", for people and for the seeds of the evaluation's hints."""


class FilePictures:
    """Pictures of a folder tree; `files` are paths relative to `folder`, with "/"."""

    def __init__(self, folder: str, files: Sequence[str]):
        self.folder = folder
        self.files = files
        self.set_name = Path(folder).resolve().name

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`; raises `SourceGoneError` where the folder is gone."""
        try:
            return read_picture(os.path.join(self.folder, self.files[index]), min_side)
        except UnreadableImageError:
            self._check_there()
            raise

    def _check_there(self) -> None:
        try:
            with os.scandir(self.folder) as entries:
                reason = None if any(entries) else "it is empty"
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
        if reason:
            remedy = "bring them back, and the same command goes on"
            raise SourceGoneError(f"the pictures of {self.folder} are gone ({reason}): {remedy}")

    def key(self, index: int) -> str:
        """The path inside the folder."""
        return self.files[index]

    def name(self, index: int) -> str:
        """The folder's own name, and the path inside."""
        return f"{self.set_name}/{self.files[index]}"


class RecordPictures:
    """Encoded pictures in ArrayRecord shards, as `hybridvit.data.pack` writes them (other image records will do)."""

    def __init__(self, shards: Sequence[str], set_name: str):
        self.set_name = set_name
        self._records = ArrayRecordDataSource(list(shards))

    def __len__(self) -> int:
        return len(self._records)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`."""
        return read_picture(_fetch(self._records, index), min_side)

    def key(self, index: int) -> str:
        """The position in the shards."""
        return str(index)

    def name(self, index: int) -> str:
        """The name that `pack` wrote into the JPEG as its comment; without one, the position."""
        try:
            with Image.open(io.BytesIO(self._records[index])) as image:
                return image.info["comment"].decode()
        except (OSError, KeyError, UnicodeDecodeError, AttributeError):
            return f"{self.set_name}/{index}"


class TfdsPictures:
    """The 'image' feature of a TFDS dataset in ArrayRecord format; read without TensorFlow, decoded by us."""

    def __init__(self, examples: Sequence[dict[str, Any]], set_name: str):
        self.set_name = set_name
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`."""
        return read_picture(_fetch(self._examples, index)["image"], min_side)

    def key(self, index: int) -> str:
        """The position in the split."""
        return str(index)

    def name(self, index: int) -> str:
        """Dataset, split and position."""
        return f"{self.set_name}/{index}"


def open_folder(folder: str, flag: str) -> FilePictures:
    """All pictures of a folder tree in sorted order; hidden files and folders are passed over.

    Args:
      folder: "~" is expanded; links are followed.
      flag: the flag that names the folder, for errors.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: it holds no picture.
    """
    if not folder:
        raise ValueError(f"{flag} is empty: set it to a folder of pictures")
    root = os.path.expanduser(folder)
    if not os.path.isdir(root):
        raise FileNotFoundError(f"{flag}: no such folder '{folder}'")
    files = sorted(_walk(root))
    if not files:
        raise ValueError(f"{flag}: '{folder}' holds no picture (.jpg, .png, .tif, .webp, ...)")
    return FilePictures(root, files)


def open_records(pattern: str, flag: str) -> RecordPictures:
    """The pictures of the ArrayRecord files that match a glob, in the files' sorted order.

    Raises:
      FileNotFoundError: no file matches.
      ValueError: no pattern, files of another format, or no record in them.
    """
    if not pattern:
        raise ValueError(f"{flag} is empty: set it to a glob of files written by hybridvit.data.pack")
    shards = sorted(glob.glob(os.path.expanduser(pattern)))
    if not shards:
        raise FileNotFoundError(f"{flag}: no file matches '{pattern}'")
    try:
        pictures = RecordPictures(shards, set_name=Path(shards[0]).name.split("-000")[0])
        count = len(pictures)
    except Exception as error:  # ArrayRecord raises its own, undocumented ones
        raise ValueError(f"{flag}: '{pattern}' are no sound ArrayRecord files (a copy cut short?)") from error
    if not count:
        raise ValueError(f"{flag}: the files of '{pattern}' hold no picture")
    return pictures


def open_tfds(dataset: str, split: str, data_dir: str, split_flag: str) -> TfdsPictures:
    """A split of a TFDS dataset that was prepared as ArrayRecord.

    Args:
      dataset: TFDS name ("cifar10", "imagenet2012:5.1.0"), or the folder of a prepared one.
      split: "train", "test[:10%]", ...
      data_dir: TFDS's data folder; empty: its default.
      split_flag: the flag that names the split, for errors.

    Raises:
      ImportError: tensorflow_datasets is missing.
      ValueError: unknown, not prepared, another format, no such split, no colour image in it.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        message = "config.data.kind 'tfds' needs TensorFlow Datasets: pip install 'hybridvit[train]'"
        raise ImportError(message) from error
    flag = "--config.data.tfds_name"
    if not dataset:
        raise ValueError(f"{flag} is empty: set it to a TFDS dataset, e.g. cifar10")
    data_dir = os.path.expanduser(data_dir) or None
    try:
        if os.path.isfile(os.path.join(os.path.expanduser(dataset), "dataset_info.json")):
            builder = tfds.builder_from_directory(os.path.expanduser(dataset))
        else:
            builder = tfds.builder(dataset, data_dir=data_dir)
    except (ValueError, tfds.core.registered.DatasetNotFoundError) as error:
        where = f" (looked in '{data_dir}' too)" if data_dir else ""
        raise ValueError(f"{flag}: TFDS knows no dataset '{dataset}'{where}") from error

    location = f", data_dir='{data_dir}'" if data_dir else ""
    remedy = (
        f'with the extra [tfds] installed, run: python -c "import tensorflow_datasets as tfds; '
        f"tfds.builder('{dataset}'{location}, file_format='array_record').download_and_prepare()\""
    )
    if not builder.is_prepared():
        raise ValueError(f"{flag}: '{dataset}' is not in '{builder.data_dir}' yet: {remedy}")
    features = builder.info.features
    if "image" not in features or not isinstance(features["image"], tfds.features.Image):
        raise ValueError(f"{flag}: '{dataset}' has no image feature 'image', but {', '.join(features)}")
    if features["image"].shape[-1] == 1:
        raise ValueError(f"{flag}: '{dataset}' is grayscale: there is no colour to learn from")
    if split.split("[")[0] not in builder.info.splits:
        splits = ", ".join(builder.info.splits)
        raise ValueError(f"{split_flag}: '{dataset}' has no split '{split}', but {splits}")
    try:
        examples = builder.as_data_source(split, decoders={"image": tfds.decode.SkipDecoding()})
    except NotImplementedError as error:
        stored = f"'{dataset}' in '{builder.data_dir}' is stored as {builder.info.file_format.value}"
        remedy = f"delete that folder or set another --config.data.tfds_dir; {remedy}"
        raise ValueError(f"{flag}: {stored}, which only TensorFlow reads: {remedy}") from error
    return TfdsPictures(examples, f"{builder.info.name}/{split}")


def _fetch(records: Any, index: int) -> Any:
    try:
        return records[index]
    except Exception as error:  # undocumented ones: RuntimeError at least
        raise UnreadableImageError(f"a damaged record: {str(error).splitlines()[0][:100]}") from error


def _walk(root: str) -> list[str]:
    """Relative paths of the pictures under a folder; a link back to a folder already seen is not followed again."""
    found, seen = [], set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        found += [
            Path(folder, name).relative_to(root).as_posix()
            for name in files
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return found
