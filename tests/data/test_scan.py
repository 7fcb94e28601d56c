"""The look through a folder: what is found, what is remembered, what is said."""

import json
import logging
import os

import numpy as np
import pytest
from PIL import Image

from hybridvit.data import scan as scan_module
from hybridvit.data.scan import scan_folder
from hybridvit.data.sources import open_folder


@pytest.fixture
def mixed_dir(color_dir, photo):
    """12 colour pictures, three gray ones of different kinds, a toned print, two unreadable ones."""
    photo(20).convert("L").save(color_dir / "gray_l.png")
    photo(21).convert("L").convert("RGB").save(color_dir / "gray_rgb.png")
    noisy = np.asarray(photo(22).convert("L"))[..., None] + np.random.default_rng(0).integers(
        0, 3, (40, 48, 3)
    )
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(color_dir / "gray_scan.png")
    toned = np.asarray(photo(23).convert("L"))[..., None] * np.array([1.0, 0.87, 0.66])
    Image.fromarray(toned.astype(np.uint8)).save(color_dir / "sepia.png")
    (color_dir / "text.jpg").write_text("not a picture")
    (color_dir / "empty.jpg").write_bytes(b"")
    return color_dir


def names(pictures, indices):
    return {pictures.files[i] for i in indices}


def test_gray_and_unreadable_ones_are_found(mixed_dir, caplog):
    pictures = open_folder(str(mixed_dir), "--x")
    scan = scan_folder(pictures, 4.0, cache_dir="")
    assert names(pictures, scan.gray) == {"gray_l.png", "gray_rgb.png", "gray_scan.png"}
    assert names(pictures, scan.unreadable) == {"text.jpg", "empty.jpg"}
    assert len(scan.color) == 13
    assert "sepia.png" in names(pictures, scan.color)
    warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted(warned) == [
        "unreadable picture color/empty.jpg (an empty file): left out",
        "unreadable picture color/text.jpg (no picture of a known format): left out",
    ]


def test_second_look_reads_only_what_changed(mixed_dir, tmp_path, photo, monkeypatch):
    cache = tmp_path / "cache"
    looked = []
    look = scan_module._look
    monkeypatch.setattr(
        scan_module, "_look", lambda pictures, i: (looked.append(pictures.files[i]), look(pictures, i))[1]
    )

    def scan():
        looked.clear()
        pictures = open_folder(str(mixed_dir), "--x")
        found = scan_folder(pictures, 4.0, str(cache))
        return [names(pictures, part) for part in (found.color, found.gray, found.unreadable)]

    first = scan()
    assert len(looked) == 18
    assert scan() == first
    assert sorted(looked) == ["empty.jpg", "text.jpg"]  # unreadable ones are tried again

    photo(30).save(mixed_dir / "gray_l.png")
    os.utime(mixed_dir / "gray_l.png", ns=(1, 1))
    photo(31).save(mixed_dir / "new.png")
    (mixed_dir / "p03.png").unlink()
    color, gray, _ = scan()
    assert sorted(looked) == ["empty.jpg", "gray_l.png", "new.png", "text.jpg"]
    assert {"gray_l.png", "new.png"} <= color
    assert gray == {"gray_rgb.png", "gray_scan.png"}


@pytest.mark.parametrize("damage", ["{", "[]", '{"version": 0}', '{"version": 1}'])
def test_damaged_memory_is_ignored(mixed_dir, tmp_path, damage):
    pictures = open_folder(str(mixed_dir), "--x")
    first = scan_folder(pictures, 4.0, str(tmp_path))
    (file,) = tmp_path.glob("scan-*.json")
    file.write_text(damage)
    again = scan_folder(pictures, 4.0, str(tmp_path))
    np.testing.assert_array_equal(first.gray, again.gray)
    assert len(json.loads(file.read_text())["pictures"]) == 16


def test_memory_that_cannot_be_kept_is_no_error(color_dir, tmp_path):
    (tmp_path / "file").write_text("")
    assert (
        len(scan_folder(open_folder(str(color_dir), "--x"), 4.0, str(tmp_path / "file" / "cache")).color)
        == 12
    )
