"""The judgement of answers itself: what Go's clients can't read is told, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from tests.local.emulator.answers import wrong

GOOD: dict[str, Any] = {
    "serviceDeployments": [{"finishedAt": 1893456000.5, "status": "SUCCESSFUL", "statusReason": None}]
}


def judged(answer: dict[str, Any], status_code: int = 200) -> list[str]:
    model = botocore.session.get_session().get_service_model("ecs")
    operation = model.operation_model("ListServiceDeployments")
    return wrong(operation, {"status_code": status_code, "body": json.dumps(answer).encode()}, {})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("finishedAt", "2030-01-01T00:00:00Z", "timestamp"),
        ("finishedAt", True, "timestamp"),
        ("status", 1, "string"),
    ],
)
def test_a_value_of_another_type_than_the_models_is_told(name: str, value: object, told: str) -> None:
    [line] = judged({"serviceDeployments": [{name: value}]})
    assert line == (
        f"ListServiceDeployments.serviceDeployments[].{name} is {value!r}, and the model has a {told}"
    )


def test_an_answer_as_the_model_has_it_and_an_error_are_no_mistake() -> None:
    assert judged(GOOD) == []
    assert judged({"message": 1}, status_code=400) == []


def test_a_missing_member_that_the_model_requires_is_told() -> None:
    model = botocore.session.get_session().get_service_model("iam")
    operation = model.operation_model("CreateRole")
    answer = {"status_code": 200, "body": b"<xml/>"}
    assert wrong(operation, answer, {}) == ["CreateRole.Role is missing"]
    assert wrong(operation, answer, {"Role": {}}) == []
