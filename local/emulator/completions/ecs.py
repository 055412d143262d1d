"""ECS: clusters, task definitions and services come back as AWS returns them, and are refused where AWS
refuses.

Owns validation, defaults, every field of a service and its deployments, and the history behind
`ListServiceDeployments`. Deliberately leaves the scheduler itself (start before stop, limits, circuit
breaker) to ministack, and a task's life to `completions.ecs_tasks`.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, ecs

from local.emulator.completions.ec2_security_groups import security_groups
from local.emulator.completions.ec2_subnets import subnets
from local.emulator.completions.ecs_containers import service_lock
from local.emulator.completions.ecs_records import (
    asked,
    definition_of,
    find_cluster,
    find_service,
    primary_deployment,
    service_key,
    service_of,
    tags_of,
)
from local.emulator.completions.ecs_tasks import add_event
from local.emulator.completions.eventbridge import publish
from local.emulator.completions.patching import AwsError, Request, Response, json_action, json_body, wrap

# CPU units to the memory that Fargate offers with them, in MiB.
FARGATE_MEMORY_MIB: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
LONGEST_FARGATE_STOP_TIMEOUT_SECONDS = 120
FARGATE_PLATFORM_VERSION = "1.4.0"

# A change of one of these starts a new deployment; of any other one, it doesn't (UpdateService's
# documentation).
DEPLOYING_FIELDS = (
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
QUIET_FIELDS = (
    "availabilityZoneRebalancing",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "propagateTags",
)
# What a Service shows only in its deployments.
DEPLOYMENT_ONLY_FIELDS = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")

# What a service revision remembers besides its task definition, and a rollback brings back.
REVISION_FIELDS = (
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "capacityProviderStrategy",
    "launchType",
    "platformVersion",
    *(f"_{name}" for name in DEPLOYMENT_ONLY_FIELDS),
)

_BREAKER_REASON = "ECS deployment circuit breaker: tasks failed to start."


def install() -> None:
    """Completes clusters, task definitions, services and deployments."""
    actions = ecs._ACTION_MAP
    for action, make in (
        ("CreateCluster", _create_cluster),
        ("DeleteCluster", _delete_cluster),
        ("RegisterTaskDefinition", _register_task_definition),
        ("CreateService", _create_service),
        ("UpdateService", _update_service),
        ("DescribeServices", _describe_services),
    ):
        actions[action] = make(actions[action])
    actions["RunTask"] = _run_task
    actions["StopTask"] = _stop_task
    wrap(ecs, "_refresh_service_state", _refresh_service_state)
    wrap(ecs, "_complete_service_deployment", _complete_service_deployment)
    wrap(ecs, "_reconcile_service_tasks", _stop_what_never_ran)
    wrap(ecs, "_reconcile_service_tasks", _reconcile_what_was_put_back)
    actions["ListServiceDeployments"] = json_action(_list_service_deployments)
    actions["DescribeServiceDeployments"] = json_action(_describe_service_deployments)
    actions["DescribeServiceRevisions"] = json_action(_describe_service_revisions)


def _refused(error: AwsError) -> Response:
    response: Response = ecs.error_response_json(error.code, error.message, error.status)
    return response


def _run_task(request: Request) -> Response:
    """By the function that the scheduler starts tasks by, with all that is put before it."""
    response: Response = ecs._run_task(request)
    return response


def _stop_task(request: Request) -> Response:
    """By the function that the scheduler stops tasks by, with all that is put before it."""
    response: Response = ecs._stop_task(request)
    return response


# Clusters


def _create_cluster(original: Any) -> Any:
    """Keeps the defaults for Service Connect, as an update does.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html
    """

    def create(request: Request) -> Response:
        response: Response = original(request)
        defaults = request.get("serviceConnectDefaults")
        if response[0] >= 400 or not defaults:
            return response
        changed = {"cluster": request.get("clusterName"), "serviceConnectDefaults": defaults}
        completed: Response = ecs.json_response(asked("UpdateCluster", changed))
        return completed

    return create


def _delete_cluster(original: Any) -> Any:
    """Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html"""

    def delete(request: Request) -> Response:
        try:
            arn = find_cluster(request.get("cluster"))["clusterArn"]
            services = [each for each in ecs._services.values() if each["clusterArn"] == arn]
            if any(service["status"] == "ACTIVE" for service in services):
                raise AwsError(
                    "ClusterContainsServicesException",
                    "The Cluster cannot be deleted while Services are active.",
                )
            tasks = [each for each in ecs._tasks.values() if each["clusterArn"] == arn]
            if any(task["lastStatus"] != "STOPPED" for task in tasks):
                raise AwsError(
                    "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
                )
        except AwsError as error:
            return _refused(error)
        response: Response = original(request)
        return response

    return delete


# Task definitions


def _register_task_definition(original: Any) -> Any:
    def register(request: Request) -> Response:
        request = copy.deepcopy(request)
        try:
            _check_task_definition(request)
        except AwsError as error:
            return _refused(error)
        awsvpc = request.get("networkMode") == "awsvpc"
        for container in request.get("containerDefinitions", []):
            _complete_container_definition(container, awsvpc=awsvpc)
        status, headers, body = original(request)
        if status >= 400:
            return status, headers, body
        answer = json_body((status, headers, body))
        definition = definition_of(answer["taskDefinition"])
        for name in ("executionRoleArn", "taskRoleArn", "pidMode", "ipcMode"):
            if not definition.get(name):
                definition.pop(name, None)
        for name in ("proxyConfiguration", "runtimePlatform", "ephemeralStorage"):
            if definition.get(name) is None:
                definition.pop(name, None)
        definition["enableFaultInjection"] = bool(request.get("enableFaultInjection", False))
        if request.get("inferenceAccelerators"):
            definition["inferenceAccelerators"] = request["inferenceAccelerators"]
        completed: Response = ecs.json_response(
            {"taskDefinition": definition, "tags": answer.get("tags", [])}, status
        )
        return completed

    return register


def _check_task_definition(request: Request) -> None:
    containers = request.get("containerDefinitions") or []
    names = [container.get("name") for container in containers]
    for name in names:
        if names.count(name) > 1:
            raise AwsError("ClientException", f"The container name {name!r} is used more than once.")
    if containers and not any(container.get("essential", True) for container in containers):
        raise AwsError("ClientException", "A task definition must have at least one essential container.")
    if "FARGATE" not in (request.get("requiresCompatibilities") or []):
        return
    if request.get("networkMode") != "awsvpc":
        raise AwsError(
            "ClientException",
            "Fargate only supports network mode ‘awsvpc’.",
        )
    _check_fargate_size(request)
    _check_container_memory(request, containers)
    for container in containers:
        _check_fargate_container(container, has_execution_role=bool(request.get("executionRoleArn")))


def _check_fargate_size(request: Request) -> None:
    sizes = {}
    for name in ("cpu", "memory"):
        text = str(request.get(name) or "")
        if not text.isdigit():
            raise AwsError(
                "ClientException",
                f"Fargate requires that '{name}' be defined at the task level as a number, not {text!r}.",
            )
        sizes[name] = int(text)
    if sizes["memory"] not in FARGATE_MEMORY_MIB.get(sizes["cpu"], ()):
        raise AwsError(
            "ClientException",
            f"No Fargate configuration exists for given values: {sizes['cpu']} CPU, {sizes['memory']} "
            "memory. See the Amazon ECS documentation for the valid values.",
        )


def _check_container_memory(request: Request, containers: list[dict[str, Any]]) -> None:
    """Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
    task = int(request["memory"])
    for container in containers:
        limit, reserved = container.get("memory"), container.get("memoryReservation")
        if limit is not None and reserved is not None and limit <= reserved:
            raise AwsError(
                "ClientException",
                f"Invalid setting for container '{container.get('name')}'. The 'memory' must be greater than "
                "the 'memoryReservation'.",
            )
    # Of a container that has both, the reservation is what is taken from the task's memory.
    taken = sum(each.get("memoryReservation") or each.get("memory") or 0 for each in containers)
    if taken > task:
        raise AwsError(
            "ClientException",
            f"Invalid setting for containers. Their memory, {taken} MiB, is more than the task's {task} MiB.",
        )


