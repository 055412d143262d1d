"""What ECS refuses of a service, by AWS's words.

Owns the judgement of a whole service, new or as it would be after an update: its task definition, network,
load balancers, capacity and deployment configuration. Deliberately changes nothing.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from __future__ import annotations

from functools import partial

from local.emulator.completions.ec2_security_groups import security_groups
from local.emulator.completions.ec2_subnets import subnets
from local.emulator.completions.ecs_records import Record, definition_of
from local.emulator.completions.elbv2_records import target_group
from local.emulator.completions.patching import AwsError, Request

refused = partial(AwsError, "InvalidParameterException")


def rebalancing_is_possible(service: Request, configuration: Record) -> bool:
    is_replica = service.get("schedulingStrategy", "REPLICA") == "REPLICA"
    return bool(configuration["maximumPercent"] > 100 and is_replica)


def check_rebalancing(value: str | None, service: Request, configuration: Record) -> None:
    if value == "ENABLED" and not rebalancing_is_possible(service, configuration):
        raise refused(
            "Availability Zone rebalancing can't be ENABLED for this service: it needs a maximumPercent "
            "above 100 and the scheduling strategy REPLICA."
        )


def check_deployment_configuration(configuration: Record) -> None:
    maximum, minimum = configuration["maximumPercent"], configuration["minimumHealthyPercent"]
    if minimum > maximum or (maximum == 100 and minimum == 100):
        raise refused(
            f"minimumHealthyPercent {minimum} and maximumPercent {maximum} leave the deployment no room: the "
            "maximum must be above the minimum."
        )


def active_definition(reference: str) -> Record:
    """The task definition that a request names, which must be active."""
    definition = definition_of({"taskDefinition": reference})
    if not definition:
        raise AwsError("ClientException", "TaskDefinition not found.")
    if definition["status"] != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    return definition


def check_network(request: Request, definition: Record) -> None:
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if definition.get("networkMode") == "awsvpc" and not network:
        raise refused("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not network:
        return
    known_subnets, known_groups = subnets(), security_groups()
    if not network.get("subnets"):
        raise refused("subnets can not be empty.")
    for subnet in network["subnets"]:
        if subnet not in known_subnets:
            raise refused(
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not "
                "exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
    for group in network.get("securityGroups") or []:
        if group not in known_groups:
            raise refused(
                f"Error retrieving security group information for [{group}]: The security group '{group}' "
                "does not exist (ErrorCode: InvalidGroup.NotFound)"
            )


def check_load_balancers(request: Request, definition: Record) -> None:
    ports = {
        container["name"]: {mapping.get("containerPort") for mapping in container.get("portMappings", [])}
        for container in definition["containerDefinitions"]
    }
    for balancer in request.get("loadBalancers") or []:
        arn = balancer["targetGroupArn"]
        group = target_group(arn)
        if group is None:
            raise refused(f"The target group with targetGroupArn {arn} does not exist.")
        if not group["LoadBalancerArns"]:
            raise refused(
                f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            )
        if definition.get("networkMode") == "awsvpc" and group["TargetType"] != "ip":
            raise refused(
                f"The provided target group {arn} has target type {group['TargetType']}, which is "
                "incompatible with the awsvpc network mode specified in the task definition."
            )
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in ports:
            raise refused(f"The container {name} does not exist in the task definition.")
        if port not in ports[name]:
            raise refused(f"The container {name} did not have a container port {port} defined.")


def check_capacity(request: Request, cluster: Record) -> None:
    """Capacity providers must be the cluster's own, and another strategy needs a forced deployment.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html; the words are
    those of https://github.com/pipe-cd/pipecd/pull/6385.
    """
    known = cluster.get("capacityProviders") or []
    for item in request.get("capacityProviderStrategy") or []:
        if item["capacityProvider"] not in known:
            raise refused(
                f"The capacity provider {item['capacityProvider']} isn't associated with the cluster "
                f"{cluster['clusterName']}. Associate it and try again."
            )


def check_capacity_change(request: Request, service: Record) -> None:
    if "capacityProviderStrategy" not in request or request.get("forceNewDeployment"):
        return
    if completed_strategy(request["capacityProviderStrategy"]) != service.get("capacityProviderStrategy"):
        raise refused(
            "When switching from launch type to capacity provider strategy on an existing service, or making "
            "a change to a capacity provider strategy on a service that is already using one, you must force "
            "a new deployment."
        )


def completed_strategy(strategy: list[Record] | None) -> list[Record] | None:
    """A capacity provider strategy as ECS shows it."""
    if not strategy:
        return None
    return [{"base": 0, "weight": 0} | item for item in strategy]
