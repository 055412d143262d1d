"""The analyser that serves the rules to the Pulumi engine.

The SDK's own analyser decodes a resource again for every rule, doesn't say that a value was secret, and
accepts any configuration. This one decodes each resource once, calls only the rules that concern its type,
marks secrets so that no message shows one, and refuses a configuration that would switch a scheduler rule
off.

`install` puts it in the place of the SDK's; everything else of `pulumi_policy.PolicyPack` stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import grpc
import pulumi_policy.policy
from google.protobuf import empty_pb2
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy

from .config import Configuration, ConfigurationError, Effective
from .config_problems import Given
from .normal import canonical_type
from .pack import resource_findings, stack_findings
from .resources import BY_CONTENT, ECS_TASK_DEFINITION, Resource, Stack
from .rule import Finding, Rule

_LEVELS: Final = {
    proto.ADVISORY: EnforcementLevel.ADVISORY,
    proto.MANDATORY: EnforcementLevel.MANDATORY,
    proto.REMEDIATE: EnforcementLevel.REMEDIATE,
    proto.DISABLED: EnforcementLevel.DISABLED,
}


class UnsupportedPolicySdkError(RuntimeError):
    """The installed pulumi-policy isn't built as this analyser expects."""


class Analyzer(pulumi_policy.policy._PolicyAnalyzerServicer):
    """Serves a pack's rules; made by `pulumi_policy.PolicyPack` once `install` has run."""

    def __init__(self, name: str, version: str, policies: list[Policy], *rest: Any, **named: Any) -> None:
        super().__init__(name, version, policies, *rest, **named)
        self._pack_name = name
        self._pack_version = version
        self._rules: list[Rule] = [policy.rule for policy in policies if hasattr(policy, "rule")]
        if len(self._rules) != len(policies):
            raise UnsupportedPolicySdkError("this analyser serves rules of fileflow_policies only")
        self._stack_rules = [rule for rule in self._rules if rule.check_stack is not None]
        self._rules_by_type: dict[str, list[Rule]] = {}
        self._rules_of_any_type = [
            rule for rule in self._rules if rule.check_resource is not None and not rule.types
        ]
        for rule in self._rules:
            if rule.check_resource is not None:
                for token in rule.types:
                    self._rules_by_type.setdefault(token, list(self._rules_of_any_type)).append(rule)
        self._not_applicable: dict[str, list[Any]] = {}
        self._registered: dict[str, Resource] = {}
        """Task definitions by family, as they were registered last; a service of theirs comes after them."""
        self._configuration = Configuration(self._rules)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        """Accepts the configuration, or refuses it with one message that names every problem."""
        given = {
            name: Given(_LEVELS.get(part.enforcementLevel), decoded(part.properties))
            for name, part in request.policyConfig.items()
        }
        try:
            self._configuration = Configuration(self._rules, given)
        except ConfigurationError as error:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"the policy pack's configuration is refused: {error}"
            )
        return empty_pb2.Empty()

    def Analyze(self, request: Any, _context: Any) -> Any:  # noqa: N802  # the protocol's name
        """Runs the rules that concern the resource's type on its inputs."""
        response = proto.AnalyzeResponse()
        kind = canonical_type(request.type)
        resource: Resource | None = None
        if kind in BY_CONTENT:
            resource = self._resource(request)
            kind = resource.canonical_type
        rules = self._rules_by_type.get(kind, self._rules_of_any_type)
        response.not_applicable.extend(self._others(kind, rules))
        if not rules:
            return response
        resource = resource or self._resource(request)
        if kind == ECS_TASK_DEFINITION and (family := resource["family"].text()):
            self._registered[family] = resource
        effective = self._configuration.for_stack(resource.urn.stack)
        for rule in rules:
            here = effective[rule.name]
            if here.level is not EnforcementLevel.DISABLED:
                self._report(response, rule, here, resource_findings(rule, resource, here), resource)
        return response

    def Remediate(self, _request: Any, _context: Any) -> Any:  # noqa: N802  # the protocol's name
        """Nothing, and without looking: no rule changes a resource, yet the engine asks for every one."""
        return proto.RemediateResponse()

    def AnalyzeStack(self, request: Any, _context: Any) -> Any:  # noqa: N802  # the protocol's name
        """Runs the stack rules on the outputs of all resources, decoded once."""
        response = proto.AnalyzeResponse()
        stack = Stack([self._stack_resource(item) for item in request.resources])
        name = stack.resources[0].urn.stack if stack.resources else ""
        effective = self._configuration.for_stack(name)
        for rule in self._stack_rules:
            here = effective[rule.name]
            if here.level is not EnforcementLevel.DISABLED:
                self._report(response, rule, here, stack_findings(rule, stack, here), None)
        return response

    def _resource(self, request: Any) -> Resource:
        return Resource(
            type=request.type,
            urn_text=request.urn,
            name=request.name,
            properties=decoded(request.properties),
            parent_urn=request.options.parent or None,
            registered=self._registered,
            provider_region=_region(request.provider),
            **_options(request.options),
        )

    def _stack_resource(self, item: Any) -> Resource:
        dependencies: Mapping[str, tuple[str, ...]] = {
            key: tuple(value.urns) for key, value in item.propertyDependencies.items()
        }
        return Resource(
            type=item.type,
            urn_text=item.urn,
            name=item.name,
            properties=decoded(item.properties),
            parent_urn=item.parent or None,
            dependencies=tuple(item.dependencies),
            property_dependencies=dependencies,
            registered=self._registered,
            provider_region=_region(item.provider),
            **_options(item.options),
        )

    def _others(self, kind: str, rules: list[Rule]) -> list[Any]:
        """What is said of the rules that don't concern a type, made once for each type."""
        known = self._not_applicable.get(kind)
        if known is None:
            concerned = {rule.name for rule in rules}
            known = [
                proto.PolicyNotApplicable(policy_name=rule.name, reason="it judges other types of resources")
                for rule in self._rules
                if rule.check_resource is not None and rule.name not in concerned
            ]
            self._not_applicable[kind] = known
        return known

    def _report(
        self,
        response: Any,
        rule: Rule,
        effective: Effective,
        findings: Iterable[Finding],
        resource: Resource | None,
    ) -> None:
        for finding in findings:
            about = finding.resource
            level = EnforcementLevel.ADVISORY if finding.advisory else effective.level
            response.diagnostics.append(
                proto.AnalyzeDiagnostic(
                    policyName=rule.name,
                    policyPackName=self._pack_name,
                    policyPackVersion=self._pack_version,
                    message=rule.message(finding, resource),
                    urn=about.urn_text if resource is None and about is not None else "",
                    description=rule.sentence,
                    enforcementLevel=self._map_enforcement_level(level),
                    severity=self._map_severity(rule.severity),
                )
            )


