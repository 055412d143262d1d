"""ECS services.

Owns how the arguments become requests, what a service looks like as outputs, waiting for a steady state, and
draining on deletion. Which rollouts count as failed is the program's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, tag_list, without_none
from ...session import AwsError
from ..calls import retried, touched
from ..spelling import without_absent
from . import tags

_STEADY_STATE_SECONDS: Final = 20 * 60
_DELETION_SECONDS: Final = 20 * 60

_DEPLOYMENT_ARGUMENTS: Final = (
    "deploymentMaximumPercent",
    "deploymentMinimumHealthyPercent",
    "deploymentCircuitBreaker",
    "deploymentConfiguration",
    "alarms",
)
_UNKEPT: Final = frozenset({"STOPPED", "ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL"})
"""How a deployment ends that ECS didn't keep."""

_LOCAL_ARGUMENTS: Final = frozenset({"forceDelete", "tags", "tagsAll"})
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


class Service(Resource):
    token = "aws:ecs/service:Service"
    auto_name = AutoName(max_length=255)
    defaults = MappingProxyType(
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
            "alarms.alarmNames",
            "capacityProviderStrategies",
            "loadBalancers",
            "networkConfiguration.subnets",
            "networkConfiguration.securityGroups",
            "placementConstraints",
            "vpcLatticeConfigurations",
        }
    )
    same = MappingProxyType(
        {"cluster": _same_by_arn, "taskDefinition": _same_by_arn, "iamRole": _same_by_arn}
    )
    when_absent = MappingProxyType(
        {
            "deploymentController": {"type": "ECS"},
            # ECS answers these for a rolling deployment, which takes no bake time.
            "deploymentConfiguration.bakeTimeInMinutes": "0",
            "deploymentConfiguration.strategy": "ROLLING",
            "propagateTags": "NONE",
        }
    )
    kept = frozenset(
        {"waitForSteadyState", "forceDelete", "forceNewDeployment", "sigintRollback", "triggers"}
    )
    missing = frozenset({"ServiceNotFoundException", "ClusterNotFoundException", "ServiceNotActiveException"})

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        for name, allowed in (
            ("schedulingStrategy", ("REPLICA", "DAEMON")),
            ("launchType", ("EC2", "FARGATE", "EXTERNAL")),
            ("propagateTags", ("SERVICE", "TASK_DEFINITION", "NONE")),
            ("availabilityZoneRebalancing", ("ENABLED", "DISABLED")),
        ):
            value = inputs.get(name)
            if isinstance(value, str) and value not in allowed:
                yield name, f"`{name}` is {value!r}, one of {', '.join(allowed)} is expected"

    def refused(self, old: State, new: Inputs, changed: frozenset[str]) -> str | None:
        """Source: https://github.com/pulumi/pulumi-aws/issues/5903."""
        if "capacityProviderStrategies" in changed and not new.get("forceNewDeployment"):
            return "force_new_deployment should be true when capacity_provider_strategy is being updated"
        return None

    def create(self, call: Call, inputs: Inputs) -> str:
        parameters = self._parameters(inputs)
        if inputs.get("schedulingStrategy") == "DAEMON":
            parameters.pop("desiredCount", None)
        answer = retried(
            call,
            f"IAM shows the roles of service {inputs['name']} to ECS",
            lambda: call.client("ecs").create_service(
                serviceName=inputs["name"],
                cluster=inputs.get("cluster") or "default",
                **without_none(
                    launchType=inputs.get("launchType"),
                    schedulingStrategy=inputs.get("schedulingStrategy"),
                    deploymentController=without_absent(inputs.get("deploymentController")),
                    role=inputs.get("iamRole"),
                    tags=tags.to_ecs(inputs) or None,
                ),
                **parameters,
            ),
            "UnableToAssumeRoleException",
            default_timeout_seconds=120,
        )
        arn = call.created(str(answer["service"]["serviceArn"]))
        self._wait(call, arn, inputs, _deployment_id(answer["service"]))
        return arn

    def _parameters(self, inputs: Inputs) -> dict[str, Any]:
        """What creation and update name alike; absent arguments are left out."""
        return without_none(
            desiredCount=inputs.get("desiredCount") if "desiredCount" in inputs else 0,
            taskDefinition=inputs.get("taskDefinition"),
            platformVersion=inputs.get("platformVersion") or None,
            healthCheckGracePeriodSeconds=inputs.get("healthCheckGracePeriodSeconds"),
            enableECSManagedTags=inputs.get("enableEcsManagedTags"),
            enableExecuteCommand=inputs.get("enableExecuteCommand"),
            propagateTags=inputs.get("propagateTags"),
            availabilityZoneRebalancing=inputs.get("availabilityZoneRebalancing"),
            deploymentConfiguration=_deployment(inputs),
            capacityProviderStrategy=without_absent(inputs.get("capacityProviderStrategies")),
            loadBalancers=_to_load_balancers(inputs.get("loadBalancers")),
            networkConfiguration=_to_network(inputs.get("networkConfiguration")),
            placementConstraints=without_absent(inputs.get("placementConstraints")),
            placementStrategy=without_absent(inputs.get("orderedPlacementStrategies")),
            serviceRegistries=_to_registries(inputs.get("serviceRegistries")),
            serviceConnectConfiguration=_to_service_connect(inputs.get("serviceConnectConfiguration")),
            volumeConfigurations=_to_volumes(inputs.get("volumeConfiguration")),
            vpcLatticeConfigurations=without_absent(inputs.get("vpcLatticeConfigurations")),
        )

    def _find(self, call: Call, resource_id: str, cluster: Any) -> Mapping[str, Any] | None:
        cluster, service = _cluster_and_service(resource_id, cluster)
        answer = call.client("ecs").describe_services(cluster=cluster, services=[service], include=["TAGS"])
        return next((s for s in answer["services"] if s.get("status") != "INACTIVE"), None)

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        service = self._find(call, resource_id, state.get("cluster"))
        return None if service is None else outputs_of(service)

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ecs = call.client("ecs")
        cluster, _ = _cluster_and_service(resource_id, new.get("cluster") or old.get("cluster"))
        tags.change(ecs, resource_id, old, new)
        asked = changed - _LOCAL_ARGUMENTS
        if asked:
            before = _deployment_id(self._find(call, resource_id, cluster))
            answer = ecs.update_service(
                cluster=cluster,
                service=resource_id,
                **without_none(forceNewDeployment=new.get("forceNewDeployment")),
                **self._changes(old, new, asked),
            )
            deployment = _deployment_id(answer["service"])
            self._wait(call, resource_id, {**old, **new}, None if deployment == before else deployment)
        return None

    def _changes(self, old: State, new: Inputs, changed: frozenset[str]) -> dict[str, Any]:
        """The request parameters of the changed arguments, with AWS's word for nothing where one is gone."""
        wanted = self._parameters(new)
        if new.get("schedulingStrategy") == "DAEMON":
            wanted.pop("desiredCount", None)
        nothing = {
            "capacityProviderStrategy": [],
            "healthCheckGracePeriodSeconds": 0,
            "loadBalancers": [],
            "placementConstraints": [],
            "placementStrategy": [],
            "propagateTags": "NONE",
            "serviceConnectConfiguration": {"enabled": False},
            "serviceRegistries": [],
            "volumeConfigurations": [],
            "vpcLatticeConfigurations": [],
        }
        parameters: dict[str, Any] = {}
        for argument, parameter in _PARAMETERS.items():
            if not touched(changed, argument):
                continue
            if parameter in wanted:
                parameters[parameter] = wanted[parameter]
            elif parameter in nothing and old.get(argument):
                parameters[parameter] = nothing[parameter]
        if touched(changed, *_DEPLOYMENT_ARGUMENTS) and (deployment := _deployment(new)):
            if old.get("deploymentCircuitBreaker"):
                deployment.setdefault("deploymentCircuitBreaker", {"enable": False, "rollback": False})
            if old.get("alarms"):
                deployment.setdefault("alarms", {"alarmNames": [], "enable": False, "rollback": False})
            parameters["deploymentConfiguration"] = deployment
        return parameters

    def _wait(self, call: Call, resource_id: str, inputs: Mapping[str, Any], deployment: str | None) -> None:
        """Waits for the end of this deployment, and fails where ECS didn't keep it.

        Without one, until one deployment is left and as many tasks run as are wanted.
        Source: statusServiceWaitForStable in
        https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ecs/service.go
        """
        if not inputs.get("waitForSteadyState"):
            return

        def steady() -> bool:
            service = self._find(call, resource_id, inputs.get("cluster"))
            if service is None:
                return False
            return is_steady(service) if deployment is None else self._kept(call, service, deployment)

        call.wait_until(f"a steady state of {_last_part(resource_id)}", steady, _STEADY_STATE_SECONDS)

    def _kept(self, call: Call, service: Mapping[str, Any], deployment: str) -> bool:
        """Whether a deployment has succeeded; raises where it ended otherwise."""
        ecs = call.client("ecs")
        place = {"cluster": service["clusterArn"], "service": service["serviceName"]}
        for listed in ecs.list_service_deployments(**place)["serviceDeployments"]:
            if _last_part(deployment) not in listed["targetServiceRevisionArn"]:
                continue
            if listed["status"] in _UNKEPT:
                raise AwsError(listed.get("statusReason") or "Deployment failed")
            return bool(listed["status"] == "SUCCESSFUL")
        return False

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        ecs = call.client("ecs")
        service = self._find(call, resource_id, state.get("cluster"))
        if service is None:
            return
        place = {"cluster": service["clusterArn"], "service": service["serviceArn"]}
        drains = service.get("schedulingStrategy") != "DAEMON" and not state.get("forceDelete")
        if drains and service.get("status") != "DRAINING":
            ecs.update_service(**place, desiredCount=0)
        retried(
            call,
            f"{service['serviceName']} may be deleted",
            lambda: ecs.delete_service(**place, **without_none(force=state.get("forceDelete"))),
            "InvalidParameterException",
            default_timeout_seconds=_DELETION_SECONDS,
        )
        call.wait_until(
            f"{service['serviceName']} is inactive",
            lambda: self._find(call, resource_id, state.get("cluster")) is None,
            _DELETION_SECONDS,
        )


