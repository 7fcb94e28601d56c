import pathlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.inference import naming
from hybridvit.inference.inputs import Source
from hybridvit.inference.naming import plan
from hybridvit.inference.photo_encode import SUFFIXES

OUT = pathlib.Path("/out")


def sources(*paths: str, root: str | None = None) -> list[Source]:
    """Named one by one, or found below `root`."""
    return [
        Source(path, path.relative_to(root) if root else pathlib.Path(path.name))
        for path in map(pathlib.Path, paths)
    ]


def results(*args, **kwargs) -> list[str]:
    return [str(result) for job in plan(*args, **kwargs) for result in job.results]


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
    (job,) = plan(sources(path), OUT, form)
    assert (str(job.source), str(job.results[0])) == (path, result)
    assert job.results[0].suffix.lower() in SUFFIXES[job.format]


def test_a_folders_structure_is_kept():
    found = sources("/in/box1/a.jpg", "/in/box2/a.jpg", "/in/a.jpg", root="/in")
    assert results(found, OUT) == ["/out/box1/a.jpg", "/out/box2/a.jpg", "/out/a.jpg"]


def test_samples_and_the_heat_map():
    (job,) = plan(sources("/in/a.jpg"), OUT, samples=3, heat_map=True)
    assert [str(path) for path in job.results] == ["/out/a-1.jpg", "/out/a-2.jpg", "/out/a-3.jpg"]
    assert str(job.heat_map) == "/out/a-uncertainty.png"


def test_beside_the_originals_a_result_is_marked(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for output in (tmp_path, tmp_path / "link", tmp_path / "x" / ".."):
        (job,) = plan(sources(str(tmp_path / "a.jpg")), output, heat_map=True)
        assert job.results[0].name == "a-colorized.jpg"
        assert job.heat_map.name == "a-colorized-uncertainty.png"


@pytest.mark.parametrize(
    ("paths", "form", "expected"),
    [
        (["/x/a.jpg", "/y/a.jpg", "/y/b.jpg"], None, ["/out/x/a.jpg", "/out/y/a.jpg", "/out/b.jpg"]),
        (["/x/a.jpg", "/x/a.tif"], None, ["/out/a.jpg", "/out/a.tif"]),
        (["/x/a.jpg", "/x/a.tif"], "png", ["/out/a.jpg.png", "/out/a.tif.png"]),
        (["/x/a.jpg", "/x/a.tif"], "jpeg", ["/out/a.jpg", "/out/a.tif.jpg"]),
        (["/x/a.jpg", "/x/A.JPG"], "png", None),  # one name on other systems' disks
    ],
)
def test_the_same_name_twice(paths, form, expected):
    if expected is None:
        with pytest.raises(
            ValueError, match=r"^/x/a.jpg: .*/out/x/a.jpg.png would replace .* different folders$"
        ):
            plan(sources(*paths), OUT, form)
    else:
        assert results(sources(*paths), OUT, form) == expected


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
    try:
        jobs = plan(found, OUT, form, samples, heat_map)
    except ValueError:
        return
    targets = [path for job in jobs for path in (*job.results, job.heat_map) if path is not None]
    assert len({str(path).lower() for path in targets}) == len(targets)
    assert not set(targets) & {source.path for source in found}
    shuffled = order.sample(found, len(found))
    assert sorted(plan(shuffled, OUT, form, samples, heat_map), key=str) == sorted(jobs, key=str)
