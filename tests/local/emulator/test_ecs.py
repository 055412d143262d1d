"""ECS on the emulated AWS: services live, deploy, fail and come back as they do on AWS."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.emulator.conftest import REGION, Client, eventually

LOG_GROUP = "/aws/ecs/fileflow-scheduler-download"
FAMILY = "fileflow-scheduler-download-prod"
SERVICE = "fileflow-scheduler-download"
STOP_BEFORE_START = {"minimumHealthyPercent": 0, "maximumPercent": 100}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@dataclass
class World:
    """A cluster in a network of two subnets, and what a task definition needs."""

    client: Client
    account: str

    def __post_init__(self) -> None:
        self.ecs = self.client("ecs")
        self.logs = self.client("logs")
        self.ec2 = self.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        self.subnets = {
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")[
                "Subnet"
            ]["SubnetId"]: cidr
            for cidr, zone in (("10.20.0.0/24", "a"), ("10.20.1.0/24", "b"))
        }
        self.group = self.ec2.create_security_group(GroupName="tasks", Description="tasks", VpcId=self.vpc)[
            "GroupId"
        ]
        self.ecs.create_cluster(
            clusterName="fileflow-prod",
            capacityProviders=["FARGATE", "FARGATE_SPOT"],
            settings=[{"name": "containerInsights", "value": "enabled"}],
        )
        self.logs.create_log_group(logGroupName=LOG_GROUP)
        self.role = f"arn:aws:iam::{self.account}:role/execution"
        self.network = {
            "awsvpcConfiguration": {
                "subnets": list(self.subnets),
                "securityGroups": [self.group],
                "assignPublicIp": "DISABLED",
            }
        }

    def register(self, environment: dict[str, str] | None = None, **container: Any) -> str:
        definition = {
            "name": SERVICE,
            "image": "public.ecr.aws/fileflow/scheduler:1",
            "portMappings": [{"containerPort": 9091}],
            "environment": [{"name": name, "value": value} for name, value in (environment or {}).items()],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": LOG_GROUP,
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": "ecs",
                },
            },
        } | container
        registered = self.ecs.register_task_definition(
            family=FAMILY,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="512",
            memory="1024",
            executionRoleArn=self.role,
            containerDefinitions=[definition],
        )
        arn: str = registered["taskDefinition"]["taskDefinitionArn"]
        return arn

    def target_group(self, **options: Any) -> str:
        """A target group of tasks, which no load balancer has yet."""
        asked = {"Name": "web", "Protocol": "HTTP", "Port": 8083, "VpcId": self.vpc, "TargetType": "ip"}
        made = self.client("elbv2").create_target_group(**{**asked, **options})
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def load_balancer(self) -> Any:
        """A load balancer in both subnets."""
        made = self.client("elbv2").create_load_balancer(Name="alb", Subnets=list(self.subnets))
        return made["LoadBalancers"][0]

    def forward(self, balancer: Any, group: str) -> str:
        """Forwards a load balancer's port 80 to a target group; the listener's ARN."""
        made = self.client("elbv2").create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def create(self, task_definition: str, **options: Any) -> Any:
        return self.ecs.create_service(
            **{
                "cluster": "fileflow-prod",
                "serviceName": SERVICE,
                "taskDefinition": task_definition,
                "desiredCount": 1,
                "launchType": "FARGATE",
                "networkConfiguration": self.network,
                "deploymentConfiguration": STOP_BEFORE_START | BREAKER,
            }
            | options
        )["service"]

    def update(self, **options: Any) -> Any:
        return self.ecs.update_service(cluster="fileflow-prod", service=SERVICE, **options)["service"]

    def service(self, *include: str) -> Any:
        described = self.ecs.describe_services(
            cluster="fileflow-prod", services=[SERVICE], include=list(include)
        )
        return described["services"][0]

    def tasks(self, status: str = "RUNNING") -> list[Any]:
        arns = self.ecs.list_tasks(cluster="fileflow-prod", desiredStatus=status)["taskArns"]
        if not arns:
            return []
        tasks: list[Any] = self.ecs.describe_tasks(cluster="fileflow-prod", tasks=arns)["tasks"]
        return tasks

    def steady(self) -> Any:
        def is_steady() -> Any:
            service = self.service()
            alone = len(service["deployments"]) == 1
            return service if alone and service["deployments"][0]["rolloutState"] == "COMPLETED" else None

        return eventually(is_steady)

    def log_lines(self) -> list[str]:
        return [event["message"] for event in self.logs.filter_log_events(logGroupName=LOG_GROUP)["events"]]


@pytest.fixture
def world(client: Client, account: str) -> World:
    return World(client, account)


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_service_reaches_a_steady_state_with_one_running_task(world: World) -> None:
    created = world.create(world.register())
    assert created["status"] == "ACTIVE"
    assert created["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    service = world.steady()
    assert service["runningCount"] == 1
    (deployment,) = service["deployments"]
    assert deployment["status"] == "PRIMARY"
    assert deployment["taskDefinition"].endswith(f"{FAMILY}:1")
    assert (deployment["desiredCount"], deployment["runningCount"], deployment["pendingCount"]) == (1, 1, 0)
    messages = [event["message"] for event in service["events"]]
    assert f"(service {SERVICE}) has reached a steady state." in messages
    assert any("has started 1 tasks: (task " in message for message in messages)
    assert len(world.tasks()) == 1


def test_a_task_has_a_network_interface_with_an_address_of_its_subnet(world: World) -> None:
    world.create(world.register(), desiredCount=4, deploymentConfiguration={})
    eventually(lambda: len(world.tasks()) == 4 and world.steady())
    addresses, zones = set(), set()
    for task in world.tasks():
        (attachment,) = task["attachments"]
        details = {detail["name"]: detail["value"] for detail in attachment["details"]}
        assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "ATTACHED")
        address = ipaddress.ip_address(details["privateIPv4Address"])
        assert address in ipaddress.ip_network(world.subnets[details["subnetId"]])
        (interface,) = task["containers"][0]["networkInterfaces"]
        assert interface == {"attachmentId": attachment["id"], "privateIpv4Address": str(address)}
        (described,) = world.ec2.describe_network_interfaces(
            NetworkInterfaceIds=[details["networkInterfaceId"]]
        )["NetworkInterfaces"]
        assert described["PrivateIpAddress"] == str(address)
        assert [group["GroupId"] for group in described["Groups"]] == [world.group]
        addresses.add(address)
        zones.add(task["availabilityZone"])
    assert len(addresses) == 4
    assert zones == {f"{REGION}a", f"{REGION}b"}
    again = {task["attachments"][0]["details"][-1]["value"] for task in world.tasks()}
    assert again == {str(address) for address in addresses}


def stopped(world: World) -> list[dict[str, Any]]:
    """The tasks that have ended, not those that are still stopping."""
    return [task for task in world.tasks("STOPPED") if task["lastStatus"] == "STOPPED"]


def test_at_100_percent_a_successor_runs_while_the_old_task_is_still_stopping(world: World) -> None:
    world.create(world.register({"FILEFLOW_SIMULATE_IGNORE_SIGTERM": "1"}, stopTimeout=5))
    world.steady()
    (old,) = world.tasks()

    world.update(taskDefinition=world.register({"VERSION": "2"}, stopTimeout=5))
    service = world.steady()

    (new,) = world.tasks()
    (stopping,) = world.tasks("STOPPED")
    assert (service["runningCount"], service["pendingCount"], new["lastStatus"]) == (1, 0, "RUNNING")
    assert (stopping["taskArn"], stopping["lastStatus"]) == (old["taskArn"], "STOPPING")
    (ended,) = eventually(lambda: stopped(world))
    assert ended["containers"][0]["exitCode"] == 137
    assert ended["stoppingAt"] <= new["createdAt"] < new["startedAt"] < ended["stoppedAt"]


def test_a_task_that_is_told_to_stop_gets_no_request_any_more(world: World) -> None:
    world.create(world.register())
    world.steady()
    (task,) = world.tasks()
    answered = world.ecs.stop_task(cluster="fileflow-prod", task=task["taskArn"])["task"]
    assert (answered["desiredStatus"], answered["lastStatus"]) == ("STOPPED", "STOPPING")
    assert world.service()["runningCount"] == 0 or world.tasks()[0]["taskArn"] != task["taskArn"]
    (ended,) = eventually(lambda: stopped(world))
    assert ended["stopCode"] == "UserInitiated"
    assert ended["containers"][0]["exitCode"] == 143


def test_a_stopped_task_gives_its_network_interface_back(world: World) -> None:
    world.create(world.register())
    world.steady()
    world.update(desiredCount=0)
    eventually(lambda: not world.tasks())
    (task,) = eventually(lambda: stopped(world))
    assert task["attachments"][0]["status"] == "DELETED"
    assert task["stopCode"] == "ServiceSchedulerInitiated"
    interfaces = world.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert interfaces == []


def test_each_started_container_writes_one_honest_line_to_its_log_stream(world: World) -> None:
    world.create(world.register())
    world.steady()
    (line,) = eventually(world.log_lines)
    assert "without a container engine" in line
    (task,) = world.tasks()
    (stream,) = world.logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
    assert stream["logStreamName"] == f"ecs/{SERVICE}/{task['taskArn'].rpartition('/')[2]}"


@pytest.mark.parametrize("change", ["force", "definition"])
def test_a_deployment_at_0_and_100_percent_never_shows_two_tasks(world: World, change: str) -> None:
    world.create(world.register())
    world.steady()
    before = world.tasks()[0]["taskArn"]
    if change == "force":
        world.update(forceNewDeployment=True)
    else:
        world.update(taskDefinition=world.register({"VERSION": "2"}))
    seen = []

    def replaced() -> bool:
        tasks = world.tasks()
        seen.append(len([task for task in tasks if task["lastStatus"] != "STOPPED"]))
        service = world.service()
        return len(service["deployments"]) == 1 and service["deployments"][0]["rolloutState"] == "COMPLETED"

    eventually(replaced)
    assert max(seen) == 1
    (after,) = world.tasks()
    assert after["taskArn"] != before


def test_a_failing_task_rolls_the_service_back_and_says_why(world: World) -> None:
    good = world.register()
    world.create(good)
    world.steady()
    log = "org.postgresql.util.PSQLException: Connection to db:5432 refused"
    bad = world.register({"FILEFLOW_SIMULATE_EXIT": "3", "FILEFLOW_SIMULATE_LOG": log})
    world.update(taskDefinition=bad)
    seen = []

    def rolled_back() -> bool:
        service = world.service()
        seen.append(len(world.tasks()))
        return bool(service["taskDefinition"] == good and len(service["deployments"]) == 1)

    eventually(rolled_back)
    service = world.steady()
    assert max(seen) <= 1
    assert service["taskDefinition"] == service["deployments"][0]["taskDefinition"] == good
    messages = " ".join(event["message"] for event in service["events"])
    assert "deployment failed: tasks failed to start." in messages
    assert "rolling back to deployment ecs-svc/" in messages
    failed = [task for task in world.tasks("STOPPED") if task["taskDefinitionArn"] == bad]
    assert len(failed) == 3
    for task in failed:
        assert task["stopCode"] == "EssentialContainerExited"
        assert task["stoppedReason"] == "Essential container in task exited"
        assert task["containers"][0]["exitCode"] == 3
    assert log in world.log_lines()
    assert "[fileflow emulator] simulated exit with code 3" in eventually(
        lambda: [line for line in world.log_lines() if "simulated exit" in line]
    )
    newest, first = world.ecs.list_service_deployments(cluster="fileflow-prod", service=SERVICE)[
        "serviceDeployments"
    ]
    assert (newest["status"], first["status"]) == ("ROLLBACK_SUCCESSFUL", "SUCCESSFUL")
    described = world.ecs.describe_service_deployments(serviceDeploymentArns=[newest["serviceDeploymentArn"]])
    assert described["serviceDeployments"][0]["deploymentCircuitBreaker"]["failureCount"] == 3
    revisions = world.ecs.describe_service_revisions(serviceRevisionArns=[newest["targetServiceRevisionArn"]])
    assert revisions["serviceRevisions"][0]["taskDefinition"] == bad


def test_a_first_deployment_that_fails_stays_failed(world: World) -> None:
    world.create(world.register({"FILEFLOW_SIMULATE_EXIT": "1"}))
    (primary,) = eventually(
        lambda: [d for d in world.service()["deployments"] if d["rolloutState"] == "FAILED"]
    )
    assert primary["status"] == "PRIMARY"
    assert primary["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert primary["failedTasks"] == 3
    assert world.tasks() == []


@pytest.mark.parametrize("failure", ["database", "redis", "secrets", "oom"])
def test_each_of_the_guides_causes_can_be_simulated(world: World, failure: str) -> None:
    world.create(world.register({"FILEFLOW_SIMULATE_FAILURE": failure}))
    task = eventually(lambda: world.tasks("STOPPED"))[0]
    assert task["containers"][0]["exitCode"] == 1
    said = {"database": "JDBC", "redis": "Redis", "secrets": "GetSecretValue", "oom": "OutOfMemoryError"}
    assert eventually(lambda: [line for line in world.log_lines() if said[failure] in line])


def test_a_container_that_runs_out_of_memory_says_so(world: World) -> None:
    world.create(world.register({"FILEFLOW_SIMULATE_OOM": "1"}))
    (container,) = eventually(lambda: world.tasks("STOPPED"))[0]["containers"]
    assert container["exitCode"] == 137
    assert container["reason"].startswith("OutOfMemoryError")


def test_a_secret_that_cannot_be_read_keeps_the_task_from_starting(world: World) -> None:
    secret = f"arn:aws:secretsmanager:{REGION}:{world.account}:secret:fileflow/database-AbCdEf"
    world.create(world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": secret}]))
    task = eventually(lambda: world.tasks("STOPPED"))[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert "ResourceInitializationError: unable to pull secrets" in task["stoppedReason"]


TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        }
    ],
}


class ExecutionRole:
    """The execution role of the tasks, with exactly the statements given."""

    def __init__(self, world: World, allowed: dict[str, list[str]], trust: dict[str, Any] = TRUST) -> None:
        iam = world.client("iam")
        iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(trust))
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": resources}
            for action, resources in allowed.items()
        ]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName="execution", PolicyName="execution", PolicyDocument=document)


def log_permissions(world: World) -> dict[str, list[str]]:
    streams = [f"arn:aws:logs:{REGION}:{world.account}:log-group:{LOG_GROUP}:*"]
    return {"logs:CreateLogStream": streams, "logs:PutLogEvents": streams}


def test_an_execution_role_with_exactly_what_is_needed_starts_the_task(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "x"}')["ARN"]
    trust = json.loads(json.dumps(TRUST))
    trust["Statement"][0]["Condition"] = {
        "StringEquals": {"aws:SourceAccount": world.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{world.account}:*"},
    }
    ExecutionRole(world, {"secretsmanager:GetSecretValue": [secret]} | log_permissions(world), trust)
    world.create(world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": f"{secret}:password::"}]))
    assert world.steady()["runningCount"] == 1


def stopped_reason(world: World, task_definition: str) -> str:
    world.create(task_definition)
    task = eventually(lambda: world.tasks("STOPPED"))[0]
    assert task["stopCode"] == "TaskFailedToStart"
    reason: str = task["stoppedReason"]
    return reason


def test_an_execution_role_that_may_not_read_the_secret_keeps_the_task_from_starting(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    ExecutionRole(world, log_permissions(world))
    reason = stopped_reason(world, world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": secret}]))
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert f"not authorized to perform: secretsmanager:GetSecretValue on resource: {secret}" in reason


def stopped_reasons(world: World, definition: str) -> list[str]:
    """Why the stopped tasks of a task definition stopped."""
    tasks = world.tasks("STOPPED")
    return [str(each["stoppedReason"]) for each in tasks if each["taskDefinitionArn"] == definition]


def test_what_a_task_is_to_read_and_isnt_there_is_told_in_awss_words(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "x"}')["ARN"]
    gone = f"{secret[:-7]}2-abcdef"
    expected = {
        f"{secret}:user::": "retrieved secret from Secrets Manager did not contain json key user",
        gone: f"failed to fetch secret {gone} from secrets manager: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret.",
        f"arn:aws:ssm:{REGION}:{world.account}:parameter/redis": (
            "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            "invalid parameters: /redis"
        ),
    }
    for reference, words in expected.items():
        definition = world.register(secrets=[{"name": "SECRET", "valueFrom": reference}])
        world.ecs.run_task(
            cluster="fileflow-prod", taskDefinition=definition, networkConfiguration=world.network
        )
        reasons = eventually(partial(stopped_reasons, world, definition))
        assert reasons[0].endswith(words), reasons


@pytest.mark.parametrize(("ending", "starts"), [("", False), ("-??????", True)])
def test_a_secret_named_without_its_last_six_characters_needs_a_permission_for_the_whole_name(
    world: World, ending: str, starts: bool
) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    partial = secret[:-7]
    ExecutionRole(world, {"secretsmanager:GetSecretValue": [partial + ending]} | log_permissions(world))
    definition = world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": partial}])
    if starts:
        world.create(definition)
        assert world.steady()["runningCount"] == 1
    else:
        assert f"GetSecretValue on resource: {secret}" in stopped_reason(world, definition)


def test_a_private_registrys_credentials_are_read_by_the_execution_role(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="registry", SecretString="x")["ARN"]
    ExecutionRole(world, log_permissions(world))
    definition = world.register(repositoryCredentials={"credentialsParameter": secret})
    assert f"GetSecretValue on resource: {secret}" in stopped_reason(world, definition)


@pytest.mark.parametrize(
    "memory", [{"memory": 1025}, {"memoryReservation": 2048}, {"memory": 256, "memoryReservation": 256}]
)
def test_containers_that_the_tasks_memory_does_not_hold_are_refused(
    world: World, memory: dict[str, int]
) -> None:
    assert refusal(world.register, **memory)[0] == "ClientException"
    world.register(memory=1024)


def test_an_execution_role_that_ecs_may_not_assume_keeps_the_task_from_starting(world: World) -> None:
    trust = json.loads(json.dumps(TRUST))
    trust["Statement"][0]["Principal"]["Service"] = "ec2.amazonaws.com"
    ExecutionRole(world, log_permissions(world), trust)
    assert stopped_reason(world, world.register()).startswith("ECS was unable to assume the role")


def test_an_execution_role_that_may_not_write_the_log_keeps_the_task_from_starting(world: World) -> None:
    permissions = log_permissions(world)
    permissions["logs:PutLogEvents"] = [f"arn:aws:logs:{REGION}:{world.account}:log-group:/other:*"]
    ExecutionRole(world, permissions)
    reason = stopped_reason(world, world.register())
    assert "failed to create Cloudwatch log stream" in reason
    assert "logs:PutLogEvents" in reason


def test_a_missing_log_group_keeps_the_task_from_starting(world: World) -> None:
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    assert "The specified log group does not exist" in stopped_reason(world, world.register())


def test_an_execution_role_that_may_not_pull_keeps_the_task_from_starting(world: World) -> None:
    ExecutionRole(world, log_permissions(world) | {"ecr:GetAuthorizationToken": ["*"]})
    image = f"{world.account}.dkr.ecr.{REGION}.amazonaws.com/fileflow:1"
    reason = stopped_reason(world, world.register(image=image))
    assert (
        f"ecr:BatchGetImage on resource: arn:aws:ecr:{REGION}:{world.account}:repository/fileflow" in reason
    )


def test_an_image_that_is_not_in_the_repository_cannot_be_pulled(world: World) -> None:
    world.client("ecr").create_repository(repositoryName="fileflow")
    image = f"{world.account}.dkr.ecr.{REGION}.amazonaws.com/fileflow@sha256:{'0' * 64}"
    world.create(world.register(image=image))
    task = eventually(lambda: world.tasks("STOPPED"))[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError")


def test_an_image_that_is_in_the_repository_runs(world: World) -> None:
    ecr = world.client("ecr")
    ecr.create_repository(repositoryName="fileflow")
    pushed = ecr.put_image(repositoryName="fileflow", imageManifest='{"schemaVersion": 2}', imageTag="1")[
        "image"
    ]
    digest = pushed["imageId"]["imageDigest"]
    image = f"{world.account}.dkr.ecr.{REGION}.amazonaws.com/fileflow@{digest}"
    world.create(world.register(image=image))
    assert world.steady()["runningCount"] == 1
    assert world.tasks()[0]["containers"][0]["imageDigest"] == digest


def test_a_task_that_fails_its_health_check_is_replaced_and_rolled_back(world: World) -> None:
    check = {"command": ["CMD-SHELL", "true"]}
    good = world.register(healthCheck=check)
    world.create(good)
    world.steady()
    assert world.tasks()[0]["healthStatus"] == "HEALTHY"
    bad = world.register({"FILEFLOW_SIMULATE_UNHEALTHY": "1"}, healthCheck=check)
    world.update(taskDefinition=bad)
    eventually(lambda: world.service()["taskDefinition"] == good)
    assert world.steady()["runningCount"] == 1
    failed = [task for task in world.tasks("STOPPED") if task["taskDefinitionArn"] == bad]
    assert {task["stoppedReason"] for task in failed} == {"Task failed container health checks"}
    assert len(failed) == 3


CREATE_OPTIONS: dict[str, Any] = {
    "availabilityZoneRebalancing": "DISABLED",
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "deploymentConfiguration": {
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "alarms": {"alarmNames": ["a"], "enable": True, "rollback": True},
    },
    "platformVersion": "1.4.0",
    "propagateTags": "SERVICE",
    "enableECSManagedTags": True,
    "enableExecuteCommand": True,
    "placementConstraints": [],
    "placementStrategy": [],
    "tags": [{"key": "Project", "value": "fileflow"}],
}


def test_every_field_of_a_service_comes_back(world: World) -> None:
    created = world.create(world.register(), **CREATE_OPTIONS)
    for service in (created, world.service("TAGS")):
        for name, value in CREATE_OPTIONS.items():
            assert service[name] == value, name
        assert service["networkConfiguration"] == world.network
        assert service["launchType"] == "FARGATE"
        assert service["platformFamily"] == "Linux"
        assert service["roleArn"].endswith("AWSServiceRoleForECS")
        deployment = service["deployments"][0]
        assert deployment["networkConfiguration"] == world.network
        assert deployment["launchType"] == "FARGATE"
        assert deployment["platformVersion"] == "1.4.0"
    assert "tags" not in world.service()
    world.steady()
    tags = (
        {tag["key"]: tag["value"] for tag in world.tasks()[0]["tags"]} if "tags" in world.tasks()[0] else {}
    )
    described = world.ecs.describe_tasks(
        cluster="fileflow-prod", tasks=[world.tasks()[0]["taskArn"]], include=["TAGS"]
    )["tasks"][0]
    tags = {tag["key"]: tag["value"] for tag in described["tags"]}
    assert tags == {
        "Project": "fileflow",
        "aws:ecs:clusterName": "fileflow-prod",
        "aws:ecs:serviceName": SERVICE,
    }


def test_defaults_are_those_of_aws(world: World) -> None:
    service = world.create(world.register(), deploymentConfiguration={})
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    assert service["deploymentConfiguration"] == {
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    }
    assert service["platformVersion"] == "LATEST"
    assert service["propagateTags"] == "NONE"
    assert service["enableExecuteCommand"] is False
    assert service["schedulingStrategy"] == "REPLICA"


def test_rebalancing_keeps_its_value_when_an_update_does_not_name_it(world: World) -> None:
    world.create(world.register(), deploymentConfiguration={}, availabilityZoneRebalancing="DISABLED")
    assert world.update(desiredCount=2)["availabilityZoneRebalancing"] == "DISABLED"
    assert world.update(availabilityZoneRebalancing="ENABLED")["availabilityZoneRebalancing"] == "ENABLED"
    code, message = refusal(
        world.update, deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 0}
    )
    assert code == "InvalidParameterException"
    assert "maximumPercent above 100" in message
    assert world.service()["deploymentConfiguration"]["maximumPercent"] == 200


QUIET_UPDATES: list[dict[str, Any]] = [
    {"enableExecuteCommand": True},
    {"propagateTags": "SERVICE"},
    {"enableECSManagedTags": True},
    {"healthCheckGracePeriodSeconds": 90},
    {"availabilityZoneRebalancing": "DISABLED"},
    {"deploymentConfiguration": {"maximumPercent": 150}},
    {"desiredCount": 1},
]


@pytest.mark.parametrize("change", QUIET_UPDATES, ids=lambda change: next(iter(change)))
def test_an_update_of_this_field_changes_it_without_a_deployment(
    world: World, change: dict[str, Any]
) -> None:
    created = world.create(world.register(), deploymentConfiguration={})
    updated = world.update(**change)
    ((name, value),) = change.items()
    if isinstance(value, dict):
        assert updated[name].items() >= value.items()
        assert updated[name]["minimumHealthyPercent"] == 100
    else:
        assert updated[name] == value
    assert [d["id"] for d in updated["deployments"]] == [d["id"] for d in created["deployments"]]


def test_an_update_of_the_network_makes_a_new_deployment_once(world: World) -> None:
    created = world.create(world.register())
    world.steady()
    subnet = next(iter(world.subnets))
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [world.group]}}
    updated = world.update(networkConfiguration=network)
    assert updated["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [subnet]
    assert updated["deployments"][0]["id"] != created["deployments"][0]["id"]
    again = world.update(networkConfiguration=network)
    assert again["deployments"][0]["id"] == updated["deployments"][0]["id"]
    world.steady()
    details = {detail["name"]: detail["value"] for detail in world.tasks()[0]["attachments"][0]["details"]}
    assert details["subnetId"] == subnet


def test_a_rollout_without_a_new_revision_that_fails_is_put_back_with_its_network(world: World) -> None:
    first, second = world.subnets
    network = {"awsvpcConfiguration": {"subnets": [first], "securityGroups": [world.group]}}
    definition = world.register()
    world.create(definition, networkConfiguration=network)
    before = world.steady()
    # The next task can't start: its log group is gone by then.
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    moved = {"awsvpcConfiguration": {"subnets": [second], "securityGroups": [world.group]}}
    world.update(networkConfiguration=moved)

    def last() -> Any:
        listed = world.ecs.list_service_deployments(cluster="fileflow-prod", service=SERVICE)
        newest = listed["serviceDeployments"][0]
        return newest if newest["status"].startswith("ROLLBACK") else None

    deployment = eventually(last)
    assert "tasks failed to start" in deployment["statusReason"]
    service = world.service()
    primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
    assert primary["id"] == before["deployments"][0]["id"]
    for shown in (service, primary):
        assert shown["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [first]
    assert service["taskDefinition"] == definition


def test_a_rollback_that_fails_too_ends_the_deployment_and_leaves_the_former_one_successful(
    world: World,
) -> None:
    first, second = world.subnets
    network = {"awsvpcConfiguration": {"subnets": [first], "securityGroups": [world.group]}}
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    definition = world.register(secrets=[{"name": "DB", "valueFrom": secret}])
    world.create(
        definition,
        networkConfiguration=network,
        deploymentConfiguration={
            "minimumHealthyPercent": 0,
            "maximumPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )
    world.steady()
    world.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    moved = {"awsvpcConfiguration": {"subnets": [second], "securityGroups": [world.group]}}
    world.update(networkConfiguration=moved)

    def statuses() -> list[str]:
        listed = world.ecs.list_service_deployments(cluster="fileflow-prod", service=SERVICE)
        found = [str(each["status"]) for each in listed["serviceDeployments"]]
        return found if "IN_PROGRESS" not in found[0] else []

    assert eventually(statuses) == ["ROLLBACK_FAILED", "SUCCESSFUL"]
    assert world.tasks() == []


def test_a_capacity_provider_strategy_takes_the_launch_types_place(world: World) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    definition = world.register()
    created = world.ecs.create_service(
        cluster="fileflow-prod",
        serviceName=SERVICE,
        taskDefinition=definition,
        desiredCount=1,
        capacityProviderStrategy=strategy,
        networkConfiguration=world.network,
    )["service"]
    assert created["capacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}
    ]
    assert "launchType" not in created
    world.steady()
    (task,) = world.tasks()
    assert (task["launchType"], task["capacityProviderName"]) == ("FARGATE", "FARGATE_SPOT")


def test_capacity_changes_in_place_by_a_forced_deployment_alone(world: World) -> None:
    world.create(world.register())
    first = world.steady()
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    code, message = refusal(world.update, capacityProviderStrategy=spot)
    assert (code, "you must force a new deployment" in message) == ("InvalidParameterException", True)
    assert world.service()["deployments"][0]["id"] == first["deployments"][0]["id"]
    updated = world.update(capacityProviderStrategy=spot, forceNewDeployment=True)
    assert (updated["status"], updated["capacityProviderStrategy"]) == ("ACTIVE", spot)
    assert "launchType" not in updated
    world.steady()
    (task,) = world.tasks()
    assert task["capacityProviderName"] == "FARGATE_SPOT"
    world.update(capacityProviderStrategy=spot)
    world.update(capacityProviderStrategy=[], forceNewDeployment=True)
    assert world.steady()["launchType"] == "FARGATE"


def test_a_fargate_task_has_no_container_instance(world: World) -> None:
    world.create(world.register())
    world.steady()
    (task,) = world.tasks()
    assert "containerInstanceArn" not in task
    assert task["platformVersion"] == "1.4.0"
    assert task["startedBy"] == world.service()["deployments"][0]["id"]


def test_service_connect_shows_in_the_deployment(world: World) -> None:
    connect = {
        "enabled": True,
        "namespace": "fileflow",
        "services": [{"portName": "http", "clientAliases": [{"port": 8083}]}],
    }
    mapping = [{"containerPort": 8083, "name": "http", "appProtocol": "http"}]
    service = world.create(world.register(portMappings=mapping), serviceConnectConfiguration=connect)
    deployment = service["deployments"][0]
    assert deployment["serviceConnectConfiguration"] == connect
    assert deployment["serviceConnectResources"][0]["discoveryName"] == "http"


def test_a_deleted_service_leaves_no_task_and_its_name_is_free_again(world: World) -> None:
    definition = world.register()
    world.create(definition)
    world.steady()
    assert (
        refusal(world.ecs.delete_service, cluster="fileflow-prod", service=SERVICE)[0]
        == "InvalidParameterException"
    )
    world.ecs.delete_service(cluster="fileflow-prod", service=SERVICE, force=True)
    assert world.tasks() == []
    assert world.service()["status"] == "INACTIVE"
    assert refusal(world.update, desiredCount=1)[0] == "ServiceNotActiveException"
    world.create(definition)
    assert world.steady()["status"] == "ACTIVE"


def test_a_cluster_with_an_active_service_is_not_deleted(world: World) -> None:
    world.create(world.register())
    assert refusal(world.ecs.delete_cluster, cluster="fileflow-prod")[0] == "ClusterContainsServicesException"
    world.steady()
    world.ecs.delete_service(cluster="fileflow-prod", service=SERVICE, force=True)
    assert refusal(world.ecs.delete_cluster, cluster="fileflow-prod")[0] == "ClusterContainsTasksException"
    eventually(lambda: stopped(world))
    assert world.ecs.delete_cluster(cluster="fileflow-prod")["cluster"]["status"] == "INACTIVE"


def test_a_cluster_comes_back_whole(world: World) -> None:
    configuration = {
        "executeCommandConfiguration": {
            "logging": "OVERRIDE",
            "logConfiguration": {"cloudWatchLogGroupName": "exec", "cloudWatchEncryptionEnabled": True},
        }
    }
    namespace = f"arn:aws:servicediscovery:{REGION}:{world.account}:namespace/ns-1"
    world.ecs.create_cluster(
        clusterName="other",
        configuration=configuration,
        serviceConnectDefaults={"namespace": namespace},
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
        tags=[{"key": "a", "value": "b"}],
    )
    include = ["SETTINGS", "TAGS", "CONFIGURATIONS", "STATISTICS"]
    (cluster,) = world.ecs.describe_clusters(clusters=["other"], include=include)["clusters"]
    assert cluster["configuration"] == configuration
    assert cluster["serviceConnectDefaults"] == {"namespace": namespace}
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["tags"] == [{"key": "a", "value": "b"}]


def refused_definition(world: World, container: dict[str, Any], **options: Any) -> tuple[str, str]:
    request: dict[str, Any] = {
        "family": "x",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "executionRoleArn": world.role,
        "containerDefinitions": [{"name": "x", "image": "nginx"} | container],
    } | options
    request = {name: value for name, value in request.items() if value is not None}
    return refusal(world.ecs.register_task_definition, **request)


@pytest.mark.parametrize(
    ("container", "options", "said"),
    [
        ({}, {"cpu": "512", "memory": "512"}, "No Fargate configuration exists"),
        ({}, {"networkMode": "bridge"}, "awsvpc"),
        ({"stopTimeout": 121}, {}, "stopTimeout"),
        ({"privileged": True}, {}, "privileged"),
        ({"secrets": [{"name": "a", "valueFrom": "b"}]}, {"executionRoleArn": None}, "execution role"),
        ({"essential": False}, {}, "essential"),
    ],
)
def test_a_task_definition_that_fargate_cannot_run_is_refused(
    world: World, container: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    code, message = refused_definition(world, container, **options)
    assert code == "ClientException"
    assert said in message


def test_a_task_definition_comes_back_with_what_aws_adds(world: World) -> None:
    container = {
        "name": "app",
        "image": "nginx",
        "entryPoint": ["java"],
        "command": ["-jar", "app.jar"],
        "portMappings": [{"containerPort": 8083, "name": "http", "appProtocol": "http"}],
        "healthCheck": {"command": ["CMD", "true"], "startPeriod": 60},
        "stopTimeout": 100,
        "readonlyRootFilesystem": True,
        "user": "1000",
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}],
        "secrets": [{"name": "A", "valueFrom": "arn"}],
        "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/env"}],
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
        "dependsOn": [{"containerName": "log", "condition": "START"}],
        "dockerLabels": {"a": "b"},
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    }
    sidecar = {
        "name": "log",
        "image": "fluent-bit",
        "essential": False,
        "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
    }
    options: dict[str, Any] = {
        "family": "app",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": world.role,
        "taskRoleArn": f"arn:aws:iam::{world.account}:role/task",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGiB": 30},
        "volumes": [{"name": "tmp"}],
    }
    world.ecs.register_task_definition(
        **options, containerDefinitions=[container, sidecar], tags=[{"key": "a", "value": "b"}]
    )
    answer = world.ecs.describe_task_definition(taskDefinition="app", include=["TAGS"])
    definition = answer["taskDefinition"]
    assert answer["tags"] == [{"key": "a", "value": "b"}]
    for name, value in options.items():
        assert definition[name] == value, name
    got, got_sidecar = definition["containerDefinitions"]
    assert got["portMappings"] == [
        {"containerPort": 8083, "hostPort": 8083, "protocol": "tcp", "name": "http", "appProtocol": "http"}
    ]
    assert got["healthCheck"] == {
        "command": ["CMD", "true"],
        "startPeriod": 60,
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    }
    for name in set(container) - {"portMappings", "healthCheck"}:
        assert got[name] == container[name], name
    assert got["environment"] == got["volumesFrom"] == got["systemControls"] == []
    assert got_sidecar["firelensConfiguration"] == sidecar["firelensConfiguration"]
    assert "pidMode" not in definition


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"cluster": "nowhere"}, "ClusterNotFoundException", "Cluster not found"),
        ({"taskDefinition": "nothing"}, "ClientException", "TaskDefinition not found"),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be provided"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-nowhere"]}}},
            "InvalidParameterException",
            "subnet-nowhere",
        ),
        ({"availabilityZoneRebalancing": "ENABLED"}, "InvalidParameterException", "maximumPercent above 100"),
        (
            {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}},
            "InvalidParameterException",
            "no room",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
            "InvalidParameterException",
            "both a launch type",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "other"}]},
            "InvalidParameterException",
            "isn't associated with the cluster",
        ),
    ],
)
def test_a_service_that_aws_refuses_is_refused(
    world: World, change: dict[str, Any], code: str, said: str
) -> None:
    definition = world.register()
    got_code, message = refusal(world.create, definition, **change)
    assert got_code == code
    assert said in message
    assert world.ecs.list_services(cluster="fileflow-prod")["serviceArns"] == []


def test_a_target_group_must_belong_to_a_load_balancer_and_then_holds_the_tasks(world: World) -> None:
    elb = world.client("elbv2")
    group = world.target_group()
    definition = world.register()
    balancers = [{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 9091}]
    code, message = refusal(world.create, definition, loadBalancers=balancers)
    assert code == "InvalidParameterException"
    assert "does not have an associated load balancer" in message
    world.forward(world.load_balancer(), group)
    wrong = [balancers[0] | {"containerPort": 1}]
    assert "did not have a container port 1" in refusal(world.create, definition, loadBalancers=wrong)[1]
    world.create(definition, loadBalancers=balancers, healthCheckGracePeriodSeconds=60)
    world.steady()
    (task,) = world.tasks()
    address = task["attachments"][0]["details"][-1]["value"]
    (health,) = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert health["Target"] == {"Id": address, "Port": 9091, "AvailabilityZone": task["availabilityZone"]}
    assert health["TargetHealth"]["State"] == "healthy"
    world.update(desiredCount=0)
    eventually(lambda: not elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"])


def test_an_old_task_stays_at_its_own_port_until_the_new_one_has_taken_over(world: World) -> None:
    elb = world.client("elbv2")
    group = world.target_group()
    world.forward(world.load_balancer(), group)

    def ports() -> set[int]:
        described = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {each["Target"]["Port"] for each in described}

    balancers = [{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 9091}]
    start_before_stop = {"minimumHealthyPercent": 100, "maximumPercent": 200}
    world.create(world.register(), loadBalancers=balancers, deploymentConfiguration=start_before_stop)
    world.steady()
    never_stable = {"FILEFLOW_SIMULATE_EXIT": "1", "FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "5"}
    port = [{"containerPort": 9191}]
    moved = world.register(never_stable, portMappings=port)
    world.update(taskDefinition=moved, loadBalancers=[balancers[0] | {"containerPort": 9191}])
    assert eventually(lambda: ports() == {9091, 9191})
    well = world.register(portMappings=port)
    world.update(taskDefinition=well)
    world.steady()
    assert eventually(lambda: ports() == {9191})


def test_a_service_cannot_deploy_past_tasks_whose_target_group_is_gone(world: World) -> None:
    elb = world.client("elbv2")
    balancer = world.load_balancer()

    def forward_to_a_new_group(name: str) -> tuple[str, str, list[Any]]:
        group = world.target_group(Name=name)
        listener = world.forward(balancer, group)
        return listener, group, [{"targetGroupArn": group, "containerName": SERVICE, "containerPort": 9091}]

    listener, group, balancers = forward_to_a_new_group("old")
    world.create(world.register(), loadBalancers=balancers)
    world.steady()
    (old,) = world.tasks()
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=group)
    _, _, others = forward_to_a_new_group("new")
    deployment = world.update(loadBalancers=others, taskDefinition=world.register())["deployments"][0]
    assert deployment["rolloutState"] == "IN_PROGRESS"
    assert [task["taskArn"] for task in world.tasks()] == [old["taskArn"]]
    world.ecs.stop_task(cluster="fileflow-prod", task=old["taskArn"])
    world.steady()
    (new,) = world.tasks()
    assert new["taskArn"] != old["taskArn"]


def test_services_of_other_accounts_and_regions_are_not_seen(world: World) -> None:
    world.create(world.register())
    elsewhere = world.client("ecs", region="us-east-1")
    assert elsewhere.list_clusters()["clusterArns"] == []
    assert world.client("ecs", account="999999999999").list_clusters()["clusterArns"] == []
    arn = world.ecs.list_clusters()["clusterArns"][0]
    assert arn == f"arn:aws:ecs:{REGION}:{world.account}:cluster/fileflow-prod"


def test_a_task_that_keeps_failing_without_a_breaker_does_not_spin(world: World) -> None:
    environment = {"FILEFLOW_SIMULATE_EXIT": "1", "FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "0"}
    world.create(world.register(environment), deploymentConfiguration=STOP_BEFORE_START)
    stopped = eventually(lambda: len(world.tasks("STOPPED")) >= 5 and world.tasks("STOPPED"))
    assert world.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert len(stopped) < 50


def times_told_of_starts_that_fail(world: World) -> int:
    messages = [each["message"] for each in world.service()["events"]]
    return sum("unable to consistently start tasks" in message for message in messages)


def test_a_task_that_never_starts_makes_the_service_wait_longer_and_say_so_until_another_revision(
    world: World,
) -> None:
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    world.create(world.register(), deploymentConfiguration=STOP_BEFORE_START)
    eventually(lambda: times_told_of_starts_that_fail(world) == 1, seconds=60)
    assert all(task["stopCode"] == "TaskFailedToStart" for task in world.tasks("STOPPED"))
    world.update(taskDefinition=world.register())
    eventually(lambda: times_told_of_starts_that_fail(world) == 2, seconds=60)


def test_a_failure_counts_for_its_rollout_before_the_service_waits_and_one_that_ran_is_no_failed_start(
    world: World,
) -> None:
    world.create(world.register())
    world.steady()
    patient = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 100}}
    environment = {"FILEFLOW_SIMULATE_EXIT": "1", "FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS": "0"}
    world.update(
        taskDefinition=world.register(environment),
        deploymentConfiguration=STOP_BEFORE_START | {"deploymentCircuitBreaker": patient},
    )

    def failed() -> list[Any]:
        return [task for task in world.tasks("STOPPED") if task["stopCode"] == "EssentialContainerExited"]

    seen = len(eventually(lambda: len(failed()) >= 12 and failed(), seconds=60))
    eventually(lambda: world.service()["deployments"][0]["failedTasks"] >= seen, seconds=2)
    assert times_told_of_starts_that_fail(world) == 0
