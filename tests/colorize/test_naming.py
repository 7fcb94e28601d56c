import pathlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.colorize import naming
from hybridvit.colorize.inputs import Source
from hybridvit.colorize.naming import plan
from hybridvit.photo.encode import SUFFIXES

OUT = pathlib.Path("/out")


def sources(*paths: str, root: str | None = None) -> list[Source]:
    """Named one by one, or found below `root`."""
    return [
        Source(path, path.relative_to(root) if root else pathlib.Path(path.name))
        for path in map(pathlib.Path, paths)
    ]


def results(*args, **kwargs) -> list[str]:
    return [str(result) for job in plan(*args, **kwargs).jobs for result in job.results]


def test_formats_are_those_that_are_written():
    assert {(form, naming.SUFFIX_OF[form]) for form in naming.FORMATS} == {
        (form, suffixes[0]) for form, suffixes in SUFFIXES.items()
    }
    assert {suffix: form for form, suffixes in SUFFIXES.items() for suffix in suffixes} == naming.KEPT


@pytest.mark.parametrize(
    ("path", "form", "result"),
    [
        ("/in/a.TIFF", None, "/out/a.TIFF"),
        ("/in/a.TIFF", "tiff", "/out/a.TIFF"),
        ("/in/a.TIFF", "jpeg", "/out/a.jpg"),
        ("/in/a.bmp", None, "/out/a.png"),
        ("/in/a", None, "/out/a.png"),
        ("/in/1931.05 Łódź.jpe", None, "/out/1931.05 Łódź.jpe"),
    ],
)
def test_a_result_has_its_pictures_name(path, form, result):
    (job,) = plan(sources(path), OUT, form).jobs
    assert (str(job.source), str(job.results[0])) == (path, result)
    assert job.results[0].suffix.lower() in SUFFIXES[job.format]


def test_a_folders_structure_is_kept():
    found = sources("/in/box1/a.jpg", "/in/box2/a.jpg", "/in/a.jpg", root="/in")
    assert results(found, OUT) == ["/out/box1/a.jpg", "/out/box2/a.jpg", "/out/a.jpg"]


def test_samples_and_the_heat_map():
    (job,) = plan(sources("/in/a.jpg"), OUT, samples=3, heat_map=True).jobs
    assert [str(path) for path in job.results] == ["/out/a-1.jpg", "/out/a-2.jpg", "/out/a-3.jpg"]
    assert str(job.heat_map) == "/out/a-uncertainty.png"


def test_beside_the_originals_a_result_is_marked(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for output in (tmp_path, tmp_path / "link", tmp_path / "x" / ".."):
        (job,) = plan(sources(str(tmp_path / "a.jpg")), output, heat_map=True).jobs
        assert job.results[0].name == "a-colorized.jpg"
        assert job.heat_map.name == "a-colorized-uncertainty.png"


@pytest.mark.parametrize(
    ("paths", "form", "expected"),
    [
        (["/x/a.jpg", "/y/a.jpg", "/y/b.jpg"], None, ["/out/x/a.jpg", "/out/y/a.jpg", "/out/b.jpg"]),
        (["/x/a.jpg", "/x/a.tif"], None, ["/out/a.jpg", "/out/a.tif"]),
        (["/x/a.jpg", "/x/a.tif"], "png", ["/out/a.jpg.png", "/out/a.tif.png"]),
        (["/x/a.jpg", "/x/a.tif"], "jpeg", ["/out/a.jpg", "/out/a.tif.jpg"]),
        (["/x/a.jpg", "/x/A.tif"], "png", ["/out/a.jpg.png", "/out/A.tif.png"]),
    ],
)
def test_the_same_name_twice(paths, form, expected):
    assert results(sources(*paths), OUT, form) == expected


CASES = ("/x/a.jpg", "/x/A.jpg", "/x/b.jpg", "/x/e\u0301.jpg", "/x/\u00e9.jpg", "/x/c.jpg")


def test_names_that_differ_in_case_or_accents_alone(monkeypatch):
    """Where the disk keeps both, both are made; else the pair is refused, and the others are made."""
    for keeps, form, made, refused in [
        (True, None, ["/out/a.jpg", "/out/A.jpg", "/out/b.jpg", "/out/e\u0301.jpg", "/out/\u00e9.jpg"], {}),
        (True, "png", ["/out/a.png", "/out/A.png", "/out/b.png", "/out/e\u0301.png", "/out/\u00e9.png"], {}),
        (False, None, ["/out/b.jpg"], {("/x/A.jpg", "/x/a.jpg"), ("/x/e\u0301.jpg", "/x/\u00e9.jpg")}),
    ]:
        monkeypatch.setattr(naming, "keeps_case", lambda folder, keeps=keeps: keeps)
        planned = plan(sources(*CASES), OUT, form, samples=None, heat_map=True)
        last = "/out/c.jpg" if form is None else "/out/c.png"
        assert [str(job.results[0]) for job in planned.jobs] == [*made, last]
        assert {tuple(map(str, group)) for group in planned.refused} == set(refused)
        assert all("different folders" in reason for reason in planned.refused.values())


def test_pictures_that_meet_under_their_longest_names_do_not_stop_the_others():
    met = "/p/x/a.jpg", "/q/x/a.jpg"
    planned = plan(sources(*met, "/q/x/b.jpg"), OUT)
    assert [str(job.source) for job in planned.jobs] == ["/q/x/b.jpg"]
    assert {tuple(map(str, group)) for group in planned.refused} == {met}


def test_whether_a_disk_keeps_case(tmp_path, monkeypatch):
    """Asked of the disk itself; this one, as any that tells the two files apart."""
    (tmp_path / "a").touch()
    apart = not (tmp_path / "A").exists()
    assert naming.keeps_case(tmp_path / "not" / "there yet") == apart
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    monkeypatch.setattr(pathlib.Path, "exists", lambda path: True)  # a disk to which all spellings are one
    assert not naming.keeps_case(tmp_path)


def test_no_input_is_replaced():
    found = [*sources("/in/box/a.jpg", root="/in/box"), *sources("/in/a.jpg", "/in/b.tif", root="/in")]
    beside = ["/in/box/a-colorized.jpg", "/in/a-colorized.jpg", "/in/b-colorized.tif"]
    assert results(found, pathlib.Path("/in")) == beside


NAMES = st.sampled_from(["a", "b", "a-1", "a-2", "a-uncertainty", "a-colorized"])
PATHS = st.tuples(
    st.sampled_from(["/in", "/in/x", "/in/y", "/out"]), NAMES, st.sampled_from([".jpg", ".tif", ".png"])
)


@given(
    st.sets(PATHS, min_size=1, max_size=8),
    st.sampled_from([None, "png", "jpeg"]),
    st.sampled_from([None, 1, 2]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_nothing_falls_on_anything_in_any_order(paths, form, samples, heat_map, order: random.Random):
    found = sources(*(f"{folder}/{name}{suffix}" for folder, name, suffix in sorted(paths)))
    planned = plan(found, OUT, form, samples, heat_map)
    targets = [path for job in planned.jobs for path in (*job.results, job.heat_map) if path is not None]
    assert len({str(path).lower() for path in targets}) == len(targets)
    assert not set(targets) & {source.path for source in found}
    refused = [path for group in planned.refused for path in group]
    assert sorted([*refused, *(job.source for job in planned.jobs)]) == sorted(one.path for one in found)
    shuffled = plan(order.sample(found, len(found)), OUT, form, samples, heat_map)
    assert sorted(shuffled.jobs, key=str) == sorted(planned.jobs, key=str)
    assert shuffled.refused.keys() == planned.refused.keys()
