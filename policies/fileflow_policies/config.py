"""The pack's configuration: levels, thresholds and exemptions, per rule and per stack.

It is the policy SDK's own: the JSON file of `--policy-pack-config`, or a policy group's settings. Each key is
a rule:

    {
      "cloudwatch-log-retention": {
        "enforcementLevel": "mandatory",
        "minimumDays": 30,
        "exemptions": [{"resource": "*build-log*", "reason": "kept elsewhere", "expires": "2027-01-31"}],
        "stacks": {"dev*": {"enforcementLevel": "advisory", "minimumDays": 7}}
      }
    }

Owns reading and refusing it. A scheduler rule stays mandatory and takes no exemption; unknown rules and
unknown keys are refused, because a misspelled exception would otherwise look as if it held. An expired
exemption holds no longer: the violation is back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from pulumi_policy import EnforcementLevel, PolicyConfigSchema

from .recognition import Recognition
from .resources import Resource
from .rule import DEVELOPMENT_STACKS, Rule, Settings, Threshold

ROLE_RULE: Final = "ecs-service-role"

_LEVELS: Final = {level.value: level for level in EnforcementLevel}
_EXEMPTION_KEYS: Final = frozenset({"resource", "reason", "expires"})

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

    def covers(self, resource: Resource | None, today: date) -> bool:
        if today > self.expires:
            return False
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
        return any(exemption.covers(resource, today) for exemption in self.exemptions)


@dataclass(frozen=True, slots=True)
class Given:
    """One rule's part of the configuration as it came: a level, if any, and everything else."""

    level: EnforcementLevel | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def thresholds_of(rule: Rule) -> dict[str, Threshold]:
    """The rule's own settings, with the one that every production rule has."""
    own = dict(rule.thresholds)
    return {"developmentStacks": DEVELOPMENT_STACKS, **own} if rule.production else own


def schema_of(rule: Rule) -> PolicyConfigSchema | None:
    """The JSON schema that Pulumi checks the rule's configuration against, if it has any setting."""
    properties: dict[str, dict[str, Any]] = {
        name: {**threshold.schema, "default": threshold.default, "description": threshold.description}
        for name, threshold in thresholds_of(rule).items()
    }
    if not rule.locked:
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
        problems = list(_problems(self._rules, self._given))
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
            development = rule.production and any(
                fnmatchcase(stack, pattern) for pattern in properties["developmentStacks"]
            )
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
        roles=tuple(properties["roles"]),
        scheduler_names=tuple(properties["schedulerNames"]),
        scheduler_ports=tuple(int(port) for port in properties["schedulerPorts"]),
        scheduler_commands=tuple(properties["schedulerCommands"]),
        scheduler_components=tuple(properties["schedulerComponents"]),
    )


def today_utc() -> date:
    return datetime.now(UTC).date()


def _exemption(item: Mapping[str, Any]) -> Exemption:
    return Exemption(item["resource"], item["reason"], date.fromisoformat(item["expires"]))


# -- refusing ------------------------------------------------------------------------------------------------


def _problems(rules: Mapping[str, Rule], given: Mapping[str, Given]) -> Iterable[str]:
    for name, part in given.items():
        if name == "all":
            continue  # the engine has already spread it over the rules
        rule = rules.get(name)
        if rule is None:
            yield (
                f"{name}: no such rule{_suggestion(name, rules)}; take the key out, or name a rule of "
                "docs/policies.md."
            )
            continue
        yield from _level_problems(rule, name, part.level)
        yield from _property_problems(rule, name, part.properties, in_stack=False)


def _level_problems(rule: Rule, where: str, level: EnforcementLevel | None) -> Iterable[str]:
    if rule.locked and level is not None and level is not EnforcementLevel.MANDATORY:
        yield (
            f"{where}: enforcementLevel is {level.value}; a rule that keeps schedulers single is always "
            "mandatory; "
            f"take the level out, or correct the resources that break the rule."
        )
    elif level is EnforcementLevel.REMEDIATE:
        yield (
            f"{where}: enforcementLevel is remediate; no rule changes resources; use mandatory, advisory or "
            "disabled."
        )


