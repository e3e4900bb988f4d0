"""The API against its own OpenAPI document: no request makes a 500, and every answer is as described."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from jupyter_fpga.server.openapi import document
from jupyter_fpga.server.operations import ROUTES

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def session(place: Any) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["X-API-Key"] = place.token
        yield session


schema = schemathesis.openapi.from_dict(document(ROUTES))
seeded = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)


def check(case: Any, place: Any, session: requests.Session) -> None:
    # A query may have more parameters than the API knows (pages add some): only bodies and paths are held to theirs.
    held_to = [*CHECKS, negative_data_rejection] if case.method != "GET" else CHECKS
    case.call_and_validate(base_url=place.url, session=session, checks=held_to)


@schema.parametrize()
@settings(seeded, max_examples=10)
def test_each_operation(case: Any, place: Any, session: requests.Session) -> None:
    check(case, place, session)


@pytest.mark.soak
@schema.parametrize()
@settings(seeded, max_examples=500)
def test_each_operation_for_long(case: Any, place: Any, session: requests.Session) -> None:
    check(case, place, session)


def test_no_operation_is_forgotten() -> None:
    assert len(list(schema.get_all_operations())) == len(ROUTES)
