"""Packing a folder: what is in the shards, and what the command says."""

import io

import numpy as np
import pytest
from grain.sources import ArrayRecordDataSource
from PIL import Image

from hybridvit.data.pack import main, pack_folder
from hybridvit.data.sources import open_folder, open_records


@pytest.fixture
def mixed_dir(color_dir, photo):
    photo(20, 200, 100).convert("L").save(color_dir / "gray_l.png")
    photo(21).convert("L").convert("RGB").save(color_dir / "gray_rgb.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(22, 128, 64).save(color_dir / "große.jpg", exif=exif, quality=98, subsampling=0)
    (color_dir / "junk.jpg").write_text("junk")
    return color_dir


def names(pattern) -> list[str]:
    records = open_records(str(pattern), "--x")
    return [records.name(i) for i in range(len(records))]


def test_records(mixed_dir, tmp_path):
    count, unreadable = pack_folder(
        open_folder(str(mixed_dir), "--x"), str(tmp_path / "out" / "p"), size=32, shards=4
    )
    assert count == {"color": 13, "gray": 2}
    assert unreadable == {"color/junk.jpg": "no picture of a known format"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *(f"p-color-0000{i}-of-00004.array_record" for i in range(4)),
        *(f"p-gray-0000{i}-of-00002.array_record" for i in range(2)),
    ]
    packed = names(tmp_path / "out" / "p-color-*")
    assert set(packed) == {f"color/{'sub/' if i > 8 else ''}p{i:02d}.png" for i in range(12)} | {
        "color/große.jpg"
    }
    assert set(names(tmp_path / "out" / "p-gray-*")) == {"color/gray_l.png", "color/gray_rgb.png"}

    records = open_records(str(tmp_path / "out" / "p-color-*"), "--x")
    upright = records.read(packed.index("color/große.jpg"), 0)
    assert upright.size == (32, 64)
    expected = (
        Image.open(mixed_dir / "große.jpg")
        .rotate(-90, expand=True)
        .resize((32, 64), Image.Resampling.BICUBIC)
    )
    assert np.abs(np.asarray(upright, float) - np.asarray(expected, float)).mean() < 4
    for record in ArrayRecordDataSource([str(path) for path in (tmp_path / "out").glob("p-color-*")]):
        image = Image.open(io.BytesIO(record))
        assert image.format == "JPEG"
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # 4:4:4


def test_gray_is_stored_as_gray_and_nothing_is_enlarged(mixed_dir, tmp_path):
    pack_folder(open_folder(str(mixed_dir), "--x"), str(tmp_path / "p"), size=90, shards=1)
    records = open_records(str(tmp_path / "p-gray-*"), "--x")
    assert [(records.read(i, 0).mode, records.read(i, 0).size) for i in range(2)] == [
        ("L", (180, 90)),
        ("L", (48, 40)),
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_same_folder_same_bytes(mixed_dir, tmp_path, threads):
    pictures = open_folder(str(mixed_dir), "--x")
    pack_folder(pictures, str(tmp_path / "a"), size=32, shards=2, threads=2)
    pack_folder(pictures, str(tmp_path / "b"), size=32, shards=2, threads=threads)
    first, second = ([path.read_bytes() for path in sorted(tmp_path.glob(f"{name}-*"))] for name in "ab")
    assert len(first) == 4
    assert first == second


def test_command(mixed_dir, tmp_path, capsys):
    arguments = ["--input", str(mixed_dir), "--output", str(tmp_path / "p"), "--size", "32"]
    main(arguments)
    output = capsys.readouterr().out
    assert "packed 13 colour and 2 grayscale pictures; 1 unreadable" in output
    assert "unreadable: color/junk.jpg (no picture of a known format)" in output

    with pytest.raises(SystemExit, match=r"^pack: --output: .*p-color-.* is there already: .*--overwrite$"):
        main(arguments)
    main([*arguments, "--overwrite", "--shards", "2"])
    assert len(list(tmp_path.glob("p-*"))) == 4
    assert len(names(tmp_path / "p-color-*")) == 13

    with pytest.raises(SystemExit, match=r"^pack: --input: no such folder 'nowhere'$"):
        main(["--input", "nowhere", "--output", "x"])


def test_failure_leaves_nothing_behind(tmp_path):
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "a.jpg").write_text("junk")
    (tmp_path / "p-color-00000-of-00001.array_record").write_text("old")
    pictures = open_folder(str(tmp_path / "junk"), "--x")
    with pytest.raises(ValueError, match="none of the 1 pictures is readable"):
        pack_folder(pictures, str(tmp_path / "p"), overwrite=True)
    assert [path.name for path in tmp_path.glob("p-*")] == ["p-color-00000-of-00001.array_record"]
