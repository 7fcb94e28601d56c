"""The parts of a film, coded already, and the sound of its source, into one file."""

import heapq
import itertools
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from hybridvit.film.decode import Film, opened
from hybridvit.film.encode import CODECS, Form, Part

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_COPIED = ("audio", "subtitle")
_OF_THE_FILE = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "comment",
}  # not of what it shows


def container_of(path: Path) -> str:
    """FFmpeg's name of the container. Raises ValueError for a name that says none."""
    if path.suffix.lower() not in CONTAINERS:
        raise ValueError(f"--output {path}: films are written as {', '.join(CONTAINERS)}")
    return CONTAINERS[path.suffix.lower()]


def check_container(film: Film, output: Path, form: Form) -> list[str]:
    """What will not be in the file, a line each. Raises ValueError if it cannot hold the pictures or the sound."""
    name, left = container_of(output), []
    with tempfile.TemporaryDirectory() as folder, opened(film.path) as source:
        trial = av.open(str(Path(folder, "trial")), "w", format=name)
        try:
            trial.add_stream(CODECS[form.codec].encoder, rate=25)
        except ValueError:
            raise ValueError(
                f"--output {output}: {name} cannot hold {form.codec}: name an .mkv file"
            ) from None
        for stream in source.streams:
            if stream.type in _COPIED:
                try:
                    trial.add_stream_from_template(stream)
                except (ValueError, av.error.FFmpegError):
                    said = f"{name} cannot hold its {stream.codec_context.name} {stream.type}"
                    if stream.type == "audio":
                        raise ValueError(f"--output {output}: {said}: name an .mkv file") from None
                    left.append(f"{said}, which is left out; an .mkv file holds it")
            elif stream.type != "video":
                left.append(f"its {stream.type} stream is left out")
    return left


def join(parts: Sequence[Part], film: Film, output: Path, metadata: Mapping[str, str]) -> None:
    """Writes the film; it appears whole or not at all."""
    unfinished = output.with_name(f".{output.name}.part")
    try:
        with (
            opened(film.path) as source,
            av.open(str(unfinished), "w", format=container_of(output), metadata_errors="replace") as target,
        ):
            with av.open(str(parts[0].path)) as first:
                pictures = target.add_stream_from_template(first.streams.video[0])
            pictures.time_base = film.time_base
            if film.display is not None:
                pictures.set_display_matrix(film.display)
            sound = {}
            for stream in source.streams:
                if stream.type in _COPIED:
                    try:
                        copied = target.add_stream_from_template(stream)
                    except (ValueError, av.error.FFmpegError):
                        continue  # `check_container` has said so
                    copied.metadata.update(stream.metadata)
                    sound[stream.index] = copied
            kept = {name: text for name, text in source.metadata.items() if name.lower() not in _OF_THE_FILE}
            target.metadata.update({**kept, **metadata})
            shown = ((pictures, packet) for packet in _pictures(parts, film.time_base))
            heard = _heard(source, sound)
            for stream, packet in heapq.merge(shown, heard, key=lambda pair: _seconds(pair[1])):
                packet.stream = stream
                target.mux(packet)
        os.replace(unfinished, output)
    finally:
        unfinished.unlink(missing_ok=True)


def _seconds(packet: "av.Packet") -> Fraction:
    return (packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base


def _heard(
    source: "av.container.InputContainer", sound: Mapping[int, Any]
) -> Iterator[tuple[Any, "av.Packet"]]:
    if not sound:
        return
    for packet in source.demux([source.streams[index] for index in sound]):
        if packet.size and (packet.dts is not None or packet.pts is not None):
            yield sound[packet.stream.index], packet


def _pictures(parts: Sequence[Part], time_base: Fraction) -> Iterator["av.Packet"]:
    """The packets of all parts in decoding order, with the frames' true times."""
    told = [json.loads(part.times.read_text()) for part in parts]
    times, delay = [time for one in told for time in one["times"]], max(one["delay"] for one in told)
    step = max(1, times[0][1])
    decoded = itertools.chain(
        (times[0][0] - step * n for n in range(delay, 0, -1)), (pts for pts, _ in times)
    )
    start = 0
    for part in parts:
        count = 0
        with av.open(str(part.path)) as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size:
                    continue
                number = round(packet.pts * packet.time_base * 1000) - 32
                packet.time_base = time_base
                packet.pts, packet.duration = times[start + number]
                packet.dts = next(decoded)
                count += 1
                yield packet
        start += count
