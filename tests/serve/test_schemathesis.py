"""Requests made up from the OpenAPI document: no answer is a 5xx, and each is as the document says."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import read_photo
from hybridvit.serve.addresses import Allowed
from hybridvit.serve.gate import build
from tests.serve.conftest import StubPredict, picture
from tests.studio.conftest import no_children  # noqa: F401

schemathesis = pytest.importorskip("schemathesis", reason="requests are made up by schemathesis")
EXAMPLES = 4  # of each operation; `schemathesis run` makes hundreds: docs/archivist/serve.md


def test_the_service_answers_as_it_describes_itself(tmp_path, no_children):  # noqa: F811
    app = build(
        Colorizer(StubPredict()),
        data=tmp_path / "data",
        allowed=Allowed(),
        most_waiting=4,
        hosts=("127.0.0.1", "localhost", "testserver"),
        token=None,
        decode=read_photo,
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    upload = next(one for one in operations if one.label == "POST /api/photos")
    answer = upload.Case(
        query={"name": "a.png"}, body=picture(), media_type="application/octet-stream"
    ).call()
    photo = answer.json()["id"]
    failures = []
    for operation in operations:
        for case in _made_up(operation.as_strategy()):
            if operation.method.upper() != "DELETE" and "id" in (case.path_parameters or {}):
                case.path_parameters["id"] = photo
            try:
                case.call_and_validate()
            except schemathesis.core.failures.FailureGroup as group:
                failures += [
                    f"{operation.label}: {one.title}: {one.message} {case.as_curl_command()}"
                    for one in group.exceptions
                ]
    assert not failures, "\n".join(failures)


def _made_up(strategy):
    cases = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(case):
        cases.append(case)

    keep()
    return cases
