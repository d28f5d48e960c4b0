"""Schemathesis reads the OpenAPI description and tries to break the API: never a 5xx, and answers as described."""

from __future__ import annotations

from typing import cast

import schemathesis
from fixed import FixedAssessor
from hypothesis import HealthCheck, settings
from schemathesis import checks

from classifier.assessor import Assessor
from classifier.web import create_app

schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(cast(Assessor, FixedAssessor()), hosts={"localhost", "testserver"}))


@schema.parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_makes_the_server_fail(case: schemathesis.Case) -> None:
    answer = case.call()
    case.validate_response(
        answer, checks=[checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance]
    )
