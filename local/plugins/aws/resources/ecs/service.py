"""ECS services.

Owns waiting for a steady state, and draining on deletion. Which rollouts count as failed is the program's
business. Doesn't own daemons, deployments by traffic, registries, volumes, lattices, and placement.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ecs/service.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...comparison import is_nothing
from ...modelled import Ask, Modelled, Tags
from ...naming import AutoName
from ...resource import Answer, Call, Inputs, Names, Outputs, State, facts, names
from ...session import AwsError
from ..calls import retried

_STEADY_STATE_SECONDS: Final = 20 * 60
_DELETION_SECONDS: Final = 20 * 60

_CONNECT: Final = "serviceConnectConfiguration"
_DEPLOYMENT: Final = "deploymentConfiguration"
_DEPLOYMENT_PLACES: Final = {
    "alarms": f"{_DEPLOYMENT}.alarms",
    "deploymentCircuitBreaker": f"{_DEPLOYMENT}.deploymentCircuitBreaker",
    _DEPLOYMENT: "",
    f"{_DEPLOYMENT}.strategy": f"{_DEPLOYMENT}.strategy",
    "deploymentMaximumPercent": f"{_DEPLOYMENT}.maximumPercent",
    "deploymentMinimumHealthyPercent": f"{_DEPLOYMENT}.minimumHealthyPercent",
}
_UNKEPT: Final = frozenset({"STOPPED", "ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL"})
"""How a deployment ends that ECS didn't keep."""

_LOCAL_ARGUMENTS: Final = frozenset({"tags", "tagsAll"})
"""A change of these alone asks nothing of the service.

Source: resourceServiceUpdate in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ecs/service.go
"""


def _last_part(arn_or_name: Any) -> str:
    return str(arn_or_name).rpartition("/")[2]


def _same_by_arn(left: Any, right: Any) -> bool:
    """A name and the ARN that ends in it are the same; two ARNs are only if they are equal."""
    if str(left).startswith("arn:") and str(right).startswith("arn:"):
        return bool(left == right)
    return _last_part(left) == _last_part(right)


