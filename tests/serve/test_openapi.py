"""The document has the service's routes and the studio's; every status that an operation can answer with is said."""

import json
import re

import jsonschema
import pytest

from hybridvit.serve import command
from hybridvit.serve.app import describe_service
from hybridvit.studio.app import OPERATIONS


def test_it_is_sound_and_has_all_operations():
    document = describe_service()
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {(one.method, one.path) for one in OPERATIONS} <= described
    assert {("POST", "/api/batches"), ("POST", "/api/batches/urls"), ("GET", "/health")} <= described
    names = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(set(names)) == len(names)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references <= document["components"]["schemas"].keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--allow", "ftp://x/"], "--allow ftp://x/: not a plain http or https address"),
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid: no address of this machine"),
        (["--quue", "3"], "unrecognized arguments: --quue; did you mean --queue?"),
    ],
)
def test_mistakes_in_the_command_are_one_line(words, said, capsys):
    with pytest.raises(SystemExit) as exit_:
        command.main(words)
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hybridvit: {said}")
    assert error.count("\n") == 1
