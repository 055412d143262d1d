"""Whatever a program passes, no rule raises, and no guarded property passes unless it is plainly right."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from fileflow_policies.analyzer import Analyzer
from fileflow_policies.pack import RULES
from fileflow_policies.rules.scheduler_deployment import GUARDED_PROPERTIES
from hypothesis import given
from hypothesis import strategies as st

from tests.policies import compliant_stack
from tests.policies.drawn import every_run, nightly
from tests.policies.harness import Recorded, Recording, Report, analyse, analyzer, record, secret, unknown
from tests.policies.rule_cases import SCHEDULER, SCHEDULER_TASK

FAST, NIGHTLY = every_run(500), nightly(10_000)

# Guarded property -> is this plain value plainly right? Anything that isn't must be a violation.
GUARDS: dict[str, tuple[str, Any]] = {
    "desiredCount": ("scheduler-desired-count", lambda v: _number(v) == 1),
    "deploymentMinimumHealthyPercent": ("scheduler-stop-before-start", lambda v: _number(v) == 0),
    "deploymentMaximumPercent": ("scheduler-stop-before-start", lambda v: _number(v) == 100),
    "availabilityZoneRebalancing": ("scheduler-no-zone-rebalancing", lambda v: v == "DISABLED"),
    "schedulingStrategy": ("scheduler-replica-strategy", lambda v: v in (None, "REPLICA")),
    "launchType": ("scheduler-spot-opt-in", lambda v: v == "FARGATE"),
    "loadBalancers": ("scheduler-no-load-balancer", lambda v: v in (None, "", [], {})),
    "vpcLatticeConfigurations": ("scheduler-no-load-balancer", lambda v: v in (None, "", [], {})),
    "gatewayConnectors": ("scheduler-no-load-balancer", lambda v: v in (None, "", [], {})),
    "serviceRegistries": ("scheduler-no-service-registry", lambda v: v in (None, "", [], {})),
}


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _plain(value: Any) -> Any:
    """The value without its secret wrappers."""
    while isinstance(value, dict) and set(value) == set(secret(0)):
        value = value["value"]
    return value


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300).map(float),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(
        [unknown(), "", "1", "0", "true", "FARGATE", "FARGATE_SPOT", "REPLICA", "DISABLED", "ECS", "[{", "*"]
    ),
    # Every character but surrogates: the default takes seconds to find out which those are.
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
KEYS = st.sampled_from(
    ["name", "type", "capacityProvider", "strategy", "assignPublicIp", "enable", "services", "fileflow:role"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3), inner.map(secret)
    ),
    max_leaves=8,
)
SERVICE_KEYS = st.sampled_from(sorted(GUARDED_PROPERTIES))


@cache
def _compliant() -> Recording:
    recording = record(compliant_stack.program, preview=True)
    for resource in recording.resources:
        resource.prepared = resource.stack_resource()
    return recording


@cache
def _servicer() -> Analyzer:
    return analyzer()


def _with(changes: dict[str, Any], name: str = SCHEDULER) -> tuple[Recording, Recorded]:
    """The compliant stack with one resource changed, and that resource."""
    original = _compliant()
    changed = replace(original[name], inputs={**original[name].inputs, **changes}, prepared=None)
    resources = [changed if each.name == name else each for each in original.resources]
    return Recording(resources, original.stack), changed


def _analyse(changes: dict[str, Any], name: str = SCHEDULER) -> Report:
    recording, changed = _with(changes, name)
    return analyse(recording, _servicer(), [changed])


def _check_service(changes: dict[str, Any]) -> None:
    report = _analyse(changes)
    broken = {violation.rule for violation in report.violations if violation.resource == SCHEDULER}
    if "ecs-service-role" in broken:
        return  # it declares nothing any more, and is refused for that
    for key, value in changes.items():
        if key in GUARDS:
            rule, plainly_right = GUARDS[key]
            if not plainly_right(_plain(value)):
                assert rule in broken, f"{key}={value!r} passed: {report}"


def _check_task(definitions: Any) -> None:
    text = _plain(definitions)
    try:
        parsed = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        parsed = None
    report = _analyse({"containerDefinitions": definitions}, SCHEDULER_TASK)
    readable = isinstance(parsed, list) and parsed and all(isinstance(_plain(item), dict) for item in parsed)
    if not readable:
        assert "ecs-task-definition-readable" in {violation.rule for violation in report.violations}


def _check_anything(resource_type: str, inputs: dict[str, Any]) -> None:
    recording = Recording([], "prod")
    recording.add(resource_type, "anything", inputs)
    analyse(recording, _servicer())


RESOURCE_TYPES = st.sampled_from(sorted({token for rule in RULES for token in rule.types}))
# When a test draws it first: every process that collects the tests would record the stack.
INPUT_KEYS = st.deferred(
    lambda: st.sampled_from(
        sorted(
            {key for resource in _compliant().resources for key in resource.inputs}
            | {"target", "templateBody", "create", "definition", "typeName", "targetParameters", "ecsService"}
        )
    )
)


@FAST
@given(st.dictionaries(SERVICE_KEYS, VALUES, min_size=1, max_size=6))
def test_no_guarded_property_of_a_scheduler_passes_unless_it_is_right(changes: dict[str, Any]) -> None:
    _check_service(changes)


@FAST
@given(st.one_of(VALUES, st.lists(st.dictionaries(KEYS, LEAVES, max_size=3), max_size=3).map(json.dumps)))
def test_no_unreadable_container_definition_passes(definitions: Any) -> None:
    _check_task(definitions)


@FAST
@given(RESOURCE_TYPES, st.dictionaries(INPUT_KEYS, VALUES, max_size=6))
def test_no_rule_raises_on_any_resource(resource_type: str, inputs: dict[str, Any]) -> None:
    _check_anything(resource_type, inputs)


@pytest.mark.nightly
@NIGHTLY
@given(st.dictionaries(SERVICE_KEYS, VALUES, min_size=1, max_size=6))
def test_no_guarded_property_passes_in_ten_thousand_services(changes: dict[str, Any]) -> None:
    _check_service(changes)


@pytest.mark.nightly
@NIGHTLY
@given(st.one_of(VALUES, st.lists(st.dictionaries(KEYS, LEAVES, max_size=3), max_size=3).map(json.dumps)))
def test_no_unreadable_definition_passes_in_ten_thousand_tasks(definitions: Any) -> None:
    _check_task(definitions)


@pytest.mark.nightly
@NIGHTLY
@given(RESOURCE_TYPES, st.dictionaries(INPUT_KEYS, VALUES, max_size=6))
def test_no_rule_raises_on_ten_thousand_resources(resource_type: str, inputs: dict[str, Any]) -> None:
    _check_anything(resource_type, inputs)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1.5, True, "1.0", [1], {"value": 1}])
def test_only_the_number_one_is_a_count_of_one(value: Any) -> None:
    report = _analyse({"desiredCount": value})
    assert "scheduler-desired-count" in {violation.rule for violation in report.violations}
