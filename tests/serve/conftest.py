"""A small model behind the whole service, on the loopback address."""

import contextlib
import io
import zipfile
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest
from PIL import Image

from hybridvit.photo.photo import read_photo
from hybridvit.serve.addresses import Allowed
from hybridvit.serve.gate import build
from hybridvit.studio.server import BackgroundServer, listen
from tests.studio.conftest import no_children  # noqa: F401

TOKEN = "open sesame"


class StubPredict:
    """Colours without a model, in no time."""

    name, digest = "stub", "5" * 64
    provenance = {"model": "stub"}  # noqa: RUF012

    def __call__(self, L, hints=None):
        from hybridvit.inference.predictor import Predicted

        ab = np.full((*L.shape, 2), 20, np.float32)
        return Predicted(ab, ab if hints is None else None, None)


def picture(side: int = 24) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.linspace(20, 230, side * side).reshape(side, side).astype(np.uint8)).save(file, "png")
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return file.getvalue()


def wait(client: httpx.Client, batch: dict) -> dict:
    """The batch when it has ended."""
    for _ in range(2000):
        said = client.get(f"/api/batches/{batch['id']}").json()
        if said["state"] in ("done", "failed"):
            return said
    raise AssertionError(said)


@pytest.fixture
def enter(tmp_path, no_children) -> Iterator[Callable[..., httpx.Client]]:  # noqa: F811
    """`enter(allowed=..., queue=..., colorizer=...)`: a client with the token of a new service."""
    from hybridvit.inference.colorizer import Colorizer

    with contextlib.ExitStack() as stack:

        def enter(allowed=Allowed(), queue=4, colorizer=None) -> httpx.Client:  # noqa: B008
            app = build(
                colorizer or Colorizer(StubPredict()),
                data=tmp_path / "data",
                allowed=allowed,
                most_waiting=queue,
                hosts=("127.0.0.1",),
                token=TOKEN,
                decode=read_photo,
            )
            server = BackgroundServer(app, listen("127.0.0.1", 0))
            stack.callback(server.stop)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            address = f"http://127.0.0.1:{server.port}"
            client = httpx.Client(
                base_url=address, timeout=60, verify=False, trust_env=False, headers=headers
            )
            return stack.enter_context(client)

        yield enter