def _deployment_id(service: Mapping[str, Any] | None) -> str | None:
    """The primary deployment's id."""
    deployments = (service or {}).get("deployments") or []
    return next((str(each["id"]) for each in deployments if each["status"] == "PRIMARY"), None)


def is_steady(service: Mapping[str, Any]) -> bool:
    """One deployment is left, and as many tasks run as are wanted."""
    deployments = service.get("deployments") or []
    return len(deployments) == 1 and service.get("runningCount") == service.get("desiredCount")


_PARAMETERS: Final[Mapping[str, str]] = {
    "availabilityZoneRebalancing": "availabilityZoneRebalancing",
    "capacityProviderStrategies": "capacityProviderStrategy",
    "desiredCount": "desiredCount",
    "enableEcsManagedTags": "enableECSManagedTags",
    "enableExecuteCommand": "enableExecuteCommand",
    "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    "loadBalancers": "loadBalancers",
    "networkConfiguration": "networkConfiguration",
    "orderedPlacementStrategies": "placementStrategy",
    "placementConstraints": "placementConstraints",
    "platformVersion": "platformVersion",
    "propagateTags": "propagateTags",
    "serviceConnectConfiguration": "serviceConnectConfiguration",
    "serviceRegistries": "serviceRegistries",
    "taskDefinition": "taskDefinition",
    "volumeConfiguration": "volumeConfigurations",
    "vpcLatticeConfigurations": "vpcLatticeConfigurations",
}


