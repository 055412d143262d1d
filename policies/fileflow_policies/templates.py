"""What a CloudFormation template makes, read as resources in the one form of this pack.

Owns reading JSON and YAML templates. Deliberately not here: what a template may make, and macros, which only
CloudFormation runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .json_text import DEEPEST, UnreadableTextError, nesting, parse
from .normal import cloud_formation_type, from_cloud_formation
from .resources import ECS_TASK_DEFINITION, Resource, Stack
from .values import Value

TEMPLATE_TYPES: Final = ("aws:cloudformation/stack:Stack", "aws:cloudformation/stackSet:StackSet")
_NESTED: Final = "aws:cloudformation/stack:Stack"
_LARGEST_BYTES: Final = 1_000_000  # CloudFormation's own limit for a template in a bucket


@dataclass(frozen=True, slots=True)
class Template:
    """The resources of a template, or why they can't be read."""

    resources: tuple[Resource, ...] = ()
    problem: str | None = None
    unknown: bool = False


def read_template(stack: Resource) -> Template:
    """The template of a stack, of its set, or of the same by another provider."""
    known: Template | None = stack.memo.get("template")
    if known is None:
        known = _read(stack)
        stack.memo["template"] = known
    return known


def made_by_templates(stack: Stack) -> Iterator[tuple[Resource, Resource]]:
    """Each resource that a template of the program makes, behind the template."""
    for template in stack.of(*TEMPLATE_TYPES):
        for inner in read_template(template).resources:
            yield template, inner


def makes(template: Resource, inner: Resource) -> str:
    """The beginning of what is said of a resource in a template."""
    return f"its template makes {template.props.shown_part(inner.name)}: "


def _read(stack: Resource) -> Template:
    url = stack["templateUrl"]
    if not url.surely_empty:
        return Template((), f"templateUrl is {url.shown()}")
    body = stack["templateBody"] if stack["template"].missing else stack["template"]
    if not body.known:
        return Template((), None if body.missing else f"{body.path} is {body.shown()}", body.unknown)
    text = body.text()
    try:
        content = body.raw if text is None else _parsed(text)
    except UnreadableTextError as error:
        return Template((), f"{body.path} is {error}")
    made = content.get("Resources") if isinstance(content, Mapping) else None
    if not isinstance(made, Mapping):
        return Template((), f"{body.path} has no resources")
    made = _worked_out(made, _parameters(stack, content))
    resources = [
        _resource(stack, str(name), given)
        for name, given in made.items()
        if isinstance(given, Mapping) and isinstance(given.get("Type"), str)
    ]
    _link(resources, made)
    nested = next(
        (
            each
            for each in resources
            if each.canonical_type == _NESTED and not each["templateUrl"].surely_empty
        ),
        None,
    )
    if nested is not None:
        return Template(tuple(resources), f"{body.path} nests {nested.name} by its URL")
    return Template(tuple(resources))


def _parameters(stack: Resource, content: Mapping[Any, Any]) -> dict[str, str]:
    """The template's parameters as far as they are plain: what the program gives, else their defaults."""
    declared = content.get("Parameters")
    defaults = {
        str(name): str(given["Default"])
        for name, given in (declared.items() if isinstance(declared, Mapping) else ())
        if isinstance(given, Mapping) and isinstance(given.get("Default"), str | int)
    }
    given = {
        name: text
        for name, value in stack["parameters"].entries()
        if not value.secret and (text := value.text()) is not None
    }
    unknown = {name for name, value in stack["parameters"].entries() if name not in given}
    return {name: text for name, text in {**defaults, **given}.items() if name not in unknown}


def _worked_out(raw: Any, names: Mapping[str, str]) -> Any:
    """A template's value with `Ref`, `Fn::Sub` and `Fn::Join` worked out from the parameters.

    What they don't tell stays as its placeholder, `${Name}`.
    """
    result: Any
    match raw:
        case list():
            result = [_worked_out(item, names) for item in raw]
        case {"Ref": str(name)} if len(raw) == 1:
            result = names.get(name, raw)
        case {"Fn::Join": [str(between), list(parts)]} if len(raw) == 1:
            result = between.join(_placed(_worked_out(part, names)) for part in parts)
        case {"Fn::Sub": str(text)} if len(raw) == 1:
            result = _substituted(text, names)
        case {"Fn::Sub": [str(text), {**own}]} if len(raw) == 1:
            placed = {str(key): _placed(_worked_out(value, names)) for key, value in own.items()}
            result = _substituted(text, {**names, **placed})
        case {**members}:
            result = {key: _worked_out(value, names) for key, value in members.items()}
        case _:
            result = raw
    return result


def _placed(value: Any) -> str:
    """A part of a text: as it is, or as the placeholder of what only CloudFormation knows."""
    if isinstance(value, Mapping):
        name = value.get("Ref")
        return f"${{{name}}}" if isinstance(name, str) else "${}"
    return str(value)


def _substituted(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([\w:.]+)\}", lambda found: names.get(found[1], found[0]), text)


def _resource(stack: Resource, name: str, given: Mapping[str, Any]) -> Resource:
    token = cloud_formation_type(given["Type"])
    properties = given.get("Properties")
    inner = from_cloud_formation(token, properties if isinstance(properties, Mapping) else {})
    secret = stack["templateBody"].secret or stack["template"].secret
    return Resource(
        token, f"{stack.urn_text}/{name}", name, Value.of(inner, "", secret).raw if not secret else inner
    )


def _link(resources: list[Resource], made: Mapping[Any, Any]) -> None:
    """Finds the task definition that a service names by its logical id."""
    tasks = {each.name: each for each in resources if each.canonical_type == ECS_TASK_DEFINITION}
    for each in resources:
        properties = made[each.name].get("Properties") if each.name in made else None
        named = properties.get("TaskDefinition") if isinstance(properties, Mapping) else None
        if isinstance(named, Mapping):
            named = named.get("Ref") or named.get("Fn::GetAtt")
        if isinstance(named, str) and named in tasks:
            each.memo["template tasks"] = [tasks[named]]


_BRACKETS: Final = re.compile(r"([\[{])|([\]}])")
_NESTED_ON_A_LINE: Final = re.compile(rf"(?:[-?] ){{{DEEPEST}}}")


def _too_deep(text: str) -> bool:
    """Whether YAML may be nested deeper than any template: by brackets, or by lists on one line."""
    return nesting(text, _BRACKETS) > DEEPEST or _NESTED_ON_A_LINE.search(text) is not None


def _parsed(text: str) -> Any:
    if len(text) > _LARGEST_BYTES:
        raise UnreadableTextError("larger than a template may be")
    if text.lstrip()[:1] == "{":
        return parse(text)
    import yaml  # a dependency of the Pulumi SDK; for templates alone

    if _too_deep(text):
        raise UnreadableTextError("nested too deeply")

    # libyaml's is written in C: ten times as fast, and without a stack of Python's to end on.
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # its type depends on the build
        """As CloudFormation reads YAML: `!Ref Name` is `{"Ref": "Name"}`."""

    def intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            value: Any = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        elif isinstance(node, yaml.MappingNode):
            value = loader.construct_mapping(node, deep=True)
        else:
            value = None
        return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}

    Loader.add_multi_constructor("!", intrinsic)
    if "&" in text and "*" in text and text.count("*") > 1000:
        raise UnreadableTextError("full of aliases")
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableTextError("neither JSON nor YAML") from error
