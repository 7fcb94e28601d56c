"""Folder trees, ArrayRecord shards and TFDS datasets; and their errors, one line that names the flag."""

import io
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from array_record.python.array_record_module import ArrayRecordWriter
from PIL import Image

from hybridvit.data.decode import UnreadableImageError
from hybridvit.data.sources import open_folder, open_records, open_tfds


def test_folder_is_walked_in_sorted_order(photo, tmp_path):
    root = tmp_path / "photos"
    for name in [
        "b.JPG",
        "a.png",
        "sub/deep/c.Tiff",
        "sub/d.webp",
        ".hidden.png",
        ".thumbs/e.png",
        "notes.txt",
    ]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith(".txt"):
            photo(0).save(root / name)
    (root / "notes.txt").write_text("no picture")
    (root / "sub" / "loop").symlink_to(root, target_is_directory=True)
    pictures = open_folder(str(root), "--flag")
    names = [pictures.name(i) for i in range(len(pictures))]
    assert names == ["photos/a.png", "photos/b.JPG", "photos/sub/d.webp", "photos/sub/deep/c.Tiff"]
    assert pictures.read(0, 0).size == (48, 40)


def test_linked_folders_are_followed(photo, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    photo(0).save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert open_folder(str(tmp_path / "photos"), "--flag").files == ["link/a.png"]


def test_folder_errors(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"^--config.data.color_dir: no such folder 'nowhere'$"):
        open_folder("nowhere", "--config.data.color_dir")
    with pytest.raises(
        ValueError, match=r"^--x: '.*empty' holds no picture \(.jpg, .png, .tif, .webp, ...\)$"
    ):
        open_folder(str(tmp_path / "empty"), "--x")
    with pytest.raises(ValueError, match=r"^--x is empty: set it to a folder"):
        open_folder("", "--x")


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def write_records(path: Path, records: list[bytes]) -> None:
    writer = ArrayRecordWriter(str(path), "group_size:1")
    for record in records:
        writer.write(record)
    writer.close()


def test_records_of_any_image_format(photo, tmp_path):
    write_records(tmp_path / "x-1.array_record", [png(photo(1)), b"junk"])
    write_records(tmp_path / "x-0.array_record", [png(photo(0))])
    pictures = open_records(str(tmp_path / "x-*.array_record"), "--flag")
    assert len(pictures) == 3
    np.testing.assert_array_equal(np.asarray(pictures.read(1, 0)), np.asarray(photo(1)))
    with pytest.raises(UnreadableImageError):
        pictures.read(2, 0)
    assert [pictures.name(i).split("/")[1] for i in range(3)] == ["0", "1", "2"]


def test_damaged_record_is_unreadable(photo, tmp_path):
    path = tmp_path / "x.array_record"
    write_records(path, [png(photo(i, 300, 300)) for i in range(3)])
    content = bytearray(path.read_bytes())
    place = content.index(png(photo(1, 300, 300))[:64])
    content[place + 100 : place + 110] = b"0123456789"
    path.write_bytes(content)
    pictures = open_records(str(path), "--flag")
    pictures.read(0, 0)
    with pytest.raises(UnreadableImageError):
        pictures.read(1, 0)


def test_records_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^--x: no file matches '.*none-\*'$"):
        open_records(str(tmp_path / "none-*"), "--x")
    with pytest.raises(ValueError, match=r"^--x is empty: set it to a glob"):
        open_records("", "--x")
    (tmp_path / "junk").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match=r"^--x: '.*junk' are no sound ArrayRecord files"):
        open_records(str(tmp_path / "junk"), "--x")
    write_records(tmp_path / "nothing", [])
    with pytest.raises(ValueError, match=r"^--x: the files of '.*nothing' hold no picture"):
        open_records(str(tmp_path / "nothing"), "--x")


def test_tfds_by_name_and_by_folder(prepare_tfds, tmp_path):
    data_dir = prepare_tfds(tmp_path)
    pictures = open_tfds("tiny_photos", "train", str(data_dir), "--split")
    assert len(pictures) == 10
    assert pictures.name(4) == "tiny_photos/train/4"
    junk = unreadable(pictures)
    assert len(junk) == 1
    assert {pictures.read(i, 0).mode for i in range(10) if i not in junk} == {"RGB", "L"}
    by_folder = open_tfds(str(data_dir / "tiny_photos" / "1.0.0"), "test[:2]", "", "--split")
    assert len(by_folder) == 2
    copy = pickle.loads(pickle.dumps(by_folder))
    np.testing.assert_array_equal(np.asarray(copy.read(0, 0)), np.asarray(by_folder.read(0, 0)))


def unreadable(pictures) -> list[int]:
    junk = []
    for i in range(len(pictures)):
        try:
            pictures.read(i, 0)
        except UnreadableImageError:
            junk.append(i)
    return junk


def test_tfds_errors(prepare_tfds, tmp_path, monkeypatch):
    data_dir = prepare_tfds(tmp_path / "sound")

    def fails(message, dataset="tiny_photos", split="train", folder=data_dir):
        with pytest.raises(ValueError, match=message) as caught:
            open_tfds(dataset, split, str(folder), "--config.data.tfds_split")
        assert "\n" not in str(caught.value)

    fails(r"^--config.data.tfds_name is empty", dataset="")
    fails(r"^--config.data.tfds_name: TFDS knows no dataset 'nonesuch'", dataset="nonesuch")
    fails(r"^--config.data.tfds_split: 'tiny_photos' has no split 'dev', but train, test$", split="dev")
    fails(
        r"'tiny_photos' is not in '.*' yet: with the extra .tfds. installed, run: python -c .*array_record",
        folder=tmp_path / "void",
    )
    prepare_tfds(tmp_path, gray=True)
    fails(r"'tiny_gray' is grayscale", dataset="tiny_gray", folder=tmp_path)

    prepare_tfds(tmp_path)
    path = tmp_path / "tiny_photos" / "1.0.0" / "dataset_info.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps(info | {"fileFormat": "tfrecord"}))
    fails(r"is stored as tfrecord, which only TensorFlow reads: .*download_and_prepare", folder=tmp_path)

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match="pip install"):
        open_tfds("tiny_photos", "train", str(data_dir), "--split")