def _cluster_and_service(resource_id: str, cluster: Any) -> tuple[str, str]:
    """Where a service is: its ARN names the cluster, and so does the id of an import, CLUSTER/SERVICE."""
    if not resource_id.startswith("arn:") and "/" in resource_id:
        named, _, service = resource_id.partition("/")
        return named, service
    parts = resource_id.split("/")
    return (str(cluster) if cluster else parts[-2] if len(parts) > 2 else "default"), resource_id


# --- arguments to requests --------------------


def _deployment(inputs: Inputs) -> dict[str, Any] | None:
    configuration: dict[str, Any] = {}
    if inputs.get("schedulingStrategy") != "DAEMON" and "deploymentMaximumPercent" in inputs:
        configuration["maximumPercent"] = inputs["deploymentMaximumPercent"]
    if "deploymentMinimumHealthyPercent" in inputs:
        configuration["minimumHealthyPercent"] = inputs["deploymentMinimumHealthyPercent"]
    if breaker := inputs.get("deploymentCircuitBreaker"):
        configuration["deploymentCircuitBreaker"] = without_absent(breaker)
    if alarms := inputs.get("alarms"):
        configuration["alarms"] = without_absent(alarms)
    strategy = inputs.get("deploymentConfiguration") or {}
    for name in ("bakeTimeInMinutes",):
        if strategy.get(name) is not None:
            configuration[name] = int(strategy[name])
    if strategy.get("strategy"):
        configuration["strategy"] = strategy["strategy"]
    for kind, bake in (
        ("canaryConfiguration", "canaryBakeTimeInMinutes"),
        ("linearConfiguration", "stepBakeTimeInMinutes"),
    ):
        if steps := without_absent(strategy.get(kind)):
            configuration[kind] = {**steps, **({bake: int(steps[bake])} if bake in steps else {})}
    if hooks := strategy.get("lifecycleHooks"):
        configuration["lifecycleHooks"] = [without_absent(hook) for hook in hooks]
    return configuration or None