def _check_fargate_container(container: dict[str, Any], *, has_execution_role: bool) -> None:
    name = container.get("name")
    timeout = container.get("stopTimeout")
    if timeout is not None and not 0 <= timeout <= LONGEST_FARGATE_STOP_TIMEOUT_SECONDS:
        raise AwsError(
            "ClientException",
            f"The stopTimeout of container {name!r} is {timeout}; it must be from 0 to "
            f"{LONGEST_FARGATE_STOP_TIMEOUT_SECONDS} seconds on Fargate.",
        )
    if container.get("privileged"):
        raise AwsError("ClientException", "Fargate doesn't support privileged containers.")
    needs = []
    if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        needs.append("log driver awslogs")
    if ".dkr.ecr." in container.get("image", ""):
        needs.append("ECR images")
    if container.get("secrets"):
        needs.append("secrets")
    if needs and not has_execution_role:
        raise AwsError(
            "ClientException",
            f"Fargate requires task definition to have execution role ARN to support {needs[0]}.",
        )


def _complete_container_definition(container: dict[str, Any], *, awsvpc: bool) -> None:
    """Adds what AWS adds to a container definition when it returns it."""
    container.setdefault("cpu", 0)
    container.setdefault("essential", True)
    for name in ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"):
        container.setdefault(name, [])
    for mapping in container["portMappings"]:
        mapping.setdefault("protocol", "tcp")
        if awsvpc and "containerPort" in mapping:
            mapping.setdefault("hostPort", mapping["containerPort"])
        mapping.setdefault("hostPort", 0)
    check = container.get("healthCheck")
    if check:
        for name, default in (("interval", 30), ("timeout", 5), ("retries", 3)):
            check.setdefault(name, default)


