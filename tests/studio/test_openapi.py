"""The document and the application say the same, and the document is one."""

import json
import re

import jsonschema
import pytest
from starlette.routing import Route

from hybridvit.studio.app import OPERATIONS
from hybridvit.studio.openapi import describe_api


@pytest.fixture(scope="module")
def api() -> dict:
    return describe_api(OPERATIONS)


def test_it_has_the_routes_and_no_others(api, tiny_colorizer, tmp_path):
    from hybridvit.studio.app import create_app

    app = create_app(tiny_colorizer, folder=None, output=None, data=tmp_path)
    routes = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods - {"HEAD"}
    }
    described = {(method.upper(), path) for path, methods in api["paths"].items() for method in methods}
    assert described == routes


def test_its_schemas_are_schemas_and_all_that_it_refers_to_is_there(api):
    schemas = api["components"]["schemas"]
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "$defs" not in schema, name
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(api)))
    assert references <= {f"#/components/schemas/{name}" for name in schemas}


def test_every_operation_is_named_once_and_says_its_parameters(api):
    operations = [
        (path, operation) for path, methods in api["paths"].items() for operation in methods.values()
    ]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    for path, operation in operations:
        in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))


def test_a_sidecar_fits(api):
    schema = {**api["components"]["schemas"]["Sidecar"], "components": api["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    sidecar = {"version": 1, "picture": {"width": 9, "height": 9}, "hints": []}
    validator.validate(sidecar)
    point = {"type": "point", "x": 1, "y": 1, "color": "green"}
    assert not validator.is_valid(sidecar | {"hints": [point]})
    assert validator.is_valid(sidecar | {"hints": [point | {"color": "#008000"}]})
