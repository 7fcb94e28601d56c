"""Requests made up from the OpenAPI document: no answer is a 5xx, and each is as the document says."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from PIL import Image

from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import read_photo
from hybridvit.serve.addresses import Allowed
from hybridvit.serve.gate import build
from tests.serve.conftest import StubPredict, picture, zipped
from tests.studio.conftest import no_children  # noqa: F401

schemathesis = pytest.importorskip("schemathesis", reason="requests are made up by schemathesis")
# A schema cannot say that a place must lie within the photograph, or a revision be known
UNSAYABLE = schemathesis.checks.positive_data_acceptance
EXAMPLES = 3  # of each operation


@schemathesis.serializer("application/zip", "application/octet-stream")
def file_of(context, value):
    """JSON schemas cannot say what a picture is: a coloured one with transparency, which all uploads take; or a zip."""
    file = io.BytesIO()
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[5:9, 3:10] = (200, 10, 20, 255)
    Image.fromarray(pixels).save(file, "png")
    zipped_up = context.case.media_type == "application/zip"
    return zipped(**{"a.png": file.getvalue()}) if zipped_up else file.getvalue()


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
                case.call_and_validate(excluded_checks=[UNSAYABLE])
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
