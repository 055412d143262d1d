"""The six cases of every scheduler rule."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.policies.compliant_stack import container
from tests.policies.harness import Recording, secret, task_definition_arn, unknown
from tests.policies.rule_cases import (
    SCHEDULER,
    SCHEDULER_TASK,
    WEB,
    WORKER,
    WORKER_TASK,
    Case,
    Change,
    add,
    both,
    cases,
    conceal,
    conceal_containers,
    depend,
    drop,
    hide,
    hide_containers,
    ignore,
    in_container,
    nothing,
    put,
    remove,
)

UNREADABLE = (
    ("ecs-task-definition-readable", SCHEDULER_TASK, "advisory"),
    ("ecs-task-definition-readable", SCHEDULER),
)
PLAN = "aws:autoscalingplans/scalingPlan:ScalingPlan"
TARGET = "aws:appautoscaling/target:Target"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
SCHEDULE = "aws:scheduler/schedule:Schedule"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
ATTACHMENT = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
TEMPLATE = "aws:cloudformation/stack:Stack"
COMMAND = "command:local:Command"
CLOUD_CONTROL = "aws:cloudcontrol/resource:Resource"
EXPRESS = "aws:ecs/expressGatewayService:ExpressGatewayService"
DEPLOYS = "aws:codedeploy/deploymentGroup:DeploymentGroup"
ALARMS = ("two-running", "none-running")

SCALED = {"serviceNamespace": "ecs", "scalableDimension": "ecs:service:DesiredCount", "maxCapacity": 3}
NAME = "fileflow-scheduler-download"
FAMILY = f"{NAME}-prod"
SCHEDULER_ID = "service/fileflow-prod/fileflow-scheduler-download"
HEALTH = {"path": "/actuator/health", "protocol": "HTTP"}
SERVICE_IN_TEMPLATE = json.dumps({"Resources": {"S": {"Type": "AWS::ECS::Service"}}})
BUCKET_IN_TEMPLATE = json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}})


def second(name: str, *changes: Change, source: str = SCHEDULER) -> Change:
    """Adds a copy of a service, with its own heartbeat alarms, and then changes the copy."""

    def change(recording: Recording) -> None:
        original = recording[source]
        twin = copy.deepcopy(original)
        twin.name = name
        twin.urn = original.urn.rpartition("::")[0] + f"::{name}"
        recording.resources.append(twin)
        for each in changes:
            each(recording)

    return change


def retarget(name: str, task: str, family: str, *containers: dict[str, object]) -> Change:
    """Gives a service a task definition of its own."""

    def change(recording: Recording) -> None:
        original = recording[SCHEDULER_TASK]
        twin = copy.deepcopy(original)
        twin.name = task
        twin.urn = original.urn.rpartition("::")[0] + f"::{task}"
        twin.inputs["family"] = family
        twin.inputs["containerDefinitions"] = json.dumps(list(containers))
        recording.resources.append(twin)
        depend(name, "taskDefinition", task)(recording)
        if recording[name].inputs["taskDefinition"] != unknown():
            recording.set(name, "taskDefinition", task_definition_arn(family))

    return change


def watched(name: str, service: str) -> Change:
    """Adds the two heartbeat alarms for a service of this ECS name."""

    def change(recording: Recording) -> None:
        for suffix in ALARMS:
            twin = copy.deepcopy(recording[suffix])
            twin.name = f"{name}-{suffix}"
            twin.urn = twin.urn.rpartition("::")[0] + f"::{twin.name}"
            twin.inputs["dimensions"] = {"ClusterName": "fileflow-prod", "ServiceName": service}
            twin.property_dependencies = {}
            recording.resources.append(twin)

    return change


SOLE = container("fileflow-scheduler-download", 9091)
AGAIN = {**container("again", 9093), "image": SOLE["image"]}
PIPELINE = "fileflow-scheduler-pipeline"
A_SECOND_SCHEDULER = second(
    "pipeline",
    put("pipeline", "name", PIPELINE),
    retarget("pipeline", "pipeline-task", f"{PIPELINE}-prod", container(PIPELINE, 9092)),
    watched("pipeline", PIPELINE),
)


def scaled(**inputs: Any) -> Change:
    return add(TARGET, "scaling-of-scheduler", {**SCALED, **inputs})


GROUP = "scheduler-group"
PROMETHEUS = {"description": "Case", "ipProtocol": "tcp", "fromPort": 9091, "toPort": 9091}


def ingress(cidr: Any, **inputs: Any) -> Change:
    given = {"securityGroupId": "sg-1", **PROMETHEUS, "cidrIpv4": cidr, **inputs}
    return add(INGRESS, "opened", given, {"securityGroupId": [GROUP]})


SERVICE_CASES: list[Case] = [
    *cases(
        "scheduler-desired-count",
        SCHEDULER,
        violating=put(SCHEDULER, "desiredCount", 2),
        omitted=drop(SCHEDULER, "desiredCount"),
        unknown=hide(SCHEDULER, "desiredCount"),
        secret=conceal(SCHEDULER, "desiredCount", 2),
        not_applicable=put(WORKER, "desiredCount", 2),
    ),
    *cases(
        "scheduler-replica-strategy",
        SCHEDULER,
        violating=put(SCHEDULER, "schedulingStrategy", "DAEMON"),
        omitted=drop(SCHEDULER, "schedulingStrategy"),
        unknown=hide(SCHEDULER, "schedulingStrategy"),
        secret=conceal(SCHEDULER, "schedulingStrategy", "DAEMON"),
        not_applicable=put(WORKER, "schedulingStrategy", "DAEMON"),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-no-load-balancer",
        SCHEDULER,
        violating=put(SCHEDULER, "loadBalancers", [{"targetGroupArn": "arn", "containerPort": 9091}]),
        compliant=put(SCHEDULER, "loadBalancers", []),
        omitted=nothing,
        unknown=hide(SCHEDULER, "loadBalancers"),
        secret=conceal(SCHEDULER, "vpcLatticeConfigurations", [{"portName": "actuator"}]),
        not_applicable=put(WORKER, "loadBalancers", [{"targetGroupArn": "arn", "containerPort": 8080}]),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-no-service-registry",
        SCHEDULER,
        violating=put(SCHEDULER, "serviceRegistries", {"registryArn": "arn"}),
        compliant=put(SCHEDULER, "serviceConnectConfiguration", {"enabled": False}),
        omitted=nothing,
        unknown=hide(SCHEDULER, "serviceRegistries"),
        secret=conceal(SCHEDULER, "serviceConnectConfiguration", {"enabled": True, "services": [{}]}),
        not_applicable=put(WORKER, "serviceRegistries", {"registryArn": "arn"}),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-no-public-ip",
        SCHEDULER,
        violating=put(SCHEDULER, "networkConfiguration.assignPublicIp", True),
        omitted=drop(SCHEDULER, "networkConfiguration.assignPublicIp"),
        unknown=hide(SCHEDULER, "networkConfiguration.assignPublicIp"),
        secret=conceal(SCHEDULER, "networkConfiguration.assignPublicIp", True),
        not_applicable=drop(WEB, "networkConfiguration.assignPublicIp"),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-spot-opt-in",
        SCHEDULER,
        compliant=both(
            drop(SCHEDULER, "launchType"),
            put(SCHEDULER, "capacityProviderStrategies", [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]),
            put(SCHEDULER, "tags.fileflow:spot-opt-in", "true"),
        ),
        violating=put(
            SCHEDULER, "capacityProviderStrategies", [{"capacityProvider": "FARGATE_SPOT", "weight": 0}]
        ),
        omitted=drop(SCHEDULER, "launchType"),
        unknown=hide(SCHEDULER, "capacityProviderStrategies"),
        secret=conceal(SCHEDULER, "launchType", "EC2"),
        not_applicable=put(WEB, "capacityProviderStrategies", [{"capacityProvider": "FARGATE_SPOT"}]),
    ),
    *cases(
        "scheduler-stop-before-start",
        SCHEDULER,
        violating=put(SCHEDULER, "deploymentMaximumPercent", 200),
        omitted=drop(SCHEDULER, "deploymentMinimumHealthyPercent"),
        unknown=hide(SCHEDULER, "deploymentMaximumPercent"),
        secret=conceal(SCHEDULER, "deploymentMinimumHealthyPercent", 100),
        not_applicable=put(WORKER, "deploymentMaximumPercent", 200),
    ),
    *cases(
        "scheduler-no-zone-rebalancing",
        SCHEDULER,
        violating=put(SCHEDULER, "availabilityZoneRebalancing", "ENABLED"),
        omitted=drop(SCHEDULER, "availabilityZoneRebalancing"),
        unknown=hide(SCHEDULER, "availabilityZoneRebalancing"),
        secret=conceal(SCHEDULER, "availabilityZoneRebalancing", "ENABLED"),
        not_applicable=put(WORKER, "availabilityZoneRebalancing", "ENABLED"),
    ),
    *cases(
        "scheduler-rolling-deployment",
        SCHEDULER,
        violating=put(SCHEDULER, "deploymentConfiguration.strategy", "BLUE_GREEN"),
        omitted=both(drop(SCHEDULER, "deploymentConfiguration"), drop(SCHEDULER, "deploymentController")),
        unknown=hide(SCHEDULER, "deploymentController"),
        secret=conceal(SCHEDULER, "deploymentController.type", "CODE_DEPLOY"),
        not_applicable=put(WORKER, "deploymentConfiguration", {"strategy": "BLUE_GREEN"}),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-guarded-properties",
        SCHEDULER,
        compliant=ignore(SCHEDULER, "triggers", "waitForSteadyState"),
        violating=ignore(SCHEDULER, "desired_count"),
        omitted=ignore(SCHEDULER, "*"),
        unknown=ignore(SCHEDULER, 'networkConfiguration["assignPublicIp"]'),
        secret=ignore(SCHEDULER, '["capacityProviderStrategies"][0].weight'),
        not_applicable=ignore(WEB, "desiredCount"),
    ),
]

TASK_CASES: list[Case] = [
    *cases(
        "scheduler-stop-timeout",
        SCHEDULER,
        compliant=in_container(SCHEDULER_TASK, stopTimeout=120),
        violating=in_container(SCHEDULER_TASK, stopTimeout=180),
        omitted=in_container(SCHEDULER_TASK, stopTimeout=None),
        unknown=hide_containers(SCHEDULER_TASK),
        secret=conceal_containers(SCHEDULER_TASK, stopTimeout=0),
        not_applicable=in_container(WORKER_TASK, stopTimeout=None),
        clean=["omitted", "unknown"],
        also={"unknown": UNREADABLE},
    ),
    *cases(
        "ecs-task-definition-readable",
        SCHEDULER_TASK,
        violating=put(SCHEDULER_TASK, "containerDefinitions", "[{"),
        omitted=drop(SCHEDULER_TASK, "containerDefinitions"),
        unknown=hide_containers(SCHEDULER_TASK),
        secret=conceal(SCHEDULER_TASK, "containerDefinitions", "[]"),
        not_applicable=put("logs", "containerDefinitions", "[{"),
        advice=["unknown"],
        also={"unknown": UNREADABLE[1:]},
    ),
    *cases(
        "ecs-service-role",
        SCHEDULER,
        compliant=put(SCHEDULER, "tags.cost-centre", "7"),
        violating=put(SCHEDULER, "tags.fileflow:role", "cron"),
        omitted=drop(SCHEDULER, "tags.fileflow:role"),
        unknown=hide(SCHEDULER, "tags.fileflow:role"),
        secret=conceal(SCHEDULER, "tags.fileflow:role", "shy"),
        not_applicable=put("cluster", "tags", {"fileflow:role": "shy"}),
        also={"omitted": [("ecs-tags", SCHEDULER, "advisory")]},
    ),
    *cases(
        "scheduler-declared-by-service",
        WORKER,
        compliant=both(
            in_container(WORKER_TASK, command=["celery", "-A", "shop", "beat"]),
            put(WORKER, "tags.fileflow:not-a-scheduler", "its schedule is empty"),
        ),
        violating=in_container(WORKER_TASK, command=["celery", "-A", "shop", "beat"]),
        omitted=in_container(WORKER_TASK, name=None, command=["java", "-jar", "mail-scheduler-1.4.jar"]),
        unknown=both(
            in_container(
                WORKER_TASK, image=f"registry.local/fileflow:download-scheduler-1@sha256:{'b' * 64}"
            ),
            hide(WORKER, "taskDefinition"),
        ),
        secret=conceal_containers(
            WORKER_TASK, environment=[{"name": "SPRING_PROFILES_ACTIVE", "value": "scheduler"}]
        ),
        not_applicable=in_container(
            WORKER_TASK, name="mail-scheduler", portMappings=[{"containerPort": 9092}]
        ),
    ),
]

TRAFFIC_CASES: list[Case] = [
    *cases(
        "scheduler-no-target-group",
        "extra-targets",
        compliant=add(
            TARGET_GROUP, "extra-targets", {"port": 8084, "protocol": "HTTP", "healthCheck": HEALTH}
        ),
        violating=add(
            TARGET_GROUP, "extra-targets", {"port": 9091, "protocol": "HTTP", "healthCheck": HEALTH}
        ),
        omitted=add(TARGET_GROUP, "extra-targets", {"name": "fileflow-scheduler-mail", "protocol": "TCP"}),
        unknown=add(TARGET_GROUP, "extra-targets", {"port": unknown(), "protocol": "TCP"}),
        secret=add(
            "aws:alb/targetGroup:TargetGroup", "extra-targets", {"port": secret(9091), "protocol": "TCP"}
        ),
        not_applicable=put("targets", "port", 8085),
        clean=["unknown"],
    ),
    *cases(
        "scheduler-ingress-from-vpc",
        "opened",
        compliant=both(
            ingress(None, referencedSecurityGroupId="sg-2"),
            add(INGRESS, "office", {**PROMETHEUS, "prefixListId": "pl-1"}, {"securityGroupId": [GROUP]}),
        ),
        violating=ingress("203.0.113.0/24", fromPort=443, toPort=443),
        omitted=ingress("203.0.113.0/24", ipProtocol="-1", fromPort=None, toPort=None),
        unknown=ingress(unknown()),
        secret=ingress(secret("203.0.113.0/24"), fromPort=80, toPort=80),
        not_applicable=add(
            INGRESS, "elsewhere", {**PROMETHEUS, "cidrIpv4": "8.8.8.0/24"}, {"securityGroupId": ["web-group"]}
        ),
    ),
]

CAPACITY_CASES: list[Case] = [
    *cases(
        "scheduler-no-autoscaling",
        "scaling-of-scheduler",
        compliant=both(
            scaled(resourceId="service/fileflow-prod/fileflow-web-api"),
            add(PLAN, "plan", {"scalingInstructions": [{**SCALED, "resourceId": "table/scheduler"}]}),
        ),
        violating=both(
            put(SCHEDULER, "name", "download"),
            *(put(alarm, "dimensions.ServiceName", "download") for alarm in ALARMS),
            scaled(resourceId="service/fileflow-prod/download"),
        ),
        omitted=add(TARGET, "scaling-of-scheduler", {"resourceId": SCHEDULER_ID}),
        unknown=add(
            TARGET,
            "scaling-of-scheduler",
            {**SCALED, "resourceId": unknown()},
            {"resourceId": ["cluster", SCHEDULER]},
        ),
        secret=scaled(resourceId=secret(SCHEDULER_ID)),
        not_applicable=scaled(serviceNamespace="dynamodb", resourceId="table/scheduler"),
    ),
]

LAUNCHER_CASES: list[Case] = [
    *cases(
        "scheduler-no-second-launcher",
        "launcher",
        compliant=add(
            EVENT_TARGET,
            "launcher",
            {
                "arn": "cluster",
                "ecsTarget": {"taskDefinitionArn": "arn:aws:ecs:r:1:task-definition/nightly-report:3"},
            },
        ),
        violating=add(
            EVENT_TARGET,
            "launcher",
            {"arn": "cluster", "ecsTarget": {"taskDefinitionArn": "fileflow-scheduler-download-prod:7"}},
        ),
        omitted=add(
            "aws:ecs/taskSet:TaskSet",
            "launcher",
            {
                "service": "fileflow-scheduler-download",
                "taskDefinition": "arn:aws:ecs:r:1:task-definition/plain:3",
            },
        ),
        unknown=add(
            SCHEDULE,
            "launcher",
            {"target": {"arn": unknown(), "ecsParameters": {"taskDefinitionArn": unknown()}}},
            parents="fileflow:ecs:SchedulerService$",
        ),
        secret=add(
            "aws:sfn/stateMachine:StateMachine",
            "launcher",
            {
                "definition": secret(
                    json.dumps(
                        {
                            "States": {
                                "Run": {
                                    "Resource": "arn:aws:states:::ecs:runTask.sync",
                                    "Parameters": {"TaskDefinition": "fileflow-scheduler-download-prod"},
                                }
                            }
                        }
                    )
                )
            },
        ),
        not_applicable=add(EVENT_TARGET, "launcher", {"arn": "arn:aws:sqs:r:1:scheduler-events"}),
    ),
    *cases(
        "scheduler-by-aws-service-only",
        "foreign",
        compliant=add(EXPRESS, "foreign", {"serviceName": "shop", "tags": {"fileflow:role": "web-api"}}),
        violating=add(
            "aws-native:ecs:ExpressGatewayService",
            "foreign",
            {"serviceName": "mail", "tags": [{"key": "fileflow:role", "value": "scheduler"}]},
        ),
        omitted=add(EXPRESS, "foreign", {"primaryContainer": {"image": "x/fileflow:mail-scheduler-1"}}),
        unknown=add(
            CLOUD_CONTROL,
            "foreign",
            {
                "typeName": "AWS::ECS::ExpressGatewayService",
                "desiredState": json.dumps({"ServiceName": "mail-scheduler", "Cpu": {"Ref": "Cpu"}}),
            },
        ),
        secret=add(EXPRESS, "foreign", {"serviceName": secret("mail-scheduler")}),
        not_applicable=add(CLOUD_CONTROL, "foreign", {"typeName": "AWS::ECS::CapacityProvider"}),
    ),
    *cases(
        "scheduler-no-code-deploy",
        "deploys",
        compliant=add(DEPLOYS, "deploys", {"ecsService": {"serviceName": "fileflow-web-api"}}),
        violating=add(DEPLOYS, "deploys", {"ecsService": {"serviceName": "fileflow-scheduler-download"}}),
        omitted=add(DEPLOYS, "deploys", {"appName": "shop"}),
        unknown=add(
            DEPLOYS, "deploys", {"ecsService": {"serviceName": unknown()}}, {"ecsService": [SCHEDULER]}
        ),
        secret=add(
            DEPLOYS, "deploys", {"ecsService": {"serviceName": secret("fileflow-scheduler-download")}}
        ),
        not_applicable=add(
            DEPLOYS, "deploys", {"ecsService": {"serviceName": unknown()}}, {"ecsService": [WEB]}
        ),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-not-in-template",
        "template",
        compliant=add(TEMPLATE, "template", {"templateBody": BUCKET_IN_TEMPLATE}),
        violating=add(TEMPLATE, "template", {"templateBody": SERVICE_IN_TEMPLATE}),
        omitted=add(TEMPLATE, "template", {}),
        unknown=add(TEMPLATE, "template", {"templateBody": unknown()}),
        secret=add(
            "aws-native:cloudformation:Stack",
            "template",
            {"template": secret({"Resources": {"S": {"Type": "AWS::ECS::Service"}}})},
        ),
        not_applicable=add("aws:s3/bucketObject:BucketObject", "template", {"content": SERVICE_IN_TEMPLATE}),
        clean=["omitted", "unknown"],
        also={"unknown": [("cloudformation-template-readable", "template", "advisory")]},
    ),
    *cases(
        "cloudformation-template-readable",
        "template",
        compliant=add(TEMPLATE, "template", {"templateBody": BUCKET_IN_TEMPLATE}),
        violating=add(TEMPLATE, "template", {"templateUrl": "https://s3.amazonaws.com/templates/a.yaml"}),
        omitted=add(TEMPLATE, "template", {"templateUrl": ""}),
        unknown=add(TEMPLATE, "template", {"templateBody": unknown()}),
        secret=add(
            TEMPLATE, "template", {"templateUrl": secret("https://s3.amazonaws.com/templates/a.yaml")}
        ),
        not_applicable=add("aws:s3/bucketObject:BucketObject", "template", {"content": unknown()}),
        clean=["omitted"],
    ),
    *cases(
        "scheduler-no-command",
        "command",
        compliant=add(COMMAND, "command", {"create": "aws ecs describe-services --cluster c"}),
        violating=add(
            COMMAND, "command", {"create": f"aws ecs run-task --cluster c --task-definition {FAMILY}"}
        ),
        omitted=add(
            COMMAND,
            "command",
            {"update": f"aws --region r ecs update-service --service {NAME} --desired-count 2"},
        ),
        unknown=add(COMMAND, "command", {"create": unknown()}),
        secret=add(
            "command:remote:Command", "command", {"create": secret(f"python -c 'ecs.run_task(\"{FAMILY}\")'")}
        ),
        not_applicable=add("aws:ssm/document:Document", "command", {"content": "RunTask"}),
        clean=["unknown"],
    ),
    *cases(
        "scheduler-one-container",
        SCHEDULER,
        compliant=put(
            SCHEDULER_TASK,
            "containerDefinitions",
            json.dumps([SOLE, {**container("router", 24224), "image": f"router@sha256:{'b' * 64}"}]),
        ),
        violating=put(SCHEDULER_TASK, "containerDefinitions", json.dumps([SOLE, AGAIN])),
        omitted=put(
            SCHEDULER_TASK,
            "containerDefinitions",
            json.dumps([SOLE, {key: value for key, value in AGAIN.items() if key != "name"}]),
        ),
        unknown=hide_containers(SCHEDULER_TASK),
        secret=conceal(SCHEDULER_TASK, "containerDefinitions", json.dumps([SOLE, AGAIN])),
        not_applicable=put(
            WORKER_TASK,
            "containerDefinitions",
            json.dumps([container("thumbnails", 8080), container("again", 8081)]),
        ),
        clean=["unknown"],
        also={"unknown": UNREADABLE},
    ),
    *cases(
        "scheduler-one-service",
        "twin",
        compliant=A_SECOND_SCHEDULER,
        violating=both(
            second(
                "twin",
                put("twin", "name", "copy-scheduler"),
                retarget(
                    "twin",
                    "twin-task",
                    "copy-scheduler",
                    {**AGAIN, "name": "copy", "portMappings": SOLE["portMappings"]},
                ),
            ),
            watched("twin", "copy-scheduler"),
        ),
        omitted=both(
            second(
                "twin",
                put("twin", "name", "copy-scheduler"),
                retarget(
                    "twin", "twin-task", "copy-scheduler", {**AGAIN, "name": SOLE["name"], "portMappings": []}
                ),
            ),
            watched("twin", "copy-scheduler"),
        ),
        unknown=both(
            second("twin", put("twin", "name", "second-scheduler"), hide("twin", "taskDefinition")),
            watched("twin", "second-scheduler"),
        ),
        secret=both(
            second(
                "twin", put("twin", "name", "second-scheduler"), conceal("twin", "taskDefinition", FAMILY)
            ),
            watched("twin", "second-scheduler"),
        ),
        not_applicable=second("twin", put("twin", "name", "thumbnails-2"), source=WORKER),
    ),
    *cases(
        "scheduler-heartbeat-alarms",
        SCHEDULER,
        violating=put("two-running", "threshold", 2),
        omitted=remove("none-running"),
        unknown=hide("two-running", "comparisonOperator"),
        secret=conceal("none-running", "treatMissingData", "ignore"),
        not_applicable=put("two-running", "period", 300),
    ),
]

CASES = [*SERVICE_CASES, *TASK_CASES, *TRAFFIC_CASES, *CAPACITY_CASES, *LAUNCHER_CASES]