class Service(Modelled):
    token = "aws:ecs/service:Service"
    service = "ecs"
    key = "arn"
    identity = "arn"
    made_by = Ask("CreateService", "service")
    read_by = (Ask("DescribeServices", "services", facts(include=["TAGS"])),)
    changed_by = (Ask("UpdateService"),)
    deleted_by = Ask("DeleteService")
    tags = Tags(reading="")
    # IAM shows a new role to ECS after a moment.
    passing = names("UnableToAssumeRoleException")
    passing_timeout_seconds = 120
    noun = "service"
    named = facts(
        _DEPLOYMENT_PLACES,
        {
            "arn": "serviceArn|services|service",
            "cluster": "clusterArn|cluster",
            "iamRole": "roleArn",
            "networkConfiguration": "networkConfiguration.awsvpcConfiguration",
            f"{_CONNECT}.services.clientAlias": "clientAliases",
            "tagsAll": "tags",
        },
    )
    replacing = names("cluster deploymentController iamRole launchType name schedulingStrategy")
    lacking = frozenset(
        {
            *(f"{_DEPLOYMENT}.{name}" for name in ("bakeTimeInMinutes", "canaryConfiguration")),
            *(f"{_DEPLOYMENT}.{name}" for name in ("lifecycleHooks", "linearConfiguration")),
            *(f"{_CONNECT}.services.{name}" for name in ("ingressPortOverride", "timeout", "tls")),
            *(f"{_CONNECT}.{name}" for name in ("accessLogConfiguration", "logConfiguration")),
            *("forceDelete", "iamRole", "loadBalancers.advancedConfiguration", "loadBalancers.elbName"),
            *("orderedPlacementStrategies", "placementConstraints", "serviceRegistries", "sigintRollback"),
            *("triggers", "volumeConfiguration", "vpcLatticeConfigurations"),
        }
    )
    auto_name = AutoName(max_length=255)
    defaults = facts(
        {
            "deploymentMaximumPercent": 200,
            "deploymentMinimumHealthyPercent": 100,
            "enableEcsManagedTags": False,
            "enableExecuteCommand": False,
            "schedulingStrategy": "REPLICA",
            "waitForSteadyState": False,
        }
    )
    exclusive = (("launchType", "capacityProviderStrategies"),)
    sets = frozenset(
        {
            *("alarms.alarmNames", "capacityProviderStrategies", "loadBalancers"),
            *("networkConfiguration.subnets", "networkConfiguration.securityGroups"),
        }
    )
    same = facts({"cluster": _same_by_arn, "taskDefinition": _same_by_arn})
    when_absent = facts(
        {
            "deploymentController": {"type": "ECS"},
            f"{_DEPLOYMENT}.strategy": "ROLLING",
            "propagateTags": "NONE",
        }
    )
    kept = names("forceNewDeployment waitForSteadyState")
    by_hand = names(_CONNECT)
    missing = names("ServiceNotActiveException")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        for name, allowed in (
            ("schedulingStrategy", ("REPLICA",)),
            ("launchType", ("EC2", "FARGATE", "EXTERNAL")),
            ("propagateTags", ("SERVICE", "TASK_DEFINITION", "NONE")),
            ("availabilityZoneRebalancing", ("ENABLED", "DISABLED")),
        ):
            value = inputs.get(name)
            if isinstance(value, str) and value not in allowed:
                yield name, f"`{name}` is {value!r}, one of {', '.join(allowed)} is expected"

    def refused(self, old: State, new: Inputs, changed: Names) -> str | None:
        """Source: https://github.com/pulumi/pulumi-aws/issues/5903."""
        if "capacityProviderStrategies" in changed and not new.get("forceNewDeployment"):
            return "force_new_deployment should be true when capacity_provider_strategy is being updated"
        return None

    def shaped(self, inputs: Inputs) -> Inputs:
        """With ECS's words for nothing."""
        off = {"enable": False, "rollback": False}
        nothing = {
            "alarms": {**off, "alarmNames": []},
            "deploymentCircuitBreaker": off,
            "propagateTags": "NONE",
            _CONNECT: {"enabled": False},
        }
        gone: dict[str, Any] = {
            name: word for name, word in nothing.items() if name in inputs and not inputs[name]
        }
        network = inputs.get("networkConfiguration") or {}
        if network:
            gone["networkConfiguration"] = {**network, "assignPublicIp": bool(network.get("assignPublicIp"))}
        return {"desiredCount": 0, **inputs, **gone}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        if found["status"] == "INACTIVE":
            return None
        connect = next((d.get(_CONNECT) for d in found["deployments"] if d["status"] == "PRIMARY"), None)
        return {
            **outputs,
            **{name: None for name in ("alarms", "deploymentCircuitBreaker") if is_nothing(outputs[name])},
            _DEPLOYMENT: {"strategy": "ROLLING"} if outputs[_DEPLOYMENT] is None else outputs[_DEPLOYMENT],
            "deploymentController": outputs["deploymentController"] or {"type": "ECS"},
            "propagateTags": outputs["propagateTags"] or "NONE",
            _CONNECT: self._connected(connect) if connect and connect.get("enabled") else None,
        }

    def create(self, call: Call, inputs: Inputs) -> str:
        arn = super().create(call, {n: v for n, v in inputs.items() if n != "forceNewDeployment"})
        self._wait(call, arn, inputs, self._newest_deployment(call, arn, inputs))
        return arn

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        if changed - _LOCAL_ARGUMENTS:
            # One that is forced is so by whatever changes; of a deployment's settings ECS is told all.
            changed |= {"forceNewDeployment"}
            if not changed.isdisjoint(_DEPLOYMENT_PLACES):
                changed |= {name for name in _DEPLOYMENT_PLACES if "." not in name}
        before = self._newest_deployment(call, resource_id, old)
        super().update(call, resource_id, old, new, changed)
        after = self._newest_deployment(call, resource_id, old)
        if changed - _LOCAL_ARGUMENTS:
            self._wait(call, resource_id, {**old, **new}, None if after == before else after)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ecs, key = call.client("ecs"), self._key(resource_id, state)
        place = {"cluster": key["cluster"], "service": key["arn"]}
        service = self._first_answer(call, resource_id, state)
        if service.get("status") not in ("DRAINING", "INACTIVE", None):
            ecs.update_service(**place, desiredCount=0)
        retried(
            call,
            f"{resource_id} may be deleted",
            lambda: ecs.delete_service(**place),
            "InvalidParameterException",
            default_timeout_seconds=_DELETION_SECONDS,
        )
        call.wait_until(
            f"{resource_id} is inactive",
            lambda: self._first_answer(call, resource_id, state).get("status") in ("INACTIVE", None),
            _DELETION_SECONDS,
        )

    def _key(self, resource_id: str, state: State) -> dict[str, str]:
        """An ARN names the cluster too, and so does the id of an import, CLUSTER/SERVICE."""
        if not resource_id.startswith("arn:"):
            cluster, _, name = resource_id.rpartition("/")
            return {"arn": name, "cluster": cluster or "default"}
        return {"arn": resource_id, "cluster": state.get("cluster") or resource_id.split("/")[-2]}

    def _connected(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        services = [
            {
                **{name: service.get(name) for name in ("discoveryName", "portName")},
                "clientAlias": service.get("clientAliases") or [],
            }
            for service in found.get("services") or ()
        ]
        return {"enabled": True, "namespace": found.get("namespace"), "services": services}

    def _newest_deployment(self, call: Call, resource_id: str, state: State) -> str | None:
        """Its ARN. The primary one may be the former already: a rollback can be over before anybody looks."""
        deployments = _deployments(call, self._key(resource_id, state))
        return next((str(each["serviceDeploymentArn"]) for each in deployments), None)

    def _wait(self, call: Call, resource_id: str, inputs: Mapping[str, Any], deployment: str | None) -> None:
        """Waits for the end of this deployment, and fails where ECS didn't keep it.

        Without one, until one deployment is left and as many tasks run as are wanted.
        Source: statusServiceWaitForStable in
        https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ecs/service.go
        """
        if not inputs.get("waitForSteadyState"):
            return

        def steady() -> bool:
            if deployment is not None:
                return _kept(call, self._key(resource_id, inputs), deployment)
            return is_steady(self._first_answer(call, resource_id, inputs))

        call.wait_until(f"a steady state of {_last_part(resource_id)}", steady, _STEADY_STATE_SECONDS)


def _deployments(call: Call, place: Mapping[str, str]) -> list[dict[str, Any]]:
    """What ECS has deployed to a service, the newest first."""
    answer = call.client("ecs").list_service_deployments(cluster=place["cluster"], service=place["arn"])
    return list(answer["serviceDeployments"])


def _kept(call: Call, place: Mapping[str, str], deployment: str) -> bool:
    """Whether a deployment has succeeded; raises where it ended otherwise."""
    for listed in _deployments(call, place):
        if listed["serviceDeploymentArn"] != deployment:
            continue
        if listed["status"] in _UNKEPT:
            raise AwsError(listed.get("statusReason") or "Deployment failed")
        return bool(listed["status"] == "SUCCESSFUL")
    return False


def is_steady(service: Mapping[str, Any]) -> bool:
    """One deployment is left, and as many tasks run as are wanted."""
    deployments = service.get("deployments") or []
    return len(deployments) == 1 and service.get("runningCount") == service.get("desiredCount")
