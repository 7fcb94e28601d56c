"""Films: their strip, their shots, and what hints make of a shot. A frame is opened as a photograph, by its id."""

import asyncio
import pathlib
import shlex
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.film.hints import FilmHints
from hybridvit.film.names import KEPT
from hybridvit.hints.sidecar import sidecar_path
from hybridvit.studio.answers import FOREVER, as_json
from hybridvit.studio.entry import Entry, clock
from hybridvit.studio.films import MOST_CELLS, SECOND, STRETCH
from hybridvit.studio.frame_file import hints_now
from hybridvit.studio.openapi_schemas import REVISION, WHOLE
from hybridvit.studio.operation import operation
from hybridvit.studio.parameters import whole
from hybridvit.studio.spread import Spread, wanted_of
from hybridvit.studio.studio import Studio

CELLS = 12  # of the strip, in an answer
DARK = 10  # many films begin in black: 1 / 10 of one is passed over to begin with
SMALL = 6000  # bytes of a picture of the strip, about
LONGEST = 10**12 - 1  # microseconds
_AT = {"at": (True, {**WHOLE, "maximum": LONGEST})}


@operation(
    "GET /api/photos/{id}/film", "What a film is, and how its coloured one is made", "Film", (404, 422)
)
async def get_film(studio: Studio, request: Request) -> Response:
    """Without reading more than its beginning."""
    film = await _film(studio, request)
    about = await studio.films.about(film)
    step, count = await studio.films.cells(film)
    hints = await studio.workers.run("files", hints_now, film)
    hinted = sorted({round(time * SECOND) for time, _ in hints.frames}) if hints else []
    (begin,) = await studio.films.frames(film, hinted[:1] or [about.length // DARK])
    return as_json(
        {
            "id": film.id,
            "name": film.name,
            "width": about.width,
            "height": about.height,
            "length": about.length,
            "step": step,
            "cells": count,
            "hinted": hinted,
            "hints": sum(len(found) for _, found in hints.frames) if hints else 0,
            "begin": film.frame(begin).id,
            "command": await studio.workers.run("files", _command, studio, film, about.deinterlaced),
        }
    )


@operation(
    "GET /api/photos/{id}/film/cells",
    f"{CELLS} cells of a film's strip from `first` on: the frames that are shown then",
    "Cells",
    (400, 404, 422),
    query={"first": (True, {**WHOLE, "maximum": MOST_CELLS})},
)
async def get_cells(studio: Studio, request: Request) -> Response:
    """Each is entered for itself: what lies between them is not read."""
    film = await _film(studio, request)
    step, count = await studio.films.cells(film)
    first = whole("first", request.query_params.get("first", ""), 0, count - 1)
    times = [k * step for k in range(first, min(first + CELLS, count))]
    return as_json({"cells": [_said(film, at) for at in await studio.films.frames(film, times)]})


@operation(
    "GET /api/photos/{id}/film/cuts",
    f"Where shots begin in the {STRETCH // SECOND} s that a time lies in; they are looked through for it",
    "Cuts",
    (400, 404, 422),
    query=_AT,
)
async def get_cuts(studio: Studio, request: Request) -> Response:
    """So that a page finds the shots of what it shows, and no others."""
    film = await _film(studio, request)
    number = _time(request) // STRETCH
    stretch = await studio.films.stretch(film, number)
    return as_json({"until": (number + 1) * STRETCH, "cuts": list(stretch.cuts)})


@operation(
    "GET /api/photos/{id}/film/shot",
    "The shot of the frame that begins then: all of its frames, and those to show",
    "Shot",
    (400, 404, 422),
    query=_AT,
)
async def get_shot(studio: Studio, request: Request) -> Response:
    """As far as hints go from there."""
    film = await _film(studio, request)
    at = _time(request)
    shot = await studio.films.shot(film, at)
    wanted = wanted_of(film, shot, await studio.films.about(film), await _hints(studio, film))
    picked = shot.picked((at, *wanted.hinted))
    await studio.films.frames(film, picked)
    return as_json(
        {
            "times": list(shot.times),
            "begins": shot.begins,
            "ends": shot.ends,
            "before": shot.before,
            "stop": shot.stop,
            "hinted": sorted(wanted.hinted),
            "picked": [_said(film, at) for at in picked],
        }
    )


@operation(
    "GET /api/photos/{id}/film/picture",
    "A frame, the longer side 192 px: in gray, or in the colours called `tag`",
    ("image/jpeg",),
    (400, 404, 410, 422),
    query={**_AT, "tag": (False, REVISION)},
)
async def get_film_picture(studio: Studio, request: Request) -> Response:
    """Of a frame that the strip or the shot names."""
    film, at = await _film(studio, request), _time(request)
    tag = request.query_params.get("tag")
    if tag is None:
        data = await studio.films.picture(film, at)
        return Response(data, headers={"Cache-Control": "no-store"}, media_type="image/jpeg")
    spread = studio.spreads.get(tag)
    if spread is None or spread.wanted.entry.id != film.id or at not in spread.pictures:
        raise HTTPException(410, "these colours are not known any more: ask for the shot's colours again")
    return Response(spread.pictures[at], headers=FOREVER, media_type="image/jpeg")


@operation(
    "GET /api/photos/{id}/film/spread",
    "How far the colours are that the hints on some of its frames give a shot; begins to make them, and answers when "
    "more than `after` frames are gone through",
    "Spread",
    (400, 404, 422),
    query={**_AT, "after": (False, {**WHOLE, "maximum": LONGEST, "default": 0})},
)
async def get_spread(studio: Studio, request: Request) -> Response:
    """Each frame is gone through twice."""
    film, at = await _film(studio, request), _time(request)
    after = whole("after", request.query_params.get("after", "0"), 0, LONGEST)
    shot = await studio.films.shot(film, at)
    hints = await _hints(studio, film)
    wanted = wanted_of(film, shot, await studio.films.about(film), hints)
    if not wanted.hinted:
        return as_json({"tag": None, "total": 0, "done": 0, "ready": [], "failure": None})
    tag = wanted.tag(studio.colorizer.digest)
    spread = studio.spreads.get(tag)
    if spread is None or (spread.failure and after == 0):
        spread = _begin(studio, Spread(wanted, tag))
    await spread.wait(after if after else -1)
    answer: dict[str, Any] = {"tag": tag, "total": spread.total, "done": spread.done}
    return as_json({**answer, "ready": sorted(spread.pictures), "failure": spread.failure})


def _begin(studio: Studio, spread: Spread) -> Spread:
    """In place of the one that is being made."""
    if studio.spreading is not None:
        task, earlier = studio.spreading
        task.cancel()
        earlier.stop()
    studio.spreads.put(spread.tag, spread, SMALL * len(spread.wanted.shot.times))
    studio.spreading = asyncio.ensure_future(spread.make(studio.colorizer, studio.workers)), spread
    return spread


async def _film(studio: Studio, request: Request) -> Entry:
    entry = await studio.entry(request.path_params["id"])
    if not entry.is_film:
        raise HTTPException(404, f"{entry.name}: it is no film")
    return entry if entry.at is None else await studio.entry(entry.id.partition("-")[0])


async def _hints(studio: Studio, film: Entry) -> FilmHints:
    hints = await studio.workers.run("files", hints_now, film)
    return hints or FilmHints(1, 1)


def _time(request: Request) -> int:
    return whole("at", request.query_params.get("at", ""), 0, LONGEST)


def _said(film: Entry, at: int) -> dict[str, Any]:
    return {"at": at, "id": film.frame(at).id, "clock": clock(at)}


def _command(studio: Studio, film: Entry, deinterlaced: bool) -> str:
    """What makes the coloured film of these hints."""
    path = film.path.absolute()
    suffix = path.suffix if path.suffix.lower() in KEPT else ".mkv"
    folder = studio.library.output or path.parent
    words = ["hybridvit", "film", str(path), "--output", str(folder / f"{path.stem}-coloured{suffix}")]
    hints = film.spare if film.spare.exists() else film.sidecar
    if hints != pathlib.Path(sidecar_path(film.path)):
        words += ["--hints", str(hints)]
    if deinterlaced:
        words += ["--deinterlace"]
    if studio.weights != "pretrained":
        given = pathlib.Path(studio.weights)
        words += ["--weights", str(given.absolute()) if given.exists() else studio.weights]
    return shlex.join(words)
