"""ECS's services: what they were made and updated with comes back, and an update deploys or it doesn't.

Owns every field of a service and its defaults. Deliberately leaves the scheduler itself (start before stop,
limits, circuit breaker) to ministack, what is refused to `completions.ecs_service_checks`, and what becomes
of a deployment to `completions.ecs_deployments`.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from __future__ import annotations

import copy

from ministack.core.responses import get_account_id
from ministack.services import ecs

from local.emulator.completions.ecs_containers import service_lock
from local.emulator.completions.ecs_deployments import (
    CONNECT,
    complete_newest_deployment,
    service_deployment_arn,
)
from local.emulator.completions.ecs_records import (
    Record,
    ask_ministack,
    definition_of,
    find_cluster,
    find_service,
    serve_actions,
    service_key,
    tags_of,
)
from local.emulator.completions.ecs_service_checks import (
    active_definition,
    check_capacity,
    check_capacity_change,
    check_deployment_configuration,
    check_load_balancers,
    check_network,
    check_rebalancing,
    completed_strategy,
    rebalancing_is_possible,
)
from local.emulator.completions.patching import AwsError, Request

DEPLOYING_FIELDS = ("networkConfiguration", "platformVersion", "loadBalancers", CONNECT)
QUIET_FIELDS = (
    "availabilityZoneRebalancing",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "propagateTags",
)


def install() -> None:
    """Completes services."""
    serve_actions(
        {
            "CreateService": _create_service,
            "UpdateService": _update_service,
            "DescribeServices": _describe_services,
        }
    )


def _completed_deployment_configuration(given: Record, known: Record | None) -> Record:
    defaults = known or {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    return defaults | given


def _completed_network(configuration: Record) -> Record:
    network = configuration.get("awsvpcConfiguration")
    if not network:
        return configuration
    completed = {"assignPublicIp": "DISABLED", "securityGroups": []} | network
    return {"awsvpcConfiguration": completed}


def _create_service(request: Request) -> Record:
    request = copy.deepcopy(request)
    configuration = _completed_deployment_configuration(request.get("deploymentConfiguration") or {}, None)
    cluster = find_cluster(request.get("cluster"))
    definition = active_definition(request.get("taskDefinition", ""))
    check_capacity(request, cluster)
    check_network(request, definition)
    check_load_balancers(request, definition)
    check_deployment_configuration(configuration)
    check_rebalancing(request.get("availabilityZoneRebalancing"), request, configuration)
    request["taskDefinition"] = definition["taskDefinitionArn"]
    request["deploymentConfiguration"] = configuration
    request["capacityProviderStrategy"] = completed_strategy(request.get("capacityProviderStrategy"))
    if request.get("networkConfiguration"):
        request["networkConfiguration"] = _completed_network(request["networkConfiguration"])
    request.setdefault("desiredCount", 0 if request.get("schedulingStrategy") == "DAEMON" else 1)
    # The tasks are started by the update below, once the service is whole.
    desired_count = request["desiredCount"]
    ask_ministack("CreateService", {**request, "desiredCount": 0})
    service = find_service({"cluster": cluster["clusterName"], "service": request["serviceName"]})
    possible = rebalancing_is_possible(request, configuration)
    fargate = _runs_on_fargate(service, definition)
    service |= {
        "availabilityZoneRebalancing": request.get(
            "availabilityZoneRebalancing", "ENABLED" if possible else "DISABLED"
        ),
        "platformVersion": request.get("platformVersion") or ("LATEST" if fargate else None),
        "platformFamily": "Linux" if fargate else None,
        "placementConstraints": [],
        "placementStrategy": [],
        "roleArn": f"arn:aws:iam::{get_account_id()}:role/aws-service-role/ecs.amazonaws.com/"
        "AWSServiceRoleForECS",
        "networkConfiguration": service.get("networkConfiguration") or None,
        "events": [],
        "_deployed": [],
        f"_{CONNECT}": request.get(CONNECT),
    }
    # ministack takes a first deployment for completed before its first task has started.
    primary = service["deployments"][0]
    primary |= {"rolloutState": "IN_PROGRESS", "_image_resolution_disabled": desired_count == 0}
    service["desiredCount"] = primary["desiredCount"] = desired_count
    complete_newest_deployment(service)
    ecs._reconcile_service_tasks(cluster["clusterName"], service_key(service))
    return {"service": _shown(service, with_tags=True)}


def _runs_on_fargate(service: Record, definition: Record) -> bool:
    strategy = service.get("capacityProviderStrategy")
    if strategy:
        return any(item["capacityProvider"].startswith("FARGATE") for item in strategy)
    return service.get("launchType") == "FARGATE" and "FARGATE" in definition.get("compatibilities", [])


def _update_service(request: Request) -> Record:
    request = copy.deepcopy(request)
    service = find_service(request)
    if service["status"] != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    check_capacity(request, find_cluster(request.get("cluster")))
    check_capacity_change(request, service)
    new_deployment = _apply(request, service)
    asked = {
        name: request[name]
        for name in ("cluster", "service", "taskDefinition", "desiredCount", "forceNewDeployment")
        if request.get(name) is not None
    }
    if new_deployment:
        asked["forceNewDeployment"] = True
    with service_lock(service_key(service)):
        ask_ministack("UpdateService", asked)
    complete_newest_deployment(service)
    return {"service": _shown(service, with_tags=True)}


def _apply(request: Request, service: Record) -> bool:
    """Validates an update as a whole, then stores it; tells whether it makes a new deployment."""
    if request.get("taskDefinition"):
        definition = active_definition(request["taskDefinition"])
        request["taskDefinition"] = definition["taskDefinitionArn"]
    else:
        # A service may go on with a revision that was deregistered since.
        definition = definition_of(service)
    configuration = _completed_deployment_configuration(
        request.get("deploymentConfiguration") or {}, service["deploymentConfiguration"]
    )
    after = {**service, **{name: value for name, value in request.items() if value is not None}}
    check_network(after, definition)
    if request.get("taskDefinition") or request.get("loadBalancers"):
        check_load_balancers(after, definition)
    if request.get("deploymentConfiguration"):
        check_deployment_configuration(configuration)
    rebalancing = request.get("availabilityZoneRebalancing") or service.get("availabilityZoneRebalancing")
    check_rebalancing(rebalancing, after, configuration)
    if request.get("networkConfiguration"):
        request["networkConfiguration"] = _completed_network(request["networkConfiguration"])
    new_deployment = (
        bool(request.get("taskDefinition")) and definition["taskDefinitionArn"] != service["taskDefinition"]
    )
    for name in DEPLOYING_FIELDS:
        if request.get(name) is None:
            continue
        stored = f"_{name}" if name == CONNECT else name
        if service.get(stored) != request[name]:
            new_deployment = True
            service[stored] = request[name]
    for name in QUIET_FIELDS:
        if request.get(name) is not None:
            service[name] = request[name]
    if "capacityProviderStrategy" in request:
        strategy = completed_strategy(request["capacityProviderStrategy"])
        service["capacityProviderStrategy"] = strategy
        service["launchType"] = None if strategy else (service.get("launchType") or "FARGATE")
    service["deploymentConfiguration"] = configuration
    return new_deployment or bool(request.get("forceNewDeployment"))


def _describe_services(request: Request) -> Record:
    answer = ask_ministack("DescribeServices", request)
    with_tags = "TAGS" in (request.get("include") or [])
    known = {service["serviceArn"]: service for service in ecs._services.values()}
    answer["services"] = [
        _shown(known[service["serviceArn"]], with_tags=with_tags) for service in answer["services"]
    ]
    return answer


def _shown(service: Record, *, with_tags: bool) -> Record:
    """The service as AWS shows it."""
    view: Record = ecs._sanitize(service)
    view.pop("tags", None)
    if with_tags:
        view["tags"] = tags_of(service["serviceArn"])
    deployed = service.get("_deployed") or []
    if deployed:
        view["currentServiceDeployment"] = service_deployment_arn(service, deployed[-1])
    return view
