"""What the tests of ECS have: a cluster in a network of two subnets, one service at most, and its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.local.emulator.aws import REGION, Client
from tests.waiting import eventually

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

    def network_in(self, subnet: str) -> Any:
        """The network of tasks that lie in one subnet alone."""
        return {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [self.group]}}

    def service_deployments(self) -> list[Any]:
        """The service's deployments, the newest first."""
        listed = self.ecs.list_service_deployments(cluster="fileflow-prod", service=SERVICE)
        return list(listed["serviceDeployments"])

    def tasks(self, status: str = "RUNNING") -> list[Any]:
        arns = self.ecs.list_tasks(cluster="fileflow-prod", desiredStatus=status)["taskArns"]
        if not arns:
            return []
        tasks: list[Any] = self.ecs.describe_tasks(cluster="fileflow-prod", tasks=arns)["tasks"]
        return tasks

    def steady(self, seconds: float = 20.0) -> Any:
        def is_steady() -> Any:
            service = self.service()
            alone = len(service["deployments"]) == 1
            return service if alone and service["deployments"][0]["rolloutState"] == "COMPLETED" else None

        return eventually(is_steady, seconds=seconds)

    def log_lines(self) -> list[str]:
        return [event["message"] for event in self.logs.filter_log_events(logGroupName=LOG_GROUP)["events"]]


def stopped(world: World) -> list[dict[str, Any]]:
    """The tasks that have ended, not those that are still stopping."""
    return [task for task in world.tasks("STOPPED") if task["lastStatus"] == "STOPPED"]
