"""The pack's configuration: what it changes, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from fileflow_policies.config import ROLE_RULE, Configuration, ConfigurationError, is_development, schema_of
from fileflow_policies.config_problems import Given
from fileflow_policies.pack import RULES, DuplicateRuleError, check_names
from fileflow_policies.rule import DEVELOPMENT_STACKS
from pulumi_policy import EnforcementLevel

from tests.policies import compliant_stack
from tests.policies.harness import Recording, RefusedError, Violation, analyse, analyzer, record
from tests.policies.rule_cases import SCHEDULER, SCHEDULER_TASK, WORKER, in_container

RETENTION = "cloudwatch-log-retention"
INGRESS = "scheduler-ingress-from-vpc"
WHY = {"reason": "kept by the build"}
LOCKED = [rule.name for rule in RULES if rule.locked]
SCHEDULER_RULES = [rule.name for rule in RULES if rule.scheduler]


@cache
def _compliant(stack: str) -> Recording:
    return record(compliant_stack.program, preview=True, stack=stack)


def _short_logs(stack: str = "prod", days: int = 3) -> Recording:
    recording = _compliant(stack).copy()
    recording.set("logs", "retentionInDays", days)
    return recording


def _day(offset: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()


def _exemption(**changes: Any) -> dict[str, Any]:
    return {"resource": "logs", "reason": "kept elsewhere", "expires": _day(1), **changes}


@pytest.mark.parametrize("level", ["advisory", "mandatory"])
def test_a_rules_level_is_the_violations_level(level: str) -> None:
    report = analyse(_short_logs(), analyzer({RETENTION: {"enforcementLevel": level, **WHY}}))
    assert report.violations == {Violation(RETENTION, "logs", level)}


def test_a_disabled_rule_says_nothing() -> None:
    assert (
        analyse(_short_logs(), analyzer({RETENTION: {"enforcementLevel": "disabled", **WHY}})).violations
        == set()
    )


def test_a_threshold_moves_the_line() -> None:
    assert analyse(_short_logs(), analyzer({RETENTION: {"minimumDays": 3}})).violations == set()
    strict = analyse(_short_logs(days=30), analyzer({RETENTION: {"minimumDays": 60}}))
    assert strict.violations == {Violation(RETENTION, "logs")}


def test_a_stack_may_have_its_own_level_and_threshold() -> None:
    configured = analyzer(
        {
            RETENTION: {
                "minimumDays": 60,
                "stacks": {"dev*": {"enforcementLevel": "advisory", "minimumDays": 5, **WHY}},
            }
        }
    )
    assert analyse(_short_logs("prod", 30), configured).violations == {Violation(RETENTION, "logs")}
    assert analyse(_short_logs("dev", 30), configured).violations == set()
    assert analyse(_short_logs("dev-2"), configured).violations == {Violation(RETENTION, "logs", "advisory")}


@pytest.mark.parametrize("stack", ["dev", "local", "test-7"])
def test_rules_for_production_rest_on_development_stacks(stack: str) -> None:
    recording = _compliant(stack).copy()
    recording.set("balancer", "enableDeletionProtection", False)
    recording.set("http", "defaultActions", [{"type": "forward"}])
    assert analyse(recording).violations == set()


def test_rules_for_production_hold_on_a_stack_of_any_other_name() -> None:
    recording = _compliant("live").copy()
    recording.set("balancer", "enableDeletionProtection", False)
    assert analyse(recording).violations == {Violation("elbv2-deletion-protection", "balancer")}


def test_which_stacks_are_for_development_is_configurable() -> None:
    recording = _compliant("blue").copy()
    recording.set("balancer", "enableDeletionProtection", False)
    configured = analyzer({"elbv2-deletion-protection": {"developmentStacks": ["blue"]}})
    assert analyse(recording, configured).violations == set()


@pytest.mark.parametrize("resource", ["logs", "lo*", "*::logs"])
def test_an_exemption_covers_a_resource_by_name_or_urn(resource: str) -> None:
    configured = analyzer({RETENTION: {"exemptions": [_exemption(resource=resource)]}})
    assert analyse(_short_logs(), configured).violations == set()


def test_an_exemption_covers_nothing_else() -> None:
    configured = analyzer({RETENTION: {"exemptions": [_exemption(resource="other")]}})
    assert analyse(_short_logs(), configured).violations == {Violation(RETENTION, "logs")}


def test_an_exemption_holds_on_its_last_day() -> None:
    configured = analyzer({RETENTION: {"exemptions": [_exemption(expires=_day(0))]}})
    assert analyse(_short_logs(), configured).violations == set()


def test_an_expired_exemption_is_a_violation_again() -> None:
    configured = analyzer({RETENTION: {"exemptions": [_exemption(expires=_day(-1))]}})
    assert analyse(_short_logs(), configured).violations == {Violation(RETENTION, "logs")}


def test_an_exemption_covers_what_a_stack_rule_finds() -> None:
    recording = _compliant("prod").copy()
    recording.resources.remove(recording["lifecycle"])
    configured = analyzer({"ecr-lifecycle-policy": {"exemptions": [_exemption(resource="repository")]}})
    assert analyse(recording, configured).violations == set()


# -- how schedulers are recognised ---------------------------------------------------------------------------


def test_a_role_of_ones_own_can_be_declared() -> None:
    recording = _compliant("prod").copy()
    recording.set(WORKER, "tags.fileflow:role", "cron")
    assert analyse(recording).violations == {Violation(ROLE_RULE, WORKER)}
    configured = analyzer({ROLE_RULE: {"roles": ["cron"]}})
    assert analyse(recording, configured).violations == set()


def test_the_tag_of_the_role_can_be_another() -> None:
    recording = _compliant("prod").copy()
    configured = analyzer({ROLE_RULE: {"roleTag": "acme:kind"}})
    found = analyse(recording, configured).violations
    assert {violation.resource for violation in found if violation.rule == ROLE_RULE} == {
        SCHEDULER,
        "web",
        WORKER,
    }
    for name in (SCHEDULER, "web", WORKER):
        recording.set(name, "tags", {"acme:kind": recording[name].inputs["tags"]["fileflow:role"]})
    assert analyse(recording, configured).violations == set()


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ({"schedulerNames": ["outbox-*"]}, {"name": "outbox-reader"}),
        ({"schedulerPorts": [8099]}, {"portMappings": [{"containerPort": 8099}]}),
        ({"schedulerImages": ["shop:clock-*"]}, {"image": f"registry.local/shop:clock-7@sha256:{'e' * 64}"}),
        ({"schedulerCommands": ["*tick.rb*"]}, {"command": ["ruby", "tick.rb"]}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_shows_a_scheduler_can_be_added_to(setting: dict[str, Any], change: dict[str, Any]) -> None:
    """Of a service that declares nothing, one line says it, and its three tasks are too many."""
    recording = _compliant("prod").copy()
    recording.set(WORKER, "tags", {"team": "files"})
    if "name" in change:
        recording.set(WORKER, "name", change["name"])
    else:
        in_container("thumbnails-task", **change)(recording)
    spot = {Violation("scheduler-spot-opt-in", WORKER)}
    assert analyse(recording).violations == {Violation(ROLE_RULE, WORKER)}
    assert analyse(recording, analyzer({ROLE_RULE: setting})).violations == spot | {
        Violation(ROLE_RULE, WORKER),
        Violation("scheduler-desired-count", WORKER),
    }


def test_emptied_settings_take_nothing_away() -> None:
    recording = _compliant("prod").copy()
    in_container("thumbnails-task", command=["supercronic", "/app/crontab"])(recording)
    emptied: dict[str, Any] = {
        "roles": [],
        "schedulerNames": [],
        "schedulerPorts": [],
        "schedulerCommands": [],
    }
    assert analyse(recording, analyzer({ROLE_RULE: emptied})).violations == {
        Violation("scheduler-declared-by-service", WORKER)
    }


def test_an_expired_exemption_says_so() -> None:
    configured = analyzer({RETENTION: {"exemptions": [_exemption(expires="2020-01-31")]}})
    (message,) = analyse(_short_logs(), configured).messages
    assert "(its exemption ended on 2020-01-31)" in message


def test_a_stack_with_a_word_for_production_is_none_for_development() -> None:
    for stack in ("dev-prod", "test-live"):
        recording = _compliant(stack).copy()
        recording.set("balancer", "enableDeletionProtection", False)
        assert analyse(recording).violations == {Violation("elbv2-deletion-protection", "balancer")}


# -- what is refused -----------------------------------------------------------------------------------------


def _refusal(configuration: Mapping[str, Any]) -> str:
    with pytest.raises(RefusedError) as refused:
        analyzer(configuration)
    return str(refused.value)


@pytest.mark.parametrize("rule", LOCKED)
@pytest.mark.parametrize("level", ["disabled", "advisory", "remediate"])
def test_no_configuration_weakens_the_three_rules_of_the_first_order(rule: str, level: str) -> None:
    message = _refusal({rule: {"enforcementLevel": level, **WHY}})
    assert f"{rule}: enforcementLevel is {level}" in message
    assert "always mandatory" in message


@pytest.mark.parametrize("rule", SCHEDULER_RULES)
def test_no_configuration_switches_a_scheduler_rule_off(rule: str) -> None:
    message = _refusal({rule: {"enforcementLevel": "disabled", **WHY}})
    assert f"{rule}: enforcementLevel is disabled" in message
    assert "always mandatory" in message or "advisory at least" in message


def test_switching_all_rules_off_is_refused_for_the_scheduler_rules() -> None:
    message = _refusal({"all": "disabled"})
    assert all(f"{rule}: enforcementLevel is disabled" in message for rule in SCHEDULER_RULES)


def test_a_rule_is_made_weaker_with_a_reason_alone() -> None:
    for given in ("disabled", "advisory", {"enforcementLevel": "advisory", "reason": "x"}):
        assert "reason" in _refusal({RETENTION: given})
    assert "reason" in _refusal({RETENTION: {"stacks": {"prod": {"enforcementLevel": "advisory"}}}})
    every = {
        rule.name: {"enforcementLevel": "advisory" if rule.scheduler else "disabled", **WHY}
        for rule in RULES
        if not rule.locked
    }
    assert analyse(_short_logs(), analyzer(every)).violations == set()


@pytest.mark.parametrize("rule", LOCKED)
def test_a_scheduler_rule_takes_no_exemption(rule: str) -> None:
    message = _refusal({rule: {"exemptions": [_exemption(resource=SCHEDULER)]}})
    assert f"{rule}.exemptions" in message
    assert "takes no exceptions" in message


@pytest.mark.parametrize("rule", LOCKED)
def test_a_scheduler_rule_is_the_same_on_every_stack(rule: str) -> None:
    assert f"{rule}.stacks" in _refusal({rule: {"stacks": {"dev": {"enforcementLevel": "disabled"}}}})


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"cloudwatch-log-retentoin": "advisory"}, ["no such rule", "did you mean cloudwatch-log-retention"]),
        (
            {RETENTION: {"minimumDay": 3}},
            [f"{RETENTION}.minimumDay", "no such key", "did you mean minimumDays"],
        ),
        ({RETENTION: {"minimumDays": "many"}}, [f"{RETENTION}.minimumDays", "'many'", "whole number from 1"]),
        ({RETENTION: {"minimumDays": 0}}, ["0 is out of range"]),
        ({RETENTION: {"minimumDays": 1.5}}, ["1.5 is no whole number"]),
        ({RETENTION: {"exemptions": {}}}, [f"{RETENTION}.exemptions", "list"]),
        ({RETENTION: {"exemptions": ["logs"]}}, ["exemptions[0]", "not an object"]),
        ({RETENTION: {"exemptions": [_exemption(reason=" ")]}}, ["exemptions[0].reason", "missing"]),
        (
            {RETENTION: {"exemptions": [{"resource": "logs", "reason": "x"}]}},
            ["exemptions[0].expires", "missing"],
        ),
        ({RETENTION: {"exemptions": [_exemption(expires="soon")]}}, ["soon is no date", "YYYY-MM-DD"]),
        *(
            ({RETENTION: {"exemptions": [_exemption(resource=pattern)]}}, ["exempts everything"])
            for pattern in (
                "*",
                "?*",
                "a*",
                "[!~]*",
                "[ab]",
                "urn:*",
                "urn:pulumi:*::*",
                "*::aws:*::*",
                "*e*::*",
            )
        ),
        ({RETENTION: {"exemptions": [_exemption(expires="9999-12-31")]}}, ["for ever"]),
        ({"elbv2-access-logs": {"developmentStacks": ["*"]}}, ["matches every stack"]),
        ({"elbv2-access-logs": {"developmentStacks": ["prod"]}}, ["names production"]),
        ({INGRESS: {"privateRanges": ["0.0.0.0/0"]}}, ["0.0.0.0/0", "part of the internet"]),
        ({INGRESS: {"privateRanges": ["203.0.113.0/24"]}}, ["isn't private", "no reason"]),
        ({INGRESS: {"privateRanges": ["ten"]}}, ["no address range"]),
        (
            {RETENTION: {"exemptions": [_exemption(until="2030-01-01")]}},
            ["exemptions[0].until", "no such key"],
        ),
        ({RETENTION: {"stacks": []}}, [f"{RETENTION}.stacks", "object"]),
        ({RETENTION: {"stacks": {"dev": "advisory"}}}, ["stacks.dev", "not an object"]),
        ({RETENTION: {"stacks": {"dev": {"enforcementLevel": "off"}}}}, ["off is no level"]),
        ({RETENTION: {"stacks": {"dev": {"stacks": {}}}}}, ["stacks.dev.stacks", "no such key"]),
        (
            {RETENTION: {"stacks": {"dev": {"minimumDays": -1}}}},
            ["stacks.dev.minimumDays", "-1 is out of range"],
        ),
        ({RETENTION: "remediate"}, ["enforcementLevel is remediate", "no rule changes resources"]),
        ({ROLE_RULE: {"roles": [""]}}, [f"{ROLE_RULE}.roles", "an empty text"]),
        (
            {ROLE_RULE: {"schedulerPorts": ["http"]}},
            [f"{ROLE_RULE}.schedulerPorts", "'http' is no whole number"],
        ),
        ({"ecr-immutable-tags": {"movableTags": [7]}}, ["7", "is no text"]),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_configuration_that_is_not_understood_is_refused(
    configuration: Mapping[str, Any], words: list[str]
) -> None:
    message = _refusal(configuration)
    assert all(word in message for word in words), message
    assert all(line.endswith(".") for line in message.splitlines())


def test_every_problem_of_a_configuration_is_named_at_once() -> None:
    message = _refusal({"no-rule": "advisory", RETENTION: {"minimumDays": 0}})
    assert "no-rule: no such rule" in message
    assert "0 is out of range" in message


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateRuleError, match=f"{RULES[0].name}: two rules have this name"):
        check_names([*RULES, RULES[0]])


def test_every_setting_has_a_default_that_its_own_schema_takes() -> None:
    for rule in RULES:
        schema = schema_of(rule)
        defaults = {
            name: part["default"]
            for name, part in (schema.properties if schema else {}).items()
            if "default" in part
        }
        Configuration(RULES, {rule.name: Given(None, defaults)})


def test_a_level_given_for_a_stack_wins_over_the_rules_own() -> None:
    given = {
        RETENTION: Given(
            EnforcementLevel.DISABLED, {**WHY, "stacks": {"prod": {"enforcementLevel": "mandatory"}}}
        )
    }
    configuration = Configuration(RULES, given)
    assert configuration.for_stack("prod")[RETENTION].level is EnforcementLevel.MANDATORY
    assert configuration.for_stack("dev")[RETENTION].level is EnforcementLevel.DISABLED


def test_the_error_of_a_configuration_is_a_value_error() -> None:
    with pytest.raises(ConfigurationError):
        Configuration(RULES, {SCHEDULER_TASK: Given()})


@pytest.mark.parametrize("stack", ["dev", "qa", "qa-1", "sandbox", "local2", "test-of-kim", "demo-3"])
def test_a_stack_that_only_a_team_itself_uses_may_do_without_protection(stack: str) -> None:
    assert is_development(stack, DEVELOPMENT_STACKS.default)


@pytest.mark.parametrize("stack", ["prod", "devices", "qa-prod", "demography", "tester", "staging"])
def test_another_stack_may_not(stack: str) -> None:
    assert not is_development(stack, DEVELOPMENT_STACKS.default)
