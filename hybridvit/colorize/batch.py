"""Many pictures, one after the other: what is done already is skipped, a bad file is named and passed over.

Done is a result whose `record` is that of the picture, hints, settings and weights at hand. A file without a record, or
made of another picture, is somebody's: it is not replaced unless told to. Inputs are never replaced.
"""

import concurrent.futures
import dataclasses
import errno
import functools
import hashlib
import os
import pathlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tqdm import tqdm

from hybridvit.colorize.heat_map import draw_heat_map
from hybridvit.colorize.inputs import Source
from hybridvit.colorize.naming import Job
from hybridvit.colorize.summary import Summary, explain
from hybridvit.hints.frame import WHOLE
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PaletteColor
from hybridvit.hints.sidecar import Sidecar, load_hints, recipe_to_json
from hybridvit.photo.encode import left_out
from hybridvit.photo.photo import Page, Photo, photo_of, read_photo, read_provenance, write_photo
from hybridvit.photo.record import RECIPE, SOURCE, Record, make_record, read_record
from hybridvit.provenance.premis import write_premis

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # the next picture would meet it too
READ_AHEAD = 200 * 2**20  # bytes of pixels; while a larger picture is worked on, the next one waits on disk
SHOWN = "probability that the colour is more than 10 ab units off: dark blue 0 %, pale yellow 100 %"


@dataclasses.dataclass(frozen=True)
class Orders:
    """What is said for all pictures of a command, see `colorize_files`."""

    settings: Mapping[str, Any]
    palette: tuple[PaletteColor, ...]
    overwrite: bool
    signed_by: str | None = None  # fingerprint of the key


@dataclasses.dataclass(frozen=True)
class Work:
    """A picture that is read, and what is to be made of it."""

    photo: Photo
    results: list[tuple[pathlib.Path, Recipe, Record]]
    heat_map: tuple[pathlib.Path, Recipe, Record] | None


def leave_results(sources: Sequence[Source]) -> tuple[list[Source], int]:
    """The sources that are no results or heat maps of an earlier run, and how many are."""
    originals = [source for source in sources if not is_result(source.path)]
    return originals, len(sources) - len(originals)


def colorize_files(
    colorizer: Any,
    jobs: Sequence[Job],
    summary: Summary,
    *,
    sidecar_of: Callable[[pathlib.Path], pathlib.Path | None],
    settings: Mapping[str, Any] = MappingProxyType({}),
    palette: tuple[PaletteColor, ...] = (),
    overwrite: bool = False,
    signer: Any = None,
    premis: bool = False,
    colorizer_of: Callable[[pathlib.Path], Any] | None = None,
) -> None:
    """Does the jobs and fills `summary`, also when interrupted; shows a progress bar on a terminal.

    Args:
      colorizer: a `Colorizer`.
      jobs: from `naming.plan`.
      summary: to be filled.
      sidecar_of: the sidecar of a picture, or None.
      settings: fields of `Settings` that go over those of the sidecars.
      palette: of the pictures whose sidecar has none.
      overwrite: also makes what is done already, and replaces files of others.
      signer: a `provenance.credentials.Signer`; done is then only what this key has signed.
      premis: also writes the event of each result beside it, of those that are done already too.
      colorizer_of: the `Colorizer` of a picture, where they have their own; called by two threads. Pictures are then
        made on all cores, since of most of them the model has said all before.
    """

    orders = Orders(settings, palette, overwrite, signer and signer.key.fingerprint)
    cores = 1 if colorizer_of is None or signer is not None else os.cpu_count() or 1
    colorizer_of = colorizer_of or (lambda picture: colorizer)

    def read(job: Job) -> Work | None:
        return prepare(job, colorizer_of(job.source).digest, sidecar_of, orders)

    def finish(job: Job, ready: deque[concurrent.futures.Future]) -> tuple[str, ...] | None:
        # No name is given to what is taken: it would keep a large picture while the next is read
        remarks = make(colorizer_of(job.source), ready.popleft().result(), job, signer)
        for path in job.results if premis else ():
            write_premis(path)
        return remarks

    with tqdm(total=len(jobs), unit="picture", disable=None, dynamic_ncols=True) as bar:
        for job, made in _made(_ahead(read, jobs), finish, cores):
            try:
                remarks = made.result()
            except Exception as error:  # also a bug met in one picture must not cost the others their night
                summary.failed[os.fspath(job.source)] = explain(error, job.source)
                if isinstance(error, OSError) and error.errno in NO_ROOM:
                    summary.stopped = error.strerror
                    return
            else:
                summary.done += remarks is None
                summary.coloured += remarks is not None
                for remark in remarks or ():
                    summary.remarks.setdefault(remark, []).append(os.fspath(job.source))
            if summary.failed:
                bar.set_postfix(failed=len(summary.failed), refresh=False)
            bar.update()
            del made  # what went wrong holds its picture, too