def _to_load_balancers(given: Any) -> Any:
    if given is None:
        return None
    renamed = {"elbName": "loadBalancerName"}
    return [
        {renamed.get(name, name): without_absent(value) for name, value in balancer.items() if value}
        for balancer in given
    ]


def _to_network(given: Any) -> Any:
    if not given:
        return None
    return {
        "awsvpcConfiguration": {
            "subnets": given["subnets"],
            "securityGroups": given.get("securityGroups") or [],
            "assignPublicIp": "ENABLED" if given.get("assignPublicIp") else "DISABLED",
        }
    }


def _to_registries(given: Any) -> Any:
    return [{name: value for name, value in given.items() if value}] if given else None


def _to_service_connect(given: Any) -> Any:
    if not given:
        return None
    configuration: dict[str, Any] = without_absent(given)
    if "services" in configuration:
        configuration["services"] = [_to_connect_service(service) for service in configuration["services"]]
    if log := configuration.get("logConfiguration"):
        configuration["logConfiguration"] = without_absent(log)
    return configuration


def _to_connect_service(given: Mapping[str, Any]) -> dict[str, Any]:
    service = {**given}
    if "clientAlias" in service:
        service["clientAliases"] = service.pop("clientAlias")
    if "tls" in service:
        tls = {**service["tls"]}
        authority = tls.pop("issuerCertAuthority")
        tls["issuerCertificateAuthority"] = {"awsPcaAuthorityArn": authority["awsPcaAuthorityArn"]}
        service["tls"] = tls
    return service


def _to_volumes(given: Any) -> Any:
    if not given:
        return None
    volume = {name: value for name, value in given["managedEbsVolume"].items() if value is not None}
    renamed = {"sizeInGb": "sizeInGiB", "fileSystemType": "filesystemType"}
    managed = {renamed.get(name, name): value for name, value in volume.items()}
    if "tagSpecifications" in managed:
        managed["tagSpecifications"] = [
            {**without_absent(s), "tags": tag_list(s.get("tags"), "key", "value")}
            for s in managed["tagSpecifications"]
        ]
    return [{"name": given["name"], "managedEBSVolume": managed}]


# --- answers to outputs --------------------


