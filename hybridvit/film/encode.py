"""Films out: what is coded how, and the parts of a film, one file each, that `join` puts together.

A part is Matroska with the frames' numbers for times; their true times lie beside it (`Part`). So each part begins with
a whole picture, any codec fits, and no time is rounded.
"""

import json
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from hybridvit.film.decode import LARGE, Film
from hybridvit.film.levels import Halved, Levels, Plane

Planes = tuple[Plane, Halved, Halved]
CHROMAS = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}


class Codec(NamedTuple):
    """FFmpeg's encoder; the bits it takes; the first chroma is the usual one; `range_of` options by quality."""

    encoder: str
    bits: tuple[int, ...]
    chromas: tuple[str, ...]
    quality: int | None  # CRF, None: it has none
    options: dict[str, str]


CODECS = {
    "h264": Codec("libx264", (8, 10), ("420", "422", "444"), 18, {"preset": "fast"}),
    "h265": Codec(
        "libx265",
        (8, 10, 12),
        ("420", "422", "444"),
        20,
        {"preset": "fast", "x265-params": "log-level=error"},
    ),
    "av1": Codec("libsvtav1", (8, 10), ("420",), 24, {"preset": "8"}),
    "ffv1": Codec(
        "ffv1",
        (8, 9, 10, 12, 16),
        ("444", "422", "420"),
        None,
        {"level": "3", "slicecrc": "1", "slices": "4"},
    ),
    "prores": Codec("prores_ks", (10,), ("422", "444"), None, {}),
}
# For frames of more than LARGE px. Memory: no look ahead (in x264 `force-cfr` is that of one picture; times are kept),
# one picture to refer to, threads that share a picture (files are some percent larger). FFV1 does not open with few
# slices then
_OF_LARGE = {
    "h264": {
        "x264-params": "threads=2:sliced-threads=1:sync-lookahead=0:rc-lookahead=0:ref=1:bframes=0:weightp=0:"
        "force-cfr=1"
    },
    "h265": {
        "x265-params": "log-level=error:frame-threads=1:rc-lookahead=1:bframes=0:b-adapt=0:ref=1:weightp=0"
    },
    "av1": {"svtav1-params": "lp=1:pred-struct=1:lookahead=0"},
    "ffv1": {"slices": "16"},
}


class Form(NamedTuple):
    """How a film is coded."""

    codec: str
    chroma: str
    levels: Levels
    quality: int | None

    @property
    def pixels(self) -> str:
        """FFmpeg's name of the pixel format."""
        return f"yuv{self.chroma}p" + ("" if self.levels.bits == 8 else f"{self.levels.bits}le")

    @property
    def halves(self) -> tuple[int, int]:
        """What the chroma's height and width are divided by."""
        return CHROMAS[self.chroma]


def form_of(film: Film, codec: str, chroma: str | None, quality: int | None) -> tuple[Form, list[str]]:
    """The form, and what is to be known of it. Raises ValueError, one line, where the codec has no such form."""
    known, remarks = CODECS[codec], []
    if quality is not None and known.quality is None:
        raise ValueError(f"--crf: {codec} has none: drop it")
    own = next((name for name, halves in CHROMAS.items() if halves == film.halves), None)
    if chroma is not None and chroma not in known.chromas:
        raise ValueError(
            f"--chroma {chroma}: {codec} holds {', '.join(known.chromas)}: choose one of them, or --codec ffv1"
        )
    wanted = chroma or (own if own in known.chromas else known.chromas[0])
    odd = any(size % half for size, half in zip(film.size, CHROMAS[wanted], strict=True))
    if odd:
        height, width = film.size
        if chroma is not None or "444" not in known.chromas:
            raise ValueError(
                f"{film.path}: chroma {wanted} needs even sides, and these are {width} x {height} px: "
                "--codec h264 --chroma 444"
            )
        wanted = "444"
        remarks.append(
            f"its sides of {width} x {height} px are odd: its chroma is 4:4:4, which some players do not show"
        )
    bits = min((b for b in known.bits if b >= film.levels.bits), default=max(known.bits))
    full = film.levels.full and codec != "prores"
    if bits < film.levels.bits:
        remarks.append(f"{codec} holds {bits} of its {film.levels.bits} bits: --codec ffv1 holds all")
    elif codec == "prores" and film.levels.full and film.levels.bits >= bits:
        remarks.append("prores has the limited range alone: its luma is rounded to it; --codec ffv1 keeps it")
    return Form(codec, wanted, Levels(bits, full), known.quality if quality is None else quality), remarks


