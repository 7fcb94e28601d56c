"""Pictures made by the tests themselves."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from configs.base import get_config


@pytest.fixture(autouse=True)
def temporary_files_in_the_test_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TFDS leaves an empty folder behind for each dataset that it is asked for."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def _photo(seed: int, width: int = 48, height: int = 40) -> Image.Image:
    """A smooth colourful picture, another for each seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def photo():
    return _photo


@pytest.fixture
def color_dir(tmp_path: Path) -> Path:
    """Twelve colour photographs, three of them below a subfolder."""
    folder = tmp_path / "color"
    (folder / "sub").mkdir(parents=True)
    for i in range(12):
        _photo(i).save(folder / ("sub" if i >= 9 else "") / f"p{i:02d}.png")
    return folder


@pytest.fixture
def config() -> ConfigDict:
    """`config.data`, small."""
    data = get_config().data.copy_and_resolve_references()
    with data.unlocked():
        data.image_size, data.batch_size, data.unlabeled_batch_size = 24, 4, 8
    return data


@pytest.fixture
def folder_config(config: ConfigDict, color_dir: Path) -> ConfigDict:
    config.kind = "folder"
    config.color_dir = str(color_dir)
    return config


@pytest.fixture(scope="session")
def prepare_tfds() -> Callable[..., Path]:
    """`prepare_tfds(folder, gray=False)` makes the TFDS dataset tiny_photos (or tiny_gray), without TensorFlow.

    Split "train" holds ten flat pictures, of red 20 i; the fourth is gray, the eighth is junk. "test" holds three.
    """
    import tensorflow_datasets as tfds

    class TinyPhotos(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        code_path = None  # TFDS 4.9.10 looks for it with a package that it does not require
        channels = 3

        def _info(self):
            image = tfds.features.Image(shape=(None, None, self.channels), encoding_format="png")
            features = tfds.features.FeaturesDict({"image": image, "label": np.int64})
            return tfds.core.DatasetInfo(builder=self, description="x", features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(0, 10), "test": self._generate_examples(10, 13)}

        def _generate_examples(self, start, stop):
            for i in range(start, stop):
                image = Image.new("RGB", (24, 20), (20 * i, 255 - 20 * i, 128))
                if i == 3 or self.channels == 1:
                    image = image.convert("L")
                file = io.BytesIO()
                image.save(file, "PNG")
                yield i, {"image": b"junk" if i == 7 else file.getvalue(), "label": i}

    class TinyGray(TinyPhotos):
        channels = 1

    def prepare(folder: Path, gray: bool = False) -> Path:
        builder = (TinyGray if gray else TinyPhotos)(data_dir=str(folder), file_format="array_record")
        builder.download_and_prepare()
        return folder

    return prepare
