"""The pack's configuration: levels, thresholds and exemptions, per rule and per stack.

It is the policy SDK's own: the JSON file of `--policy-pack-config`, or a policy group's settings. Each key is
a rule:

    {
      "cloudwatch-log-retention": {
        "minimumDays": 30,
        "exemptions": [{"resource": "*build-log*", "reason": "kept elsewhere", "expires": "2027-01-31"}],
        "stacks": {"dev*": {"enforcementLevel": "advisory", "reason": "torn down daily"}}
      }
    }

Owns what holds for a rule on a stack; `config_problems` refuses what can't be accepted. An expired exemption
holds no longer: the violation is back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from pulumi_policy import EnforcementLevel, PolicyConfigSchema

from .config_problems import Given, problems_of, thresholds_of
from .recognition import DEFAULT_ROLES, Recognition
from .resources import Resource
from .rule import Rule, Settings

ROLE_RULE: Final = "ecs-service-role"

_LEVELS: Final = {level.value: level for level in EnforcementLevel}
_PRODUCTION_WORDS: Final = frozenset({"prod", "production", "prd", "live"})

_EXEMPTIONS_SCHEMA: Final = {
    "type": "array",
    "description": "resources that may break the rule, each with a reason and an expiry date",
    "items": {
        "type": "object",
        "required": ["expires", "reason", "resource"],
        "additionalProperties": False,
        "properties": {
            "resource": {
                "type": "string",
                "minLength": 1,
                "description": "pattern for the Pulumi name or the URN",
            },
            "reason": {"type": "string", "minLength": 1, "description": "why this is acceptable"},
            "expires": {"type": "string", "description": "last day on which it holds, as YYYY-MM-DD"},
        },
    },
}


class ConfigurationError(ValueError):
    """The pack's configuration can't be accepted; the message says which key, which value, why, and what to
    do.
    """


@dataclass(frozen=True, slots=True)
class Exemption:
    """A resource that may break a rule until a day, that day included."""

    resource: str
    reason: str
    expires: date

    def names(self, resource: Resource | None) -> bool:
        if resource is None:
            return fnmatchcase("stack", self.resource)
        return fnmatchcase(resource.name, self.resource) or fnmatchcase(resource.urn_text, self.resource)


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one rule on one stack."""

    level: EnforcementLevel
    settings: Settings
    exemptions: tuple[Exemption, ...] = ()

    def exempts(self, resource: Resource | None, today: date) -> bool:
        return any(today <= each.expires and each.names(resource) for each in self.exemptions)

    def expired(self, resource: Resource | None, today: date) -> Exemption | None:
        """The exemption that covered the resource and has ended."""
        return next((each for each in self.exemptions if today > each.expires and each.names(resource)), None)


def schema_of(rule: Rule) -> PolicyConfigSchema | None:
    """The JSON schema that Pulumi checks the rule's configuration against, if it has any setting."""
    properties: dict[str, dict[str, Any]] = {
        name: {**threshold.schema, "default": threshold.default, "description": threshold.description}
        for name, threshold in thresholds_of(rule).items()
    }
    if not rule.locked:
        properties["reason"] = {
            "type": "string",
            "description": "why the rule is weaker here than by default; a lower level takes one",
        }
        properties["exemptions"] = dict(_EXEMPTIONS_SCHEMA)
        properties["stacks"] = {
            "type": "object",
            "description": "other levels and settings for the stacks whose name matches the pattern",
            "additionalProperties": {"type": "object"},
        }
    return PolicyConfigSchema(properties=properties) if properties else None


class Configuration:
    """The accepted configuration of a set of rules."""

    def __init__(self, rules: Sequence[Rule], given: Mapping[str, Given] | None = None) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._given = dict(given or {})
        problems = list(problems_of(self._rules, self._given))
        if problems:
            raise ConfigurationError("\n".join(problems))
        self._by_stack: dict[str, dict[str, Effective]] = {}

    def for_stack(self, stack: str) -> Mapping[str, Effective]:
        """What holds for each rule on this stack."""
        known = self._by_stack.get(stack)
        if known is None:
            known = self._resolve(stack)
            self._by_stack[stack] = known
        return known

    def _resolve(self, stack: str) -> dict[str, Effective]:
        merged = {name: self._merged(rule, stack) for name, rule in self._rules.items()}
        recognition = recognition_of(merged[ROLE_RULE][1]) if ROLE_RULE in merged else Recognition()
        result: dict[str, Effective] = {}
        for name, (level, properties) in merged.items():
            rule = self._rules[name]
            development = rule.production and is_development(stack, properties["developmentStacks"])
            result[name] = Effective(
                EnforcementLevel.DISABLED if development else level,
                Settings(properties, recognition, stack),
                tuple(_exemption(item) for item in properties.get("exemptions", ())),
            )
        return result

    def _merged(self, rule: Rule, stack: str) -> tuple[EnforcementLevel, dict[str, Any]]:
        given = self._given.get(rule.name, Given())
        level = given.level or rule.level
        properties: dict[str, Any] = {
            name: threshold.default for name, threshold in thresholds_of(rule).items()
        }
        properties.update({key: value for key, value in given.properties.items() if key != "stacks"})
        for pattern, override in given.properties.get("stacks", {}).items():
            if fnmatchcase(stack, pattern):
                properties.update(
                    {key: value for key, value in override.items() if key != "enforcementLevel"}
                )
                level = _LEVELS.get(override.get("enforcementLevel", ""), level)
        return level, properties


def recognition_of(properties: Mapping[str, Any]) -> Recognition:
    """How schedulers are recognised, from the settings of the rule that every service declares a role."""
    return Recognition(
        role_tag=properties["roleTag"],
        spot_opt_in_tag=properties["spotOptInTag"],
        not_a_scheduler_tag=properties["notASchedulerTag"],
        roles=(*DEFAULT_ROLES, *properties["roles"]),
        names=tuple(properties["schedulerNames"]),
        more_ports=tuple(int(port) for port in properties["schedulerPorts"]),
        images=tuple(properties["schedulerImages"]),
        commands=tuple(properties["schedulerCommands"]),
        components=tuple(properties["schedulerComponents"]),
    )


def today_utc() -> date:
    return datetime.now(UTC).date()


def starting_configuration(rules: Iterable[Rule]) -> dict[str, dict[str, str]]:
    """A configuration for a repository that meets the pack: advice from every rule that may be weaker."""
    return {
        rule.name: {
            "enforcementLevel": EnforcementLevel.ADVISORY.value,
            "reason": "starting with the pack: see STARTING.md",
        }
        for rule in rules
        if rule.level is EnforcementLevel.MANDATORY and not rule.locked
    }


def is_development(stack: str, patterns: Iterable[str]) -> bool:
    """Whether a stack is one for development: by a pattern, and by no word for production in its name."""
    named = _PRODUCTION_WORDS.intersection(re.split(r"[-_./]", stack.lower()))
    return any(fnmatchcase(stack, pattern) and (pattern == stack or not named) for pattern in patterns)


def _exemption(item: Mapping[str, Any]) -> Exemption:
    return Exemption(item["resource"], item["reason"], date.fromisoformat(item["expires"]))