# Services


def _completed_deployment_configuration(
    given: dict[str, Any], known: dict[str, Any] | None
) -> dict[str, Any]:
    defaults = known or {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    return defaults | given


def _rebalancing_is_possible(service: Request, configuration: dict[str, Any]) -> bool:
    return (
        configuration["maximumPercent"] > 100
        and service.get("schedulingStrategy", "REPLICA") == "REPLICA"
        and service.get("launchType") != "EXTERNAL"
        and not any(balancer.get("loadBalancerName") for balancer in service.get("loadBalancers") or [])
    )


def _check_rebalancing(value: str | None, service: Request, configuration: dict[str, Any]) -> None:
    if value == "ENABLED" and not _rebalancing_is_possible(service, configuration):
        raise AwsError(
            "InvalidParameterException",
            "Availability Zone rebalancing can't be ENABLED for this service: it needs a maximumPercent "
            "above 100 and the scheduling strategy REPLICA.",
        )


def _check_deployment_configuration(configuration: dict[str, Any]) -> None:
    maximum, minimum = configuration["maximumPercent"], configuration["minimumHealthyPercent"]
    if minimum > maximum or (maximum == 100 and minimum == 100):
        raise AwsError(
            "InvalidParameterException",
            f"minimumHealthyPercent {minimum} and maximumPercent {maximum} leave the deployment no room: the "
            "maximum must be above the minimum.",
        )


def _definition_of(reference: str) -> dict[str, Any]:
    try:
        definition: dict[str, Any] = asked("DescribeTaskDefinition", {"taskDefinition": reference})[
            "taskDefinition"
        ]
    except AwsError as error:
        raise AwsError("ClientException", "TaskDefinition not found.") from error
    if definition["status"] != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    return definition


def _check_network(request: Request, definition: dict[str, Any]) -> None:
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if definition.get("networkMode") == "awsvpc" and not network:
        raise AwsError(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    if not network:
        return
    known_subnets, known_groups = subnets(), security_groups()
    if not network.get("subnets"):
        raise AwsError("InvalidParameterException", "subnets can not be empty.")
    for subnet in network["subnets"]:
        if subnet not in known_subnets:
            raise AwsError(
                "InvalidParameterException",
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not "
                "exist (ErrorCode: InvalidSubnetID.NotFound)",
            )
    for group in network.get("securityGroups") or []:
        if group not in known_groups:
            raise AwsError(
                "InvalidParameterException",
                f"Error retrieving security group information for [{group}]: The security group '{group}' "
                "does not exist (ErrorCode: InvalidGroup.NotFound)",
            )


def _check_load_balancers(request: Request, definition: dict[str, Any]) -> None:
    ports = {
        container["name"]: {mapping.get("containerPort") for mapping in container.get("portMappings", [])}
        for container in definition["containerDefinitions"]
    }
    for balancer in request.get("loadBalancers") or []:
        arn = balancer.get("targetGroupArn")
        if arn:
            group = alb._tgs.get(arn)
            if group is None:
                raise AwsError(
                    "InvalidParameterException", f"The target group with targetGroupArn {arn} does not exist."
                )
            if not group.get("LoadBalancerArns"):
                raise AwsError(
                    "InvalidParameterException",
                    f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
                )
            if definition.get("networkMode") == "awsvpc" and group.get("TargetType") != "ip":
                raise AwsError(
                    "InvalidParameterException",
                    f"The provided target group {arn} has target type {group.get('TargetType')}, which is "
                    "incompatible with the awsvpc network mode specified in the task definition.",
                )
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in ports:
            raise AwsError(
                "InvalidParameterException", f"The container {name} does not exist in the task definition."
            )
        if port not in ports[name]:
            raise AwsError(
                "InvalidParameterException",
                f"The container {name} did not have a container port {port} defined.",
            )


def _check_capacity(request: Request, cluster: dict[str, Any]) -> None:
    """Capacity providers must be the cluster's own, and another strategy needs a forced deployment.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html; the words are
    those of https://github.com/pipe-cd/pipecd/pull/6385.
    """
    known = cluster.get("capacityProviders") or []
    for item in request.get("capacityProviderStrategy") or []:
        if item["capacityProvider"] not in known:
            raise AwsError(
                "InvalidParameterException",
                f"The capacity provider {item['capacityProvider']} isn't associated with the cluster "
                f"{cluster['clusterName']}. Associate it and try again.",
            )


def _check_capacity_change(request: Request, service: dict[str, Any]) -> None:
    if "capacityProviderStrategy" not in request or request.get("forceNewDeployment"):
        return
    if _completed_strategy(request["capacityProviderStrategy"]) != service.get("capacityProviderStrategy"):
        raise AwsError(
            "InvalidParameterException",
            "When switching from launch type to capacity provider strategy on an existing service, or making "
            "a change to a capacity provider strategy on a service that is already using one, you must force "
            "a new deployment.",
        )


def _completed_strategy(strategy: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    if not strategy:
        return None
    return [{"base": 0, "weight": 0} | item for item in strategy]


def _completed_network(configuration: dict[str, Any]) -> dict[str, Any]:
    network = configuration.get("awsvpcConfiguration")
    if not network:
        return configuration
    completed = {"assignPublicIp": "DISABLED", "securityGroups": []} | network
    return {"awsvpcConfiguration": completed}


def _create_service(original: Any) -> Any:
    def create(request: Request) -> Response:
        request = copy.deepcopy(request)
        configuration = _completed_deployment_configuration(
            request.get("deploymentConfiguration") or {}, None
        )
        try:
            cluster = find_cluster(request.get("cluster"))
            definition = _definition_of(request.get("taskDefinition", ""))
            _check_capacity(request, cluster)
            _check_network(request, definition)
            _check_load_balancers(request, definition)
            _check_deployment_configuration(configuration)
            _check_rebalancing(request.get("availabilityZoneRebalancing"), request, configuration)
        except AwsError as error:
            return _refused(error)
        request["taskDefinition"] = definition["taskDefinitionArn"]
        request["deploymentConfiguration"] = configuration
        request["capacityProviderStrategy"] = _completed_strategy(request.get("capacityProviderStrategy"))
        if request.get("networkConfiguration"):
            request["networkConfiguration"] = _completed_network(request["networkConfiguration"])
        request.setdefault("desiredCount", 0 if request.get("schedulingStrategy") == "DAEMON" else 1)
        # The tasks are started by the update below, once the service is whole.
        desired_count = request["desiredCount"]
        status, headers, body = original({**request, "desiredCount": 0})
        if status >= 400:
            return status, headers, body
        service = ecs._services[f"{cluster['clusterName']}/{request['serviceName']}"]
        possible = _rebalancing_is_possible(request, configuration)
        service["availabilityZoneRebalancing"] = request.get(
            "availabilityZoneRebalancing", "ENABLED" if possible else "DISABLED"
        )
        fargate = _runs_on_fargate(service, definition)
        service["platformVersion"] = request.get("platformVersion") or ("LATEST" if fargate else None)
        service["platformFamily"] = "Linux" if fargate else None
        service["placementConstraints"] = request.get("placementConstraints") or []
        service["placementStrategy"] = request.get("placementStrategy") or []
        service["roleArn"] = request.get("role") or (
            f"arn:aws:iam::{get_account_id()}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        )
        for name in DEPLOYMENT_ONLY_FIELDS:
            service[f"_{name}"] = request.get(name)
        if not service.get("networkConfiguration"):
            service["networkConfiguration"] = None
        service["_deployed"] = []
        service["events"] = []
        primary = service["deployments"][0]
        # ministack takes a first deployment for completed before its first task has started.
        primary["rolloutState"] = "IN_PROGRESS"
        primary["_image_resolution_disabled"] = desired_count == 0
        service["desiredCount"] = primary["desiredCount"] = desired_count
        _complete_newest_deployment(service)
        ecs._reconcile_service_tasks(cluster["clusterName"], service_key(service))
        return _answer(service)

    return create


def _answer(service: dict[str, Any]) -> Response:
    response: Response = ecs.json_response({"service": shown(service, with_tags=True)})
    return response


def shown(service: dict[str, Any], *, with_tags: bool) -> dict[str, Any]:
    """The service as AWS shows it."""
    view: dict[str, Any] = ecs._sanitize(service)
    view.pop("tags", None)
    if with_tags:
        view["tags"] = tags_of(service["serviceArn"])
    deployed = service.get("_deployed") or []
    if deployed:
        view["currentServiceDeployment"] = _service_deployment_arn(service, deployed[-1])
        view["currentServiceRevisions"] = [
            {
                "arn": _service_revision_arn(service, deployment),
                "requestedTaskCount": deployment["desiredCount"],
                "runningTaskCount": deployment["runningCount"],
                "pendingTaskCount": deployment["pendingCount"],
            }
            for deployment in service["deployments"]
            if "_revision" in deployment
        ]
    return view


def _runs_on_fargate(service: dict[str, Any], definition: dict[str, Any]) -> bool:
    strategy = service.get("capacityProviderStrategy")
    if strategy:
        return any(item["capacityProvider"].startswith("FARGATE") for item in strategy)
    return service.get("launchType") == "FARGATE" and "FARGATE" in definition.get("compatibilities", [])


def _complete_newest_deployment(service: dict[str, Any]) -> None:
    """Shows on the newest deployment what it was made of, and keeps it in the service's history."""
    deployment = service["deployments"][0]
    deployed = service.setdefault("_deployed", [])
    if any(known is deployment for known in deployed):
        return
    fargate = service.get("platformFamily") is not None
    version = service.get("platformVersion")
    if deployment["rolloutState"] == "IN_PROGRESS":
        deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} in progress."
    deployment |= {
        "launchType": service.get("launchType"),
        "capacityProviderStrategy": service.get("capacityProviderStrategy"),
        "networkConfiguration": service.get("networkConfiguration"),
        "platformVersion": FARGATE_PLATFORM_VERSION if fargate and version == "LATEST" else version,
        "platformFamily": service.get("platformFamily"),
        **{name: service.get(f"_{name}") for name in DEPLOYMENT_ONLY_FIELDS},
    }
    connect = service.get("_serviceConnectConfiguration") or {}
    if connect.get("enabled"):
        deployment["serviceConnectResources"] = [
            {
                "discoveryName": item.get("discoveryName") or item["portName"],
                "discoveryArn": f"arn:aws:servicediscovery:{get_region()}:{get_account_id()}:service/"
                f"srv-{deployment['id'].rpartition('/')[2][:16]}",
            }
            for item in connect.get("services") or []
        ]
    deployment["_revision"] = {
        "taskDefinition": deployment["taskDefinition"],
        "deploymentConfiguration": copy.deepcopy(service["deploymentConfiguration"]),
        **{name: copy.deepcopy(service.get(name)) for name in REVISION_FIELDS},
    }
    deployed.append(deployment)
    _publish(service, deployment, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS")


def _publish(service: dict[str, Any], deployment: dict[str, Any], event_type: str, name: str) -> None:
    publish(
        "ECS Deployment State Change",
        [service["serviceArn"]],
        {
            "eventType": event_type,
            "eventName": name,
            "deploymentId": deployment["id"],
            "updatedAt": deployment["updatedAt"],
            "reason": deployment["rolloutStateReason"],
        },
    )


def _update_service(original: Any) -> Any:
    def update(request: Request) -> Response:
        request = copy.deepcopy(request)
        try:
            service = find_service(request)
            if service["status"] != "ACTIVE":
                raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
            _check_capacity(request, find_cluster(request.get("cluster")))
            _check_capacity_change(request, service)
            new_deployment = _apply(request, service)
        except AwsError as error:
            return _refused(error)
        request = {
            name: request[name]
            for name in ("cluster", "service", "taskDefinition", "desiredCount", "forceNewDeployment")
            if request.get(name) is not None
        }
        if new_deployment:
            request["forceNewDeployment"] = True
        with service_lock(service_key(service)):
            status, headers, body = original(request)
        if status >= 400:
            return status, headers, body
        _complete_newest_deployment(service)
        return _answer(service)

    return update


def _apply(request: Request, service: dict[str, Any]) -> bool:
    """Validates an update as a whole, then stores it; tells whether it makes a new deployment."""
    if request.get("taskDefinition"):
        definition = _definition_of(request["taskDefinition"])
        request["taskDefinition"] = definition["taskDefinitionArn"]
    else:
        # A service may go on with a revision that was deregistered since.
        definition = definition_of(service)
    configuration = _completed_deployment_configuration(
        request.get("deploymentConfiguration") or {}, service["deploymentConfiguration"]
    )
    after = {**service, **{name: value for name, value in request.items() if value is not None}}
    _check_network(after, definition)
    if request.get("taskDefinition") or request.get("loadBalancers"):
        _check_load_balancers(after, definition)
    if request.get("deploymentConfiguration"):
        _check_deployment_configuration(configuration)
    rebalancing = request.get("availabilityZoneRebalancing") or service.get("availabilityZoneRebalancing")
    _check_rebalancing(rebalancing, after, configuration)
    if request.get("networkConfiguration"):
        request["networkConfiguration"] = _completed_network(request["networkConfiguration"])
    new_deployment = (
        bool(request.get("taskDefinition")) and definition["taskDefinitionArn"] != service["taskDefinition"]
    )
    for name in DEPLOYING_FIELDS:
        if request.get(name) is None:
            continue
        stored = f"_{name}" if name in DEPLOYMENT_ONLY_FIELDS else name
        if service.get(stored) != request[name]:
            new_deployment = True
            service[stored] = request[name]
    for name in QUIET_FIELDS:
        if request.get(name) is not None:
            service[name] = request[name]
    if "capacityProviderStrategy" in request:
        strategy = _completed_strategy(request["capacityProviderStrategy"])
        service["capacityProviderStrategy"] = strategy
        service["launchType"] = None if strategy else (service.get("launchType") or "FARGATE")
    service["deploymentConfiguration"] = configuration
    return new_deployment or bool(request.get("forceNewDeployment"))


def _describe_services(original: Any) -> Any:
    def describe(request: Request) -> Response:
        response: Response = original(request)
        if response[0] >= 400:
            return response
        answer = json_body(response)
        with_tags = "TAGS" in (request.get("include") or [])
        known = {service["serviceArn"]: service for service in ecs._services.values()}
        answer["services"] = [
            shown(known[service["serviceArn"]], with_tags=with_tags) for service in answer["services"]
        ]
        completed: Response = ecs.json_response(answer)
        return completed

    return describe


# Deployments


def _refresh_service_state(original: Any) -> Any:
    def refresh(cluster_name: str, group: str) -> None:
        original(cluster_name, group)
        service = service_of({"clusterArn": cluster_name, "group": group})
        if service is not None:
            _word_as_aws(service)
            _remember_ends(service)
            _drop_rolled_back(service)

    return refresh


def _complete_service_deployment(original: Any) -> Any:
    def complete(cluster_name: str, service_key: str, expected_deployment_id: str | None = None) -> None:
        service = ecs._services.get(service_key)
        primary = primary_deployment(service) if service else None
        before = primary.get("rolloutState") if primary else None
        original(cluster_name, service_key, expected_deployment_id)
        if service and primary and before == "IN_PROGRESS" and primary.get("rolloutState") == "COMPLETED":
            name = service["serviceName"]
            primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
            add_event(service, f"(service {name}) (deployment {primary['id']}) deployment completed.")
            add_event(service, f"(service {name}) has reached a steady state.")
            _publish(service, primary, "INFO", "SERVICE_DEPLOYMENT_COMPLETED")
            _remember_ends(service)
            _drop_rolled_back(service)

    return complete


def _reconcile_what_was_put_back(original: Any) -> Any:
    """A rollback brings the whole revision back, its network and capacity too, before it starts tasks.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html
    """

    def reconcile(cluster_name: str, service_key: str) -> None:
        service = ecs._services.get(service_key)
        deployed = (service or {}).get("_deployed") or []
        primary = primary_deployment(service) if service else None
        if service and primary and any(known is primary for known in deployed[:-1]):
            service.update({name: copy.deepcopy(primary["_revision"][name]) for name in REVISION_FIELDS})
        original(cluster_name, service_key)

    return reconcile


def _stop_what_never_ran(original: Any) -> Any:
    """Older tasks that don't run yet make room for a new deployment's first: no minimum keeps them.

    ministack stops RUNNING ones alone, so that at 0/100 a task that waits to start would keep its successor
    from starting. Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    (`minimumHealthyPercent` is of tasks "that must remain in the RUNNING state").
    """

    def reconcile(cluster_name: str, service_key: str) -> None:
        service = ecs._services.get(service_key)
        primary = primary_deployment(service) if service else None
        if service and primary and primary.get("rolloutState") == "IN_PROGRESS":
            group = f"service:{service['serviceName']}"
            waiting = [
                task
                for task in list(ecs._tasks.values())
                if task.get("group") == group
                and task.get("clusterArn") == service["clusterArn"]
                and task.get("lastStatus") in ("PROVISIONING", "PENDING", "ACTIVATING")
                and task.get("_deployment_id") != primary["id"]
            ]
            for task in waiting:
                ecs._stop_task(
                    {"cluster": cluster_name, "task": task["taskArn"], "reason": "Deployment capacity limit"}
                )
        original(cluster_name, service_key)

    return reconcile


def _word_as_aws(service: dict[str, Any]) -> None:
    """Words a tripped circuit breaker as AWS does, which is what people search their logs for."""
    name = service["serviceName"]
    for deployment in service["deployments"]:
        reason = deployment.get("rolloutStateReason", "")
        if deployment.get("rolloutState") == "FAILED" and "consecutive task failures" in reason:
            deployment["rolloutStateReason"] = _BREAKER_REASON
            _publish(service, deployment, "ERROR", "SERVICE_DEPLOYMENT_FAILED")
            for event in service["events"]:
                if event["message"].endswith("deployment circuit breaker was triggered."):
                    event["message"] = (
                        f"(service {name}) (deployment {deployment['id']}) deployment failed: "
                        "tasks failed to start."
                    )
                if event["message"].endswith("rolled back to the last completed deployment."):
                    primary = primary_deployment(service) or deployment
                    event["message"] = f"(service {name}) rolling back to deployment {primary['id']}."


def _drop_rolled_back(service: dict[str, Any]) -> None:
    """A failed deployment disappears from a service that has rolled back to a steady state, so that waiters
    end."""
    primary = primary_deployment(service)
    if primary is None or primary.get("rolloutState") != "COMPLETED":
        return
    service["deployments"] = [
        deployment
        for deployment in service["deployments"]
        if deployment is primary or deployment.get("runningCount") or deployment.get("pendingCount")
    ]


def _service_deployment_arn(service: dict[str, Any], deployment: dict[str, Any]) -> str:
    tail = service["serviceArn"].rpartition(":service/")[2]
    number = deployment["id"].rpartition("/")[2]
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:service-deployment/{tail}/{number}"


def _service_revision_arn(service: dict[str, Any], deployment: dict[str, Any]) -> str:
    return _service_deployment_arn(service, deployment).replace(":service-deployment/", ":service-revision/")


_ENDS = ("SUCCESSFUL", "STOPPED", "ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL")


def _remember_ends(service: dict[str, Any]) -> None:
    """What has ended has ended: a former deployment stays successful, also when it is rolled back to.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
    """
    for deployment in service.get("_deployed") or []:
        ended = _deployment_status(service, deployment)
        if ended[0] in _ENDS:
            deployment["_ended"] = ended


def _deployment_status(service: dict[str, Any], deployment: dict[str, Any]) -> tuple[str, str]:
    """The status of a service deployment, and why."""
    if "_ended" in deployment:
        ended: tuple[str, str] = deployment["_ended"]
        return ended
    state = deployment.get("rolloutState")
    reason = deployment.get("rolloutStateReason", "")
    if "consecutive task failures" in reason:
        # Asked between the failure and the refresh that words it.
        reason = _BREAKER_REASON
    if state == "COMPLETED":
        return "SUCCESSFUL", ""
    primary = primary_deployment(service)
    if state == "FAILED":
        if primary is deployment or primary is None:
            return "STOPPED", reason
        ends = {"COMPLETED": "ROLLBACK_SUCCESSFUL", "FAILED": "ROLLBACK_FAILED"}
        return ends.get(primary["rolloutState"], "ROLLBACK_IN_PROGRESS"), reason
    if service["status"] != "ACTIVE" or deployment is not primary:
        return "STOPPED", "A newer deployment took its place."
    return "IN_PROGRESS", ""


def _threshold(service: dict[str, Any]) -> int:
    """How many failures trip the circuit breaker.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    breaker = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    given = breaker.get("thresholdConfiguration") or {}
    kind, value = given.get("type", "BOUNDED_PERCENT"), float(given.get("value", 50))
    if kind == "COUNT":
        return max(1, int(value))
    failures = math.ceil(value * int(service["desiredCount"]) / 100)
    return max(1, failures) if kind == "UNBOUNDED_PERCENT" else min(200, max(3, failures))


def _shown_service_deployment(service: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
    status, reason = _deployment_status(service, deployment)
    # ministack keeps some as texts, which Go's clients don't read as a time.
    created_at, updated_at = (ecs._ts_to_epoch(deployment[name]) for name in ("createdAt", "updatedAt"))
    revision = {
        "arn": _service_revision_arn(service, deployment),
        "requestedTaskCount": deployment["desiredCount"],
        "runningTaskCount": deployment["runningCount"],
        "pendingTaskCount": deployment["pendingCount"],
    }
    configuration = deployment["_revision"]["deploymentConfiguration"]
    breaker = configuration.get("deploymentCircuitBreaker") or {}
    deployed = service["_deployed"]
    index = next(i for i, known in enumerate(deployed) if known is deployment)
    view = {
        "serviceDeploymentArn": _service_deployment_arn(service, deployment),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": created_at,
        "startedAt": created_at,
        "updatedAt": updated_at,
        "sourceServiceRevisions": [
            {"arn": _service_revision_arn(service, known)} for known in deployed[max(0, index - 1) : index]
        ],
        "targetServiceRevision": revision,
        "status": status,
        "statusReason": reason,
        "deploymentConfiguration": configuration,
        "deploymentCircuitBreaker": {
            "status": ("TRIGGERED" if status.startswith("ROLLBACK") or status == "STOPPED" else "MONITORING")
            if breaker.get("enable")
            else "DISABLED",
            "failureCount": deployment.get("failedTasks", 0),
            "threshold": _threshold(service),
        },
    }
    if status not in {"IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
        view["finishedAt"] = updated_at
    primary = primary_deployment(service)
    if status.startswith("ROLLBACK") and primary is not None:
        view["rollback"] = {
            "reason": reason,
            "startedAt": updated_at,
            "serviceRevisionArn": _service_revision_arn(service, primary),
        }
    return view


def _list_service_deployments(request: Request) -> dict[str, Any]:
    service = find_service(request)
    wanted = request.get("status") or []
    created = request.get("createdAt") or {}
    listed = []
    for deployment in reversed(service.get("_deployed") or []):
        view = _shown_service_deployment(service, deployment)
        seconds = ecs._ts_to_epoch(view["createdAt"])
        if wanted and view["status"] not in wanted:
            continue
        if seconds < float(created.get("after", 0)) or seconds > float(created.get("before", seconds)):
            continue
        listed.append(
            {
                name: view[name]
                for name in (
                    "serviceDeploymentArn",
                    "serviceArn",
                    "clusterArn",
                    "startedAt",
                    "createdAt",
                    "finishedAt",
                    "status",
                    "statusReason",
                )
                if name in view
            }
            | {"targetServiceRevisionArn": view["targetServiceRevision"]["arn"]}
        )
    return {"serviceDeployments": listed}


def _by_arn(arns: list[str], arn_of: Any, show: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    found, failures = [], []
    everything = {
        arn_of(service, deployment): (service, deployment)
        for service in ecs._services.values()
        for deployment in service.get("_deployed") or []
    }
    for arn in arns:
        if arn in everything:
            found.append(show(*everything[arn]))
        else:
            failures.append({"arn": arn, "reason": "MISSING"})
    return found, failures


def _describe_service_deployments(request: Request) -> dict[str, Any]:
    found, failures = _by_arn(
        request.get("serviceDeploymentArns") or [], _service_deployment_arn, _shown_service_deployment
    )
    return {"serviceDeployments": found, "failures": failures}


def _describe_service_revisions(request: Request) -> dict[str, Any]:
    def show(service: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
        names = (
            "launchType",
            "capacityProviderStrategy",
            "platformVersion",
            "platformFamily",
            "networkConfiguration",
            *DEPLOYMENT_ONLY_FIELDS,
        )
        revision = deployment["_revision"]
        return {
            "serviceRevisionArn": _service_revision_arn(service, deployment),
            "serviceArn": service["serviceArn"],
            "clusterArn": service["clusterArn"],
            "createdAt": deployment["createdAt"],
            "taskDefinition": revision["taskDefinition"],
            "loadBalancers": revision["loadBalancers"] or [],
            "serviceRegistries": revision["serviceRegistries"] or [],
            **{name: deployment[name] for name in names if deployment.get(name) is not None},
        }

    found, failures = _by_arn(request.get("serviceRevisionArns") or [], _service_revision_arn, show)
    return {"serviceRevisions": found, "failures": failures}
