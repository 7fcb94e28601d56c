"""Films in a job of bulk colouring."""

import argparse
import pathlib

import pytest

pytest.importorskip("apache_beam", reason="bulk colouring needs apache-beam")
pytest.importorskip("av", reason="films need PyAV")

from hybridvit.bulk import command, films, pipeline
from hybridvit.bulk.found import Found
from hybridvit.film.names import is_film, result_of
from hybridvit.film.statement import statement_of
from hybridvit.inference.colorizer import Colorizer
from tests.commands import call
from tests.film.conftest import read_film, scene, write_film


def test_names():
    assert is_film("box/REEL.MPG")
    assert not is_film("reel.mp4.txt")
    assert [result_of(name) for name in ("box/a.mp4", "a.avi", "b.WEBM")] == [
        "box/a.mp4",
        "a.avi.mkv",
        "b.WEBM.mkv",
    ]


def test_films_beside_photographs_are_coloured_once_and_bad_ones_named(
    tiny_weights, tmp_path, monkeypatch, capsys
):
    tiny = Colorizer(tiny_weights)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "load", lambda task: tiny)
    pathlib.Path("reels/box").mkdir(parents=True)
    write_film(tmp_path / "reels/box/a.mkv", scene(4))
    pathlib.Path("reels/bad.avi").write_bytes(b"not a film")
    code, said, _ = call(command.main, "reels --output out", capsys)
    assert code == 1
    assert "1 coloured, 1 failed" in said[0]
    assert "no film" in pathlib.Path("out/failed.jsonl").read_text()
    assert len(read_film(pathlib.Path("out/box/a.mkv"))[0]) == 4
    assert "generated" in statement_of("out/box/a.mkv")["statement"]
    pathlib.Path("reels/bad.avi").unlink()
    code, said, _ = call(command.main, "reels --output out", capsys)
    assert (code, said) == (0, [f"{tmp_path / 'out'}: 0 coloured, 1 done already, 0.0 MB written"])


def test_options_of_photographs_are_refused():
    options = argparse.Namespace(method=None, samples=3, format=None, uncertainty=False)
    with pytest.raises(ValueError, match="--samples is for photographs"):
        films.color(Found("/scans/a.mkv", "/scans"), options, "/out", None, pathlib.Path("/nowhere"))