def install() -> None:
    """Makes `pulumi_policy.PolicyPack` serve this analyser.

    Raises UnsupportedPolicySdkError when the installed SDK has no such place.
    """
    if not hasattr(pulumi_policy.policy, "_PolicyAnalyzerServicer"):
        raise UnsupportedPolicySdkError(
            "pulumi-policy has no _PolicyAnalyzerServicer; the pack needs pulumi-policy 1.21; "
            "install the packages of the pack's requirements.txt"
        )
    pulumi_policy.policy._PolicyAnalyzerServicer = Analyzer  # type: ignore[misc]  # replaced on purpose, see above


def decoded(struct: Any) -> dict[str, Any]:
    """The plain values in a protobuf Struct.

    The library's own decoder refuses infinite numbers, which a program may pass; here they are values like
    others.
    """
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    held = getattr(value, kind)
    if kind == "struct_value":
        return decoded(held)
    return [_value(element) for element in held.values] if kind == "list_value" else held


def _options(options: Any) -> dict[str, Any]:
    return {
        "ignore_changes": tuple(options.ignoreChanges),
        "delete_before_replace": options.deleteBeforeReplace if options.deleteBeforeReplaceDefined else None,
        "protect": options.protect,
    }


def _region(provider: Any) -> str:
    """The region of the provider that makes a resource, when it is named in plain text."""
    value = provider.properties.fields.get("region")
    return str(value.string_value) if value is not None else ""