def is_result(path: pathlib.Path) -> bool:
    """Whether the file is a result or heat map of an earlier run."""
    try:
        return read_provenance(path) is not None
    except (OSError, ValueError):  # when its turn comes, this is said of it
        return False


def recipe_of(
    path: pathlib.Path | None, settings: Mapping[str, Any], palette: tuple[PaletteColor, ...]
) -> tuple[Recipe, tuple[pathlib.Path, Sidecar] | None]:
    """The recipe of a picture with the sidecar at `path`, under what a command says; and that sidecar.

    Raises ValueError or OSError, one line, if it cannot be read.
    """
    sidecar = load_hints(path) if path else None
    recipe = sidecar.recipe if sidecar else Recipe()
    settings = dataclasses.replace(recipe.settings, **settings)
    recipe = dataclasses.replace(recipe, settings=settings, palette=recipe.palette or palette)
    return recipe, (path, sidecar) if sidecar else None


def prepare(
    job: Job, weights: str, sidecar_of: Callable[[pathlib.Path], pathlib.Path | None], orders: Orders
) -> Work | None:
    """Reads the picture; None if all that would be made of it with the `weights` (a digest) is there already.

    Raises ValueError or OSError for a bad picture or sidecar, and if what is there is not to be replaced.
    """
    recipe, sidecar = recipe_of(sidecar_of(job.source), orders.settings, orders.palette)
    source = _sha256(job.source)
    settings = recipe.settings

    def wanted(path: pathlib.Path, record: Record) -> bool:
        return orders.overwrite or not _is_done(path, record)

    results = []
    signed = {"signed_by": orders.signed_by} if orders.signed_by else {}
    for seed, path in enumerate(job.results, settings.seed):
        one = dataclasses.replace(recipe, settings=dataclasses.replace(settings, seed=seed))
        record = make_record(source, weights=weights, recipe=_ingredients(one), **signed)
        results += [(path, one, record)] if wanted(path, record) else []
    heat_map = None
    if job.heat_map is not None:
        seen = Settings(size=settings.size, borders=settings.borders)
        hints = Recipe(recipe.hints, settings=seen, frame=recipe.frame)  # it depends on nothing else
        record = make_record(source, weights=weights, recipe=_ingredients(hints), shows=SHOWN)
        heat_map = (job.heat_map, recipe, record) if wanted(job.heat_map, record) else None
    if not results and heat_map is None:
        return None
    photo = read_photo(job.source)
    if sidecar is not None:
        path, said = sidecar
        try:
            said.check_picture(photo.pixels)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return Work(photo, results, heat_map)


def _ingredients(recipe: Recipe) -> dict[str, Any]:
    """All of a recipe that its result depends on, the seed only where it is drawn by."""
    settings = dataclasses.asdict(recipe.settings)
    if recipe.settings.decode != "sample":
        del settings["seed"]
    return recipe_to_json(recipe) | {"settings": settings}


def _is_done(path: pathlib.Path, record: Record) -> bool:
    """Whether the file is what would be made; raises FileExistsError if it is not ours to replace."""
    if not os.path.lexists(path):
        return False
    found = read_record(path)
    if found is None:
        raise FileExistsError(
            f"{path} is there, and no result of this command: choose another --output, or --overwrite"
        )
    if found.source != record.source:
        raise FileExistsError(
            f"{path} is the result of another file: choose another --output, or --overwrite"
        )
    return found == record


