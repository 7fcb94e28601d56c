"""The service behind its gate: counted, held back, its callers known."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import platformdirs
from starlette.types import ASGIApp

from hybridvit.serve.addresses import Allowed
from hybridvit.serve.app import create_app
from hybridvit.serve.limits import BATCH_BYTES
from hybridvit.serve.metrics import Requests
from hybridvit.studio.security import secure


def build(
    colorizer: Any,
    *,
    data: Path | None,
    allowed: Allowed,
    most_waiting: int,
    hosts: Collection[str],
    token: str | None,
    **options: Any,
) -> ASGIApp:
    """As `app.create_app`, behind `studio.security.secure`; /health alone is open to all, for probes know no token."""
    data = data or platformdirs.user_data_path("hybridvit", appauthor=False) / "serve"
    requests = Requests()
    app = create_app(
        colorizer, data=data, allowed=allowed, most_waiting=most_waiting, requests=requests, **options
    )
    return requests.watch(secure(app, hosts=hosts, token=token, max_body=BATCH_BYTES), health=app)