def _property_problems(
    rule: Rule, where: str, properties: Mapping[str, Any], *, in_stack: bool
) -> Iterable[str]:
    thresholds = thresholds_of(rule)
    for key, value in properties.items():
        path = f"{where}.{key}"
        if key in thresholds:
            problem = _schema_problem(thresholds[key].schema, value)
            if problem:
                yield (
                    f"{path}: {problem}; {thresholds[key].description}; give "
                    f"{_expected(thresholds[key].schema)}."
                )
        elif rule.locked and key in ("exemptions", "stacks"):
            yield (
                f"{path}: a rule that keeps schedulers single takes no exceptions; correct the resources "
                "instead."
            )
        elif key == "exemptions":
            yield from _exemption_problems(path, value)
        elif key == "stacks" and not in_stack:
            yield from _stacks_problems(rule, path, value)
        else:
            allowed = [
                *thresholds,
                *([] if rule.locked else ["exemptions", *([] if in_stack else ["stacks"])]),
            ]
            known = ", ".join(["enforcementLevel", *allowed])
            yield f"{path}: no such key{_suggestion(key, allowed)}; the rule takes {known}."


def _stacks_problems(rule: Rule, where: str, value: Any) -> Iterable[str]:
    if not isinstance(value, Mapping):
        yield f"{where}: not an object; give an object whose keys are patterns for stack names."
        return
    for pattern, override in value.items():
        path = f"{where}.{pattern}"
        if not isinstance(override, Mapping):
            yield f"{path}: not an object; give the settings that differ on those stacks."
            continue
        level = override.get("enforcementLevel")
        if level is not None and level not in _LEVELS:
            yield f"{path}.enforcementLevel: {level} is no level; use mandatory, advisory or disabled."
        yield from _level_problems(rule, path, _LEVELS.get(level) if isinstance(level, str) else None)
        rest = {key: item for key, item in override.items() if key != "enforcementLevel"}
        yield from _property_problems(rule, path, rest, in_stack=True)


def _exemption_problems(where: str, value: Any) -> Iterable[str]:
    if not isinstance(value, list | tuple):
        yield f"{where}: not a list; give a list of objects with resource, reason and expires."
        return
    for index, item in enumerate(value):
        path = f"{where}[{index}]"
        if not isinstance(item, Mapping):
            yield f"{path}: not an object; give resource, reason and expires."
            continue
        for key in item:
            if key not in _EXEMPTION_KEYS:
                yield f"{path}.{key}: no such key; an exemption takes resource, reason and expires."
        for key in sorted(_EXEMPTION_KEYS):
            text = item.get(key)
            if not isinstance(text, str) or not text.strip():
                yield (
                    f"{path}.{key}: missing; an exemption needs a resource pattern, a reason and an expiry "
                    "date."
                )
            elif key == "expires" and not _is_date(text):
                yield f"{path}.expires: {text} is no date; give the last day on which it holds as YYYY-MM-DD."
            elif key == "resource" and not text.strip("*?"):
                yield (
                    f"{path}.resource: {text} exempts everything; name the resource, or set the rule's "
                    "level instead."
                )


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _schema_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    kind = schema["type"]
    if kind == "integer":
        return _integer_problem(schema, value)
    if kind == "array":
        return _array_problem(schema, value)
    if not isinstance(value, str) or len(value) < schema.get("minLength", 0):
        return f"{value!r} is no text"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {', '.join(schema['enum'])}"
    return None


def _integer_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, bool) or not isinstance(number, int):
        return f"{value!r} is no whole number"
    if number < schema.get("minimum", number) or number > schema.get("maximum", number):
        return f"{number} is out of range"
    return None


def _array_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return f"{value!r} is no list"
    if len(value) < schema.get("minItems", 0):
        return "the list is too short"
    return next((problem for item in value if (problem := _schema_problem(schema["items"], item))), None)


def _expected(schema: Mapping[str, Any]) -> str:
    kind = schema["type"]
    if kind == "integer":
        low, high = schema.get("minimum"), schema.get("maximum")
        bounds = " ".join(
            part for part in (f"from {low}" if low is not None else "", f"to {high}" if high else "") if part
        )
        return f"a whole number {bounds}".strip()
    if kind == "array":
        return f"a list of {'whole numbers' if schema['items']['type'] == 'integer' else 'texts'}"
    return f"one of {', '.join(schema['enum'])}" if "enum" in schema else "a text"


def _suggestion(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # for errors alone; every preview would pay for it

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
