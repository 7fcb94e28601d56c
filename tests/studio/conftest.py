"""A small model, photographs in a folder, the studio over them; each answer is held against its OpenAPI document."""

import contextlib
import functools
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import read_photo
from hybridvit.studio.openapi import describe_api
from hybridvit.studio.server import BackgroundServer, listen
from tests.studio.browsing import Desk, Served, open_browser


@pytest.fixture(scope="session")
def tiny_colorizer(tiny_weights) -> Colorizer:
    """Colours with them."""
    return Colorizer(tiny_weights)


def gray_picture(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    level = 0.2 + 0.3 * y / height + 0.3 * x / width + 0.1 * (x % 40 > 20)
    return (level * np.iinfo(dtype).max).astype(dtype)


@pytest.fixture
def scans(tmp_path) -> pathlib.Path:
    """A folder with a small, a coloured and a deep photograph of two levels."""
    folder = tmp_path / "scans"
    (folder / "box").mkdir(parents=True)
    Image.fromarray(gray_picture(90, 150)).save(folder / "photo 2.png")
    Image.fromarray(np.repeat(gray_picture(64, 80)[..., None], 3, -1)).save(folder / "photo 10.jpg")
    tifffile.imwrite(folder / "box" / "deep.tif", gray_picture(600, 521, np.uint16))
    return folder


@pytest.fixture
def no_children(monkeypatch) -> None:
    """Photographs are decoded in the studio's process: to start others takes longer than all the rest."""
    from hybridvit.studio import open_photo, photo_routes, reference_routes

    for module in (open_photo, photo_routes, reference_routes):
        monkeypatch.setattr(module, "decode_photo", read_photo)


@pytest.fixture
def enter(tmp_path, scans, tiny_colorizer, no_children) -> Iterator[Callable[..., httpx.Client]]:
    """`enter(folder=..., output=..., first=...)`: a client of a new studio."""
    from hybridvit.studio.app import OPERATIONS, create_app

    check = functools.partial(check_answer, describe_api(OPERATIONS))
    with contextlib.ExitStack() as stack:

        def enter(folder=scans, output=None, colorizer=tiny_colorizer, first=None) -> httpx.Client:
            app = create_app(colorizer, folder=folder, output=output, data=tmp_path / "data", first=first)
            server = BackgroundServer(app, listen("127.0.0.1", 0))
            stack.callback(server.stop)
            address = f"http://127.0.0.1:{server.port}"
            client = httpx.Client(
                base_url=address,
                timeout=60,
                verify=False,  # there is nothing to; to read the system's certificates takes longer than an answer
                trust_env=False,
                event_hooks={"response": [check]},
            )
            return stack.enter_context(client)

        yield enter


@pytest.fixture
def client(enter) -> httpx.Client:
    return enter()


@pytest.fixture
def ids(client) -> dict[str, str]:
    """Of the photographs, by name."""
    return {photo["name"]: photo["id"] for photo in client.get("/api/photos").json()["photos"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Not for the session: Playwright's event loop would be in the way of tests that run their own."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def album(tmp_path) -> pathlib.Path:
    """A folder with a deep photograph of two levels, the same scene again, and a small coloured one."""
    folder = tmp_path / "album"
    folder.mkdir()
    tifffile.imwrite(folder / "1 coat.tif", gray_picture(420, 600, np.uint16), metadata=None)
    Image.fromarray(gray_picture(420, 600)[10:, 20:]).save(folder / "2 again.png")
    colors = np.stack([gray_picture(90, 120), gray_picture(120, 90).T, np.full((90, 120), 90)], -1)
    Image.fromarray(colors.astype(np.uint8)).save(folder / "3 small.jpg", quality=95)
    return folder


@pytest.fixture
def served(browser, album, tmp_path, tiny_colorizer, no_children) -> Iterator[Served]:
    """A studio with the album."""
    served = Served(tiny_colorizer, album, tmp_path / "data")
    yield served
    served.stop()


@pytest.fixture
def desk(browser, served) -> Iterator[Desk]:
    """A page of it, 1280 px wide; fails if anything was wrong in it that the test did not expect."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    desk = Desk(context.new_page(), served)
    yield desk
    context.close()
    assert desk.problems == []


def check_answer(api: dict, response: httpx.Response) -> None:
    """Fails unless the answer is as the OpenAPI document has it."""
    response.read()
    path = response.request.url.path
    for template, operations in api["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation = operations.get(response.request.method.lower())
            break
    else:
        operation = None
    if operation is None:
        assert response.status_code in (200, 304, 404, 405), response.text
        return
    if response.status_code == 304:
        return
    expected = operation["responses"][str(response.status_code)]
    media = response.headers.get("content-type", "").partition(";")[0]
    content = expected.get("content", {})
    assert media in content or media.replace(media.partition("/")[2], "*") in content or not content, media
    if media == "application/json" and "schema" in content.get(media, {}):
        schema = {**content[media]["schema"], "components": api["components"]}
        jsonschema.Draft202012Validator(schema).validate(response.json())