def make(colorizer: Any, work: Work | None, job: Job, signer: Any = None) -> tuple[str, ...] | None:
    """Makes the files that are wanted, signed by a `Signer`; returns remarks on the picture, or None if none was."""
    if work is None:
        return None
    if signer is not None:
        signer.check(work.photo, job.format)
    heat_map, remarks = work.heat_map, dict.fromkeys(work.photo.remarks)
    for path, recipe, record in work.results or [(None, heat_map[1], None)]:
        coloured = colorizer.colorize(
            work.photo,
            recipe.hints,
            palette=recipe.palette,
            protected=recipe.protected,
            frame=recipe.frame,
            **dataclasses.asdict(recipe.settings),
        )
        provenance = coloured.provenance | {"source": job.source.name}
        if coloured.uncertainty is not None:
            provenance["doubt"] = round(float(coloured.uncertainty.mean()), 4)
        remarks |= dict.fromkeys(coloured.remarks)
        if heat_map is not None:
            if coloured.uncertainty is None:
                raise ValueError(f"{colorizer.name} does not know how sure it is: drop --uncertainty")
            whole = draw_heat_map(coloured.uncertainty, *work.photo.pixels.shape[:2])
            drawn = recipe.frame.apply(whole)
            said = provenance | {"shows": SHOWN} | heat_map[2].provenance()
            heat_map[0].parent.mkdir(parents=True, exist_ok=True)
            write_photo(heat_map[0], drawn, photo_of(drawn), said, "png")
            heat_map = None  # it is the same for all samples
        if path is not None:
            said = provenance | record.provenance()
            path.parent.mkdir(parents=True, exist_ok=True)
            further = _further(coloured, said, job.format, remarks)
            seal = (
                functools.partial(
                    signer.seal, original=job.source, form=job.format, title=path.name, provenance=said
                )
                if signer is not None
                else None
            )
            write_photo(path, coloured.rgb, coloured.photo, said, job.format, further, seal)
            if work.photo.further:
                remarks |= dict.fromkeys(_of_pages(work, recipe, job))
    return tuple(remarks) + (left_out(work.photo.metadata, job.format) if work.results else ())


def _of_pages(work: Work, recipe: Recipe, job: Job) -> list[str]:
    """What reaches the first page alone, of several."""
    count = 1 + len(work.photo.further)
    if job.format != "tiff":
        return [f"{job.format} holds the first of its {count} pages: --format tiff keeps all"]
    said = [f"its hints are of the first of its {count} pages"] if recipe.hints or recipe.protected else []
    said += [f"its frame is that of the first of its {count} pages"] if recipe.frame != WHOLE else []
    return said + ([f"the heat map is of the first of its {count} pages"] if job.heat_map is not None else [])


def _further(coloured: Any, said: Mapping[str, Any], form: str, remarks: dict[str, None]) -> Iterator[Page]:
    """The other pages, coloured when their turn comes, with the result's record; adds to the remarks."""
    ours = {name: said[name] for name in ("source", SOURCE, RECIPE)}
    for number, make in enumerate(coloured.further, 2):
        page = make()
        found = (*page.photo.remarks, *page.remarks, *left_out(page.photo.metadata, form))
        remarks |= dict.fromkeys(f"page {number}: {one}" for one in found)
        yield page.rgb, page.photo, page.provenance | ours


def _ahead(
    prepare: Callable[[Job], Work | None], jobs: Sequence[Job]
) -> Iterator[tuple[Job, deque[concurrent.futures.Future]]]:
    """Each job, and a queue to take from what `prepare` made of it; one thread prepares the next job meanwhile."""
    ready: deque[concurrent.futures.Future] = deque()
    with concurrent.futures.ThreadPoolExecutor(1, "reader") as reader:
        for i, job in enumerate(jobs):
            if not ready:
                ready.append(reader.submit(prepare, job))
            concurrent.futures.wait(ready)
            if i + 1 < len(jobs) and not _is_large(ready[0]):
                ready.append(reader.submit(prepare, jobs[i + 1]))
            yield job, ready


def _made(
    ahead: Iterator[tuple[Job, deque[concurrent.futures.Future]]],
    finish: Callable[[Job, deque[concurrent.futures.Future]], Any],
    cores: int,
) -> Iterator[tuple[Job, concurrent.futures.Future]]:
    """Each job in its order, and what `finish` made of it; `cores` of them at a time, a large picture alone."""
    if cores == 1:
        for job, ready in ahead:
            made: concurrent.futures.Future = concurrent.futures.Future()
            try:
                made.set_result(finish(job, ready))
            except Exception as error:
                made.set_exception(error)
            yield job, made
            del made
        return
    pending: deque[tuple[Job, concurrent.futures.Future]] = deque()
    with concurrent.futures.ThreadPoolExecutor(cores, "maker") as makers:
        for job, ready in ahead:
            alone = _is_large(ready[0])
            while pending and (alone or len(pending) >= cores):
                concurrent.futures.wait([pending[0][1]])
                yield pending.popleft()
            pending.append((job, makers.submit(finish, job, deque([ready.popleft()]))))
            if alone:
                concurrent.futures.wait([pending[0][1]])
        while pending:
            concurrent.futures.wait([pending[0][1]])
            yield pending.popleft()


def _is_large(prepared: concurrent.futures.Future) -> bool:
    work = None if prepared.exception() else prepared.result()
    return work is not None and work.photo.pixels.nbytes > READ_AHEAD


def _sha256(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
