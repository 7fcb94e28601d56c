"""What is coded: here, frames above the size from which memory counts more than speed."""

import dataclasses

import numpy as np
import pytest

av = pytest.importorskip("av")

from hybridvit.film import decode, encode  # noqa: E402
from hybridvit.film.levels import fitted  # noqa: E402
from tests.film.conftest import scene, write_film  # noqa: E402


@pytest.mark.parametrize("codec", ["h264", "h265", "av1", "ffv1", "prores"])
def test_large_frames_are_coded_frugally_and_all_there(tmp_path, monkeypatch, codec):
    monkeypatch.setattr(encode, "LARGE", 0)
    lumas = scene(6, 64, 64)
    film = decode.open_film(write_film(tmp_path / "film.mkv", lumas))
    form, _ = encode.form_of(film, codec, None, None)
    size = tuple(side // half for side, half in zip(film.size, form.halves, strict=True))
    gray = np.full(size, form.levels.gray, form.levels.dtype)
    part = encode.Part(tmp_path / "part.mkv")
    coded = [fitted(luma, film.levels, form.levels) for luma in lumas]
    encode.encode_part(part, film, form, (((one, gray, gray), 40 * t, 40) for t, one in enumerate(coded)))
    decoded = [frame.luma.astype(int) for frame in decode.open_film(part.path).frames()]
    apart = [np.abs(a - b).mean() / form.levels.span for a, b in zip(decoded, coded, strict=True)]
    assert max(apart) <= (0 if codec == "ffv1" else 0.02)


def test_ffv1_opens_for_8k(tmp_path):
    """With few slices FFmpeg refuses it."""
    film = decode.open_film(write_film(tmp_path / "film.mkv", scene(1, 64, 64)))
    large = dataclasses.replace(film, size=(4320, 7680))
    form, _ = encode.form_of(large, "ffv1", None, None)
    with av.open(str(tmp_path / "part.mkv"), "w", format="matroska") as container:
        encode._stream(container, large, form).codec_context.open()
