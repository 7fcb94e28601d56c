"""Films in: what FFmpeg reads, a frame at a time, as luma planes that are what the file holds.

Of frames in RGB the luma is made (they are gray: their red); frames of interlaced films are refused, or made full ones
by FFmpeg's bwdif filter. What cannot be decoded is passed over and counted.
"""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import Float

from hybridvit.extras import needing
from hybridvit.film.deflicker import levelled
from hybridvit.film.levels import BT601, BT709, MATRICES, Levels, Matrix, Plane

with needing("film", "films need"):
    import av

_PROBED = 10  # frames, by which an interlaced film is known
_HDR = {16: "PQ", 18: "HLG"}  # transfer functions, ITU-T H.273 table 3
LARGE = 2560 * 1920  # px of a frame, above which speed is given for memory
_HD = 720  # rows from which an unnamed matrix is BT.709, below BT.601


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """One frame: its luma, and when it is shown, in ticks of the film's time base."""

    index: int
    luma: Plane
    pts: int
    duration: int


@dataclasses.dataclass(frozen=True, eq=False)
class Film:
    """A film that can be decoded again and again.

    Attributes:
      path: of its file.
      size: height and width of its planes.
      levels: of its luma.
      matrix: of its colours, named or, by its height, supposed.
      halves: what its chroma's height and width are divided by; None where it has none.
      tags: numbers of its primaries and transfer function, ITU-T H.273; 2 where it names none.
      turns: quarter turns counterclockwise to be upright; `display` is the file's matrix, nine numbers, None without.
      aspect: width of a pixel over its height.
      time_base: seconds of a tick.
      rate: frames a second, about.
      frames_told: how many frames the file says it has, 0 where it does not.
      deinterlaced: whether full frames are made of fields.
      gains: what the luma of each frame is multiplied by (`deflicker`); None: it stays as it is.
    """

    path: Path
    size: tuple[int, int]
    levels: Levels
    matrix: Matrix
    halves: tuple[int, int] | None
    tags: tuple[int, int]
    turns: int
    display: tuple[int, ...] | None
    aspect: Fraction
    time_base: Fraction
    rate: Fraction
    frames_told: int
    deinterlaced: bool
    gains: Float[np.ndarray, " n"] | None = None
    damaged: list[float] = dataclasses.field(
        default_factory=list
    )  # seconds: where the last reading met damage

    def frames(self) -> Iterator[Frame]:
        """All frames in the order they are shown. Raises ValueError where size or format changes on the way."""
        self.damaged.clear()
        last: int | None = None
        step = max(1, round(1 / (self.rate * self.time_base)))
        for index, frame in enumerate(_decoded(self.path, self.deinterlaced, self.damaged)):
            here = f"{self.path}: frame {index + 1}"
            if (frame.height, frame.width) != self.size:
                raise ValueError(
                    f"{here} has {frame.width} x {frame.height} px, "
                    f"those before {self.size[1]} x {self.size[0]}: cut it there"
                )
            luma, levels = _luma(frame, self.path)
            if levels != self.levels:
                raise ValueError(f"{here} has other bits or another range than those before: cut it there")
            pts = frame.pts
            if pts is not None and frame.time_base != self.time_base:
                pts = round(pts * frame.time_base / self.time_base)
            if pts is None or (last is not None and pts <= last):
                pts = 0 if last is None else last + (step if pts is None else 1)
            last = pts
            if self.gains is not None:
                luma = levelled(luma, levels, self.gains[index])
            yield Frame(index, luma, pts, round(frame.duration or step))

    def frames_since(self, pts: int) -> Iterator[tuple[int, Plane]]:
        """Times, ticks, and lumas from somewhere before `pts` on, without reading what lies before where the file can
        be entered; frames that have no time of their own, or another form than the first, are left out.
        """
        for frame in _decoded(self.path, self.deinterlaced, [], pts):
            if frame.pts is None or (frame.height, frame.width) != self.size:
                continue
            luma, levels = _luma(frame, self.path)
            if levels == self.levels:
                yield round(frame.pts * (frame.time_base or self.time_base) / self.time_base), luma


class InterlacedError(ValueError):
    """The film has to be deinterlaced."""


def open_film(path: Path, deinterlace: bool = False) -> Film:
    """Opens a film by its first frames.

    Raises:
      OSError: it cannot be opened.
      ValueError: it is none, has no pictures, is interlaced (without `deinterlace`: InterlacedError), or HDR; one line
        that names it.
    """
    decoded = itertools.islice(_decoded(path, deinterlace, []), _PROBED)
    first = next(decoded, None)
    if first is None:
        raise ValueError(f"{path}: no frame of it can be decoded")
    interlaced = [first.interlaced_frame, *(frame.interlaced_frame for frame in decoded)]
    if not deinterlace and sum(interlaced) * 2 > len(interlaced):
        raise InterlacedError(f"{path}: it is interlaced: --deinterlace makes full frames of its fields")
    with opened(path) as container:
        stream = _pictures(container, path)
        time_base = stream.time_base or first.time_base or Fraction(1, 1000)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        told, aspect = stream.frames, stream.sample_aspect_ratio
    if int(first.color_trc) in _HDR:
        raise ValueError(
            f"{path}: it is {_HDR[int(first.color_trc)]} film, whose brightness the model does not know: "
            "convert it to SDR"
        )
    display = next((bytes(data) for data in first.side_data if data.type.name == "DISPLAYMATRIX"), None)
    return Film(
        path,
        (first.height, first.width),
        _luma(first, path)[1],
        MATRICES.get(int(first.colorspace), BT709 if first.height >= _HD else BT601),
        _halves(first),
        (int(first.color_primaries), int(first.color_trc)),
        round(first.rotation / 90) % 4,
        None if display is None else tuple(int(n) for n in np.frombuffer(display, np.int32)),
        aspect or Fraction(1),
        time_base,
        Fraction(rate),
        told,
        deinterlace,
    )