def outputs_of(service: Mapping[str, Any]) -> dict[str, Any]:
    deployment = service.get("deploymentConfiguration") or {}
    primary: Mapping[str, Any] = next(
        (d for d in service.get("deployments") or [] if d.get("status") == "PRIMARY"), {}
    )
    breaker = deployment.get("deploymentCircuitBreaker")
    return {
        "id": service["serviceArn"],
        "arn": service["serviceArn"],
        "name": service["serviceName"],
        "cluster": service["clusterArn"],
        "taskDefinition": service.get("taskDefinition", ""),
        "desiredCount": service.get("desiredCount", 0),
        "launchType": service.get("launchType", ""),
        "platformVersion": service.get("platformVersion", ""),
        "schedulingStrategy": service.get("schedulingStrategy", ""),
        "availabilityZoneRebalancing": service.get("availabilityZoneRebalancing", ""),
        "iamRole": service.get("roleArn", ""),
        "propagateTags": service.get("propagateTags") or "NONE",
        "enableEcsManagedTags": bool(service.get("enableECSManagedTags", False)),
        "enableExecuteCommand": bool(service.get("enableExecuteCommand", False)),
        "healthCheckGracePeriodSeconds": service.get("healthCheckGracePeriodSeconds") or 0,
        "deploymentController": service.get("deploymentController") or {"type": "ECS"},
        "deploymentMaximumPercent": deployment.get("maximumPercent", 200),
        "deploymentMinimumHealthyPercent": deployment.get("minimumHealthyPercent", 100),
        "deploymentCircuitBreaker": _breaker(breaker),
        "deploymentConfiguration": _strategy(deployment),
        "alarms": deployment.get("alarms") if (deployment.get("alarms") or {}).get("alarmNames") else None,
        "capacityProviderStrategies": list(service.get("capacityProviderStrategy") or []),
        "loadBalancers": [_from_load_balancer(b) for b in service.get("loadBalancers") or []],
        "networkConfiguration": _from_network(
            service.get("networkConfiguration") or primary.get("networkConfiguration")
        ),
        "orderedPlacementStrategies": list(service.get("placementStrategy") or []),
        "placementConstraints": list(service.get("placementConstraints") or []),
        "serviceConnectConfiguration": _from_service_connect(primary.get("serviceConnectConfiguration")),
        "serviceRegistries": next(iter(service.get("serviceRegistries") or []), None),
        "volumeConfiguration": _from_volumes(primary.get("volumeConfigurations")),
        "vpcLatticeConfigurations": list(primary.get("vpcLatticeConfigurations") or []),
        "tagsAll": tags.from_ecs(service.get("tags")),
    }


def _breaker(found: Any) -> Any:
    if not found or not (found.get("enable") or found.get("rollback")):
        return None
    return {"enable": bool(found.get("enable")), "rollback": bool(found.get("rollback"))}


def _strategy(deployment: Mapping[str, Any]) -> dict[str, Any]:
    bake = deployment.get("bakeTimeInMinutes", 0)
    found: dict[str, Any] = {
        "strategy": deployment.get("strategy", "ROLLING"),
        "bakeTimeInMinutes": str(bake),
        "lifecycleHooks": list(deployment.get("lifecycleHooks") or []),
    }
    for kind, minutes in (
        ("canaryConfiguration", "canaryBakeTimeInMinutes"),
        ("linearConfiguration", "stepBakeTimeInMinutes"),
    ):
        if steps := deployment.get(kind):
            found[kind] = {**steps, minutes: str(steps.get(minutes, 0))}
    return found


def _from_load_balancer(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "elbName": found.get("loadBalancerName", ""),
        "targetGroupArn": found.get("targetGroupArn", ""),
        "containerName": found.get("containerName", ""),
        "containerPort": found.get("containerPort", 0),
        "advancedConfiguration": found.get("advancedConfiguration") or None,
    }


def _from_network(found: Any) -> Any:
    if not found or not found.get("awsvpcConfiguration"):
        return None
    network = found["awsvpcConfiguration"]
    return {
        "subnets": list(network.get("subnets") or []),
        "securityGroups": list(network.get("securityGroups") or []),
        "assignPublicIp": network.get("assignPublicIp") == "ENABLED",
    }


def _from_service_connect(found: Any) -> Any:
    if not found or not found.get("enabled"):
        return None
    configuration = {**found}
    services = []
    for service in found.get("services") or []:
        renamed = {**service}
        if "clientAliases" in renamed:
            renamed["clientAlias"] = renamed.pop("clientAliases")
        if tls := renamed.get("tls"):
            authority = tls.get("issuerCertificateAuthority") or {}
            renamed["tls"] = {
                **{name: value for name, value in tls.items() if name != "issuerCertificateAuthority"},
                "issuerCertAuthority": {"awsPcaAuthorityArn": authority.get("awsPcaAuthorityArn", "")},
            }
        services.append(renamed)
    configuration["services"] = services
    return configuration


def _from_volumes(found: Any) -> Any:
    if not found:
        return None
    volume = found[0]
    renamed = {"sizeInGiB": "sizeInGb", "filesystemType": "fileSystemType"}
    managed = {renamed.get(name, name): value for name, value in volume.get("managedEBSVolume", {}).items()}
    if "tagSpecifications" in managed:
        managed["tagSpecifications"] = [
            {**s, "tags": tags.from_ecs(s.get("tags"))} for s in managed["tagSpecifications"]
        ]
    return {"name": volume["name"], "managedEbsVolume": managed}
