"""Tiny films, written by FFmpeg, whose frames are known."""

import pathlib
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av")
cv2 = pytest.importorskip("cv2")

TICK = Fraction(1, 1000)


def scene(frames: int, height: int = 64, width: int = 96, seed: int = 0, step: int = 1) -> list[np.ndarray]:
    """Soft blobs, uint8, that move `step` px a frame to the left."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (height, width + step * frames)), (0, 0), 4)
    wide = np.clip((noise - noise.mean()) * 5 + 128, 16, 235).astype(np.uint8)
    return [np.ascontiguousarray(wide[:, step * t : step * t + width]) for t in range(frames)]


def write_film(
    path: pathlib.Path,
    lumas: Sequence[np.ndarray],
    pixels: str = "yuv420p",
    times: Sequence[int] | None = None,
    codec: str = "ffv1",
    sound: bool = False,
    **tags: object,
) -> pathlib.Path:
    """A film of these luma planes, to the bit; chroma is gray. `times` are ms, `tags` those of the frames and codec."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = lumas[0].shape
        stream.pix_fmt = pixels
        stream.codec_context.time_base = TICK
        for name in ("color_range", "colorspace", "sample_aspect_ratio"):
            if name in tags:
                setattr(stream.codec_context, name, tags[name])
        if "rotation" in tags:
            stream.set_display_rotation(tags["rotation"])
        audio = container.add_stream("pcm_s16le", rate=8000, layout="mono") if sound else None
        for number, luma in enumerate(lumas):
            frame = av.VideoFrame(stream.width, stream.height, pixels)
            for place, plane in enumerate(frame.planes):
                held = np.frombuffer(plane, luma.dtype).reshape(plane.height, -1)
                held[:] = 1 << (frame.format.components[0].bits - 1)
                if place == 0:
                    held[:, : luma.shape[1]] = luma
            frame.pts, frame.time_base = times[number] if times else 40 * number, TICK
            for name in ("color_range", "colorspace"):
                if name in tags:
                    setattr(frame, name, tags[name])
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            wave = (8000 * np.sin(np.arange(8000) / 3)).astype(np.int16)[None]
            heard = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            heard.sample_rate, heard.pts = 8000, 0
            container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
    return path


def read_film(path: pathlib.Path) -> tuple[list["av.VideoFrame"], list[float]]:
    """Its frames, and when they are shown, s."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return frames, [float(frame.pts * frame.time_base) for frame in frames]


def plane_of(frame: "av.VideoFrame", number: int = 0) -> np.ndarray:
    plane = frame.planes[number]
    dtype = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    return np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]


@pytest.fixture
def film_command(tiny_weights, monkeypatch) -> Callable[..., int]:
    """`hybridvit film` with a tiny model."""
    from hybridvit.film import command
    from hybridvit.inference import colorizer

    tiny = colorizer.Colorizer(tiny_weights)
    monkeypatch.setattr(colorizer, "load", lambda path: tiny)
    return lambda *words: command.main([str(word) for word in words])
