"""Folders of frames, and frames from Python."""

import av
import numpy as np
import pytest
from PIL import Image

from hybridvit.film.frames import color_frames
from hybridvit.film.shots import AROUND
from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import photo_of, read_photo, read_provenance, write_photo
from tests.film.conftest import scene


def test_a_folder_of_16_bit_frames_becomes_one(film_command, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    lumas = [luma.astype(np.uint16) * 257 for luma in scene(3)]
    for number, luma in enumerate(lumas, 9):  # 9, 10, 11: by number, not by letter
        write_photo(folder / f"f{number}.tif", np.dstack([luma] * 3), photo_of(luma), {}, "tiff")
    assert film_command(folder, "--output", tmp_path / "out") == 0
    results = [read_photo(tmp_path / "out" / f"f{number}.tif") for number in (9, 10, 11)]
    assert [(one.bits, one.pixels.shape) for one in results] == [(16, (64, 96, 3))] * 3
    assert np.ptp(results[0].pixels.astype(int), -1).mean() > 500
    assert read_provenance(tmp_path / "out" / "f9.tif")["source"] == "f9.tif"
    capsys.readouterr()
    assert film_command(folder, "--output", tmp_path / "out") == 0
    assert "0 frames coloured, 3 done already" in capsys.readouterr().out


def test_dpx_is_read_and_written_as_tiff(film_command, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, luma in enumerate(scene(2)):
        frame = av.VideoFrame.from_ndarray(np.dstack([luma] * 3), format="rgb24")
        with av.open(
            str(folder / f"{number}.dpx"), "w", format="image2", options={"update": "1"}
        ) as container:
            stream = container.add_stream("dpx", rate=1)
            stream.height, stream.width, stream.pix_fmt = 64, 96, "rgb24"
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    assert film_command(folder, "--output", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.tif", "1.tif"]


def test_a_folder_that_is_no_film_is_one_line(film_command, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(scene(1)[0]).save(folder / "a.png")
    Image.fromarray(scene(1, 32, 32)[0]).save(folder / "b.png")
    for given, said in (
        (folder, "b.png: it is of another size"),
        (tmp_path / "none", "no such film or folder"),
    ):
        with pytest.raises(SystemExit):
            film_command(given, "--output", tmp_path / "out")
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        film_command(folder, "--output", tmp_path / "out", "--deinterlace")
    assert "--deinterlace: frames in files have none" in capsys.readouterr().err


def test_frames_from_python_are_taken_as_they_are_needed(tiny_weights):
    taken = []

    def frames():
        for number, frame in enumerate(scene(12) + scene(12, seed=5)):
            taken.append(number)
            yield frame

    colored = color_frames(Colorizer(tiny_weights), frames())
    first = next(colored)
    assert first.shape == (64, 96, 3)
    assert first.dtype == np.uint8
    assert len(taken) <= 12 + 1 + AROUND  # the first shot, and as many as tell where it ends
    assert len(list(colored)) == 23
    with pytest.raises(ValueError, match="frame 1 is"):
        list(color_frames(Colorizer(tiny_weights), [scene(1)[0], scene(1, 32, 32)[0]]))
    with pytest.raises(ValueError, match="not drawn"):
        next(color_frames(Colorizer(tiny_weights), scene(1), decode="sample"))