class Part(NamedTuple):
    """A part's files."""

    path: Path

    @property
    def times(self) -> Path:
        """pts and duration of its frames, ticks, as they are shown; how many are decoded before their turn at most."""
        return self.path.with_suffix(".json")

    @property
    def memory(self) -> Path:
        """What its shot goes on from."""
        return self.path.with_suffix(".safetensors")

    def is_done(self) -> bool:
        """Whether all of it is there: its memory comes last."""
        return self.path.exists() and self.times.exists() and self.memory.exists()


def encode_part(part: Part, film: Film, form: Form, frames: Iterable[tuple[Planes, int, int]]) -> None:
    """Writes a part: the planes Y', Cb and Cr of each frame with its pts and duration; whole or not at all."""
    unfinished = part.path.with_suffix(".part")
    times: list[tuple[int, int]] = []
    try:
        with av.open(str(unfinished), "w", format="matroska") as container:
            stream = _stream(container, film, form)
            context = stream.codec_context
            numbers: dict[int, int] = {}
            written = delay = 0

            def write(packets: "list[av.Packet]") -> None:
                nonlocal written, delay
                for packet in packets:
                    number = numbers[packet.pts]
                    delay = max(delay, written - number)
                    packet.time_base = Fraction(1, 1000)
                    # Times may not lie before those of decoding: all are some ticks later
                    packet.pts, packet.dts, packet.duration = number + 32, written, 1
                    written += 1
                    container.mux(packet)

            for planes, pts, duration in frames:
                frame = _frame(planes, form, film)
                del planes  # large frames are held once at a time
                frame.pts, frame.time_base, frame.duration = pts, film.time_base, duration
                numbers[pts] = len(times)
                times.append((pts, duration))
                write(context.encode(frame))
                del frame
            write(context.encode(None))
        part.times.write_text(json.dumps({"times": times, "delay": delay}))
        os.replace(unfinished, part.path)
    finally:
        unfinished.unlink(missing_ok=True)


def _stream(container: "av.container.OutputContainer", film: Film, form: Form) -> "av.VideoStream":
    known = CODECS[form.codec]
    options = dict(known.options)
    if known.quality is not None:
        options["crf"] = str(form.quality)
    if form.codec == "prores":
        options["profile"] = "4" if form.chroma == "444" else "3"
    if film.size[0] * film.size[1] > LARGE:
        options |= _OF_LARGE.get(form.codec, {})
    stream = container.add_stream(known.encoder, rate=film.rate.limit_denominator(65535), options=options)
    stream.height, stream.width = film.size
    stream.pix_fmt = form.pixels
    context = stream.codec_context
    context.time_base = film.time_base
    context.sample_aspect_ratio = film.aspect
    context.color_range = 2 if form.levels.full else 1
    context.colorspace = film.matrix.tag
    context.color_primaries, context.color_trc = (
        _supposed(tag, film, which) for which, tag in enumerate(film.tags)
    )
    return stream


def _supposed(tag: int, film: Film, which: int) -> int:
    """The film's own tag, or the one that goes with its matrix: 1 of BT.709, 6 of BT.601."""
    if tag != 2:
        return tag
    if film.matrix.tag == 9:
        return (9, 14)[which]
    return {1: 1, 7: 7}.get(film.matrix.tag, (5, 6)[film.matrix.tag == 6] if which == 0 else 6)


def _frame(planes: Planes, form: Form, film: Film) -> "av.VideoFrame":
    height, width = film.size
    frame = av.VideoFrame(width, height, form.pixels)
    for plane, into in zip(planes, frame.planes, strict=True):
        held = np.frombuffer(into, plane.dtype).reshape(into.height, -1)
        held[:, : plane.shape[1]] = plane
    frame.color_range = 2 if form.levels.full else 1
    frame.colorspace = film.matrix.tag
    return frame