def opened(path: Path) -> "av.container.InputContainer":
    """FFmpeg's container of a file. Raises ValueError or OSError, one line that names it, if it is none."""
    try:
        container = av.open(str(path), metadata_errors="replace")
        if container.format.name == "concat":  # a text, whatever its name: it would open other files
            container.close()
            raise ValueError(f"{path}: a list of films, not one")
        return container
    except av.error.InvalidDataError:
        empty = path.stat().st_size == 0
        raise ValueError(
            f"{path}: {'it is empty' if empty else 'no film, or one that is damaged or cut off'}"
        ) from None
    except av.error.EOFError:
        raise ValueError(f"{path}: it is empty, or cut off at its beginning") from None
    except (av.error.FileNotFoundError, av.error.PermissionError, av.error.IsADirectoryError) as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    except av.error.FFmpegError as error:
        raise ValueError(f"{path}: FFmpeg cannot open it ({error.strerror})") from None


def _pictures(container: "av.container.InputContainer", path: Path) -> "av.VideoStream":
    """The stream of moving pictures; the cover of a record is none."""
    cover = av.stream.Disposition.attached_pic
    moving = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not moving:
        what = "it holds sound alone" if container.streams.audio else "it holds no pictures"
        raise ValueError(f"{path}: {what}")
    return moving[0]


def _decoded(
    path: Path, deinterlace: bool, damaged: list[float], since: int | None = None
) -> Iterator["av.VideoFrame"]:
    """The frames; those from `since` on (ticks, and some before it) where the file can be entered there, else all."""
    with opened(path) as container:
        stream = _pictures(container, path)
        # A thread a frame holds a frame each, and what FFmpeg knows of it: too much where frames are large
        stream.thread_type = "SLICE" if stream.width * stream.height > LARGE else "AUTO"
        if since is not None:
            with contextlib.suppress(av.error.FFmpegError):
                container.seek(since, stream=stream)
        graph = _deinterlacer(stream) if deinterlace else None
        for packet in _packets(container, stream, damaged):
            try:
                frames = packet.decode()
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                damaged.append(float((packet.pts or 0) * packet.time_base))
                continue
            for frame in frames:
                if graph is None:
                    yield frame
                    continue
                graph.push(frame)
                yield from _pulled(graph)
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph)


def _packets(
    container: "av.container.InputContainer", stream: "av.VideoStream", damaged: list[float]
) -> Iterator["av.Packet"]:
    at = 0.0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:  # what follows is lost
            damaged.append(at)
            return
        if packet is None:
            return
        at = float(packet.pts * packet.time_base) if packet.pts is not None else at
        yield packet


def _deinterlacer(stream: "av.VideoStream") -> "av.filter.Graph":
    graph = av.filter.Graph()
    nodes = (
        graph.add_buffer(template=stream),
        graph.add("bwdif", "mode=send_frame:deint=all"),
        graph.add("buffersink"),
    )
    graph.link_nodes(*nodes).configure()
    return graph


def _pulled(graph: "av.filter.Graph") -> Iterator["av.VideoFrame"]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _luma(frame: "av.VideoFrame", path: Path) -> tuple[Plane, Levels]:
    form = frame.format
    first = form.components[0]
    if form.is_rgb or form.has_palette:
        deep = first.bits > 8 and not form.has_palette
        rgb = frame.to_ndarray(format="rgb48le" if deep else "rgb24")
        levels = Levels(16 if deep else 8, True)
        return gray_of(rgb), levels
    if "f" in form.name.removeprefix("gray")[:1] or first.bits > 16:
        raise ValueError(
            f"{path}: its frames are of floating-point numbers ({form.name}): convert them to 16 bits"
        )
    if (
        form.name.startswith(("yuyv", "uyvy", "yvyu", "uyyvyy"))
        or form.name.endswith("be")
        or form.name.startswith("mono")
    ):
        frame = frame.reformat(format=_plain(form.name))
        form, first = frame.format, frame.format.components[0]
    if form.name.startswith(("p0", "p2", "p4")) and first.bits < 16:
        frame = frame.reformat(
            format={"p0": "yuv420p", "p2": "yuv422p", "p4": "yuv444p"}[form.name[:2]] + f"{first.bits}le"
        )
        first = frame.format.components[0]
    dtype = np.dtype("<u2" if first.bits > 8 else np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // dtype.itemsize)
    luma = rows[: frame.height, : frame.width].copy()
    said = int(frame.color_range)
    full = said == 2 if said else form.name.startswith(("gray", "yuvj", "mono"))  # as FFmpeg supposes
    return luma, Levels(max(8, first.bits), full)


def _plain(name: str) -> str:
    if name.startswith("mono"):
        return "gray"
    if name.endswith("be"):
        return name[:-2] + "le"
    return "yuv411p" if name.startswith("uyyvyy") else "yuv422p"


def gray_of(rgb: np.ndarray) -> Plane:
    """The luma of RGB `[h, w, 3]`, of its depth, by BT.709; what is gray already stays as it is."""
    red, green, blue = (rgb[..., i] for i in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return np.ascontiguousarray(red)
    weighted = BT709.red * red + (1 - BT709.red - BT709.blue) * green + BT709.blue * blue
    return np.rint(weighted).astype(rgb.dtype)


def _halves(frame: "av.VideoFrame") -> tuple[int, int] | None:
    form = frame.format
    if form.is_rgb or form.has_palette or len(form.components) < 3:
        return None
    height, width = frame.height, frame.width
    return -(-height // form.chroma_height(height)), -(-width // form.chroma_width(width))
