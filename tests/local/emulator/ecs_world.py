"""What the tests of ECS have: a cluster in a network of two subnets, one service at most, and its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.local.emulator.aws import REGION, Client, network
from tests.waiting import eventually

LOG_GROUP = "/aws/ecs/fileflow-scheduler-download"
FAMILY = "fileflow-scheduler-download-prod"
SERVICE = "fileflow-scheduler-download"
IMAGE = "public.ecr.aws/fileflow/scheduler:1"
LOGS = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": LOG_GROUP,
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "ecs",
    },
}
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
        self.vpc, self.subnets, self.group = network(self.ec2)
        self.ecs.create_cluster(
            clusterName="fileflow-prod",
            capacityProviders=["FARGATE", "FARGATE_SPOT"],
            settings=[{"name": "containerInsights", "value": "enabled"}],
        )
        self.logs.create_log_group(logGroupName=LOG_GROUP)
        self.role = f"arn:aws:iam::{self.account}:role/execution"
        self.network = {
            "awsvpcConfiguration": {
                "subnets": self.subnets,
                "securityGroups": [self.group],
                "assignPublicIp": "DISABLED",
            }
        }

    def register(self, environment: dict[str, str] | None = None, **container: Any) -> str:
        """A task definition of the service's container."""
        variables = [{"name": name, "value": value} for name, value in (environment or {}).items()]
        port = {"portMappings": [{"containerPort": 9091}]}
        return self.define({"name": SERVICE, "environment": variables, **port, **container})

    def define(self, *containers: dict[str, Any], **options: Any) -> str:
        """A task definition of these containers; its ARN."""
        definition = {
            "family": FAMILY,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "512",
            "memory": "1024",
            "executionRoleArn": self.role,
            "containerDefinitions": [
                {"image": IMAGE, "logConfiguration": LOGS, **each} for each in containers
            ],
            **options,
        }
        return str(
            self.ecs.register_task_definition(**_given(definition))["taskDefinition"]["taskDefinitionArn"]
        )

    def target_group(self, **options: Any) -> str:
        """A target group of tasks, which no load balancer has yet."""
        asked = {"Name": "web", "Protocol": "HTTP", "Port": 8083, "VpcId": self.vpc, "TargetType": "ip"}
        made = self.client("elbv2").create_target_group(**{**asked, **options})
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def load_balancer(self) -> Any:
        """A load balancer in both subnets."""
        made = self.client("elbv2").create_load_balancer(Name="alb", Subnets=self.subnets)
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

    def run(self, task_definition: str) -> str:
        """Starts a task by hand; its ARN."""
        started = self.ecs.run_task(
            cluster="fileflow-prod",
            taskDefinition=task_definition,
            launchType="FARGATE",
            networkConfiguration=self.network,
        )
        return str(started["tasks"][0]["taskArn"])

    def create(self, task_definition: str, **options: Any) -> Any:
        service = {
            "cluster": "fileflow-prod",
            "serviceName": SERVICE,
            "taskDefinition": task_definition,
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": self.network,
            "deploymentConfiguration": STOP_BEFORE_START | BREAKER,
        } | options
        return self.ecs.create_service(**_given(service))["service"]

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

    def task(self, arn: str) -> Any:
        """A task, also one that has stopped."""
        return self.ecs.describe_tasks(cluster="fileflow-prod", tasks=[arn])["tasks"][0]

    def ended(self, arn: str, status: str = "STOPPED") -> Any:
        """A task once it is there, by default where it ends."""
        return eventually(lambda: self.task(arn), lambda task: task["lastStatus"] in (status, "STOPPED"))

    def steady(self, seconds: float = 20.0) -> Any:
        def is_steady() -> Any:
            service = self.service()
            alone = len(service["deployments"]) == 1
            return service if alone and service["deployments"][0]["rolloutState"] == "COMPLETED" else None

        return eventually(is_steady, seconds=seconds)

    def log_lines(self) -> list[str]:
        return [event["message"] for event in self.logs.filter_log_events(logGroupName=LOG_GROUP)["events"]]


def _given(request: dict[str, Any]) -> dict[str, Any]:
    """A request without what is left out."""
    return {name: value for name, value in request.items() if value is not None}


def stopped(world: World) -> list[dict[str, Any]]:
    """The tasks that have ended, not those that are still stopping."""
    return [task for task in world.tasks("STOPPED") if task["lastStatus"] == "STOPPED"]
