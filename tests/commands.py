"""What the tests of the two commands that colour folders have in common."""

import pathlib
from collections.abc import Callable

import pytest
from PIL import Image

SIZE = (40, 30)  # px of the pictures


def write_scans() -> pathlib.Path:
    """A folder of two pictures in the working directory."""
    folder = pathlib.Path("scans")
    (folder / "box").mkdir(parents=True)
    for i, name in enumerate(("a.jpg", "box/b.png")):
        Image.linear_gradient("L").resize(SIZE).point(lambda x, i=i: x // 2 + i).save(folder / name)
    return folder


def call(
    main: Callable[[list[str]], int], line: str, capsys: pytest.CaptureFixture
) -> tuple[int, list[str], list[str]]:
    """Exit code, lines of stdout, lines of stderr."""
    try:
        code = main(line.split())
    except SystemExit as exit_:
        code = exit_.code
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err.splitlines()


def results(folder: str = "out") -> list[str]:
    """All files, temporary ones included."""
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file())
