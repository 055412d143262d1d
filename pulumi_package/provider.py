"""The package that other languages' programs ask for a component: which ones, and how one is made.

Owns the components' names and the way from a request to a component. The components themselves are those of
`components/`, so that a service has the same resources, names and rules whatever its program is written in.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pulumi
from pulumi.provider import ConstructResult, Provider

from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.cluster import Cluster, ClusterArgs
from components.lease_table import LeaseTable, LeaseTableArgs
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.verdicts import outcome
from components.waiting import once
from components.web_api_service import WebApiService, WebApiServiceArgs
from pulumi_package.arguments import arguments_of
from pulumi_package.fields import outputs_of
from pulumi_package.schema import Components, names_of, schema_of

COMPONENTS: Components = {
    "AlarmTopic": (AlarmTopic, AlarmTopicArgs),
    "Cluster": (Cluster, ClusterArgs),
    "LeaseTable": (LeaseTable, LeaseTableArgs),
    "SchedulerService": (SchedulerService, SchedulerServiceArgs),
    "WebApiService": (WebApiService, WebApiServiceArgs),
}
VERSION = str(
    tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]["version"]
)


class ComponentPackage(Provider):
    """Answers the engine."""

    def __init__(self) -> None:
        super().__init__(VERSION, json.dumps(schema_of(COMPONENTS, VERSION)))
        self._names = names_of(COMPONENTS)

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Makes a component; raises `InputPropertiesError` with every mistake in its arguments."""
        kind = resource_type.rpartition(":")[2]
        component, arguments = COMPONENTS[kind]
        made, mistakes = arguments_of(arguments, inputs, self._names)
        if mistakes:
            # Without the properties' paths, behind which the engine would print each value, a secret's too.
            told = "\n".join([f"{kind} {name!r} can't be made of these arguments.", *mistakes])
            raise pulumi.InputPropertiesError(told, [])
        instance = component(name, made, options)  # type: ignore[arg-type]  # each has its own arguments
        # The SDK waits for what a component says of itself, not for what judges it once it is made.
        judged = outcome()
        return ConstructResult(
            urn=instance.urn,
            state={
                output.key: once(getattr(instance, output.name), judged)
                for output in outputs_of(component)
                if getattr(instance, output.name) is not None
            },
        )
