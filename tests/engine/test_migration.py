"""From Terraform's resources, and from ones made by hand, to this program, on the real engine.

The account of each start is its own, on one emulated AWS. Everything is done by the commands that `migrate`
prints.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.deployment import CHECKOUT, EMPTY_IMAGE, Deployment
from tests.waiting import eventually

pytestmark = [pytest.mark.engine, pytest.mark.nightly, pytest.mark.xdist_group("migration")]

PLUGINS = Path(os.environ.get("TF_PLUGIN_DIR", "/usr/local/share/terraform/plugins"))
"""A mirror of Terraform's providers; by default where Terraform itself looks for one.

Source: https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
"""
SCHEDULERS = ("fileflow-scheduler-download", "fileflow-scheduler-pipeline")
SERVICES = ("fileflow-web-api", *SCHEDULERS)
TAGS = ("web-api-1.0.0", "download-scheduler-1.0.0", "pipeline-scheduler-1.0.0")
REPLACED = {"aws:ecs/taskDefinition:TaskDefinition"}


@dataclass(frozen=True)
class Start:
    """One account with resources that this program didn't make."""

    copy: Deployment
    account: str
    stack: str

    def run(self, command: str, fails: bool = False) -> str:
        done = self.copy.sourced(f"export AWS_ACCESS_KEY_ID={self.account}\n{command}")
        assert fails or done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def aws(self, command: str) -> Any:
        text = self.run(f"aws {command}")
        return json.loads(text) if text.strip() else None

    def settings(self, vpc: str, private: list[str], public: list[str], **pipeline: Any) -> None:
        """Makes the stack, whose network stays with its owner."""
        schedulers = [{"name": "download", "port": 9091}, {"name": "pipeline", "port": 9092, **pipeline}]
        values = {
            "aws:region": "ap-northeast-2",
            "fileflow:environment": "prod",
            "fileflow:version": "1.0.0",
            "fileflow:images": {"source": "registry", "kind": "other"},
            "fileflow:network": {
                "use": {"vpc_id": vpc, "private_subnet_ids": private, "public_subnet_ids": public}
            },
            "fileflow:web_api": {
                "port": 8083,
                "autoscaling": {"minimum_count": 1, "maximum_count": 4},
                "load_balancer": {"plain_http": True, "deletion_protection": False},
            },
            "fileflow:schedulers": schedulers,
        }
        (self.copy.root / f"Pulumi.{self.stack}.yaml").write_text(json.dumps({"config": values}))
        self.run(f"pulumi stack init {self.stack}")

    def migrate(self, arguments: str = "") -> Any:
        text = self.run(
            f"python -m operate migrate --stack {self.stack} {arguments} --json 2>/dev/null", fails=True
        )
        return json.loads(text)

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """All tasks of a service that ECS remembers."""
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self.aws(
                f"ecs list-tasks --cluster fileflow-prod --service-name {service} --desired-status {status}"
            )["taskArns"]
        ]
        if not arns:
            return []
        return list(self.aws(f"ecs describe-tasks --cluster fileflow-prod --tasks {' '.join(arns)}")["tasks"])

    def running(self) -> dict[str, list[str]]:
        return {
            service: [task["taskArn"] for task in self.tasks(service) if task["lastStatus"] == "RUNNING"]
            for service in SERVICES
        }

    def preview(self) -> list[tuple[str, str]]:
        """What a preview would do: each operation with the type that it is done to."""
        text = self.run(
            f"pulumi preview --stack {self.stack} --policy-pack policies --json --non-interactive 2>/dev/null"
        )
        steps = json.loads(text)["steps"]
        return [(step["op"], step["urn"].split("::")[2].rpartition("$")[2]) for step in steps]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment.started(tmp_path_factory.mktemp("migration")) as deployment:
        yield deployment


def taken_over(start: Start, answer: Any) -> None:
    """Follows the commands of an answer up to the update, and looks at what became of what ran."""
    before = eventually(start.running, lambda seen: all(len(tasks) == 1 for tasks in seen.values()))
    commands = {step["commands"][0].split()[1]: step["commands"][0] for step in answer["steps"]}
    start.run(commands["import"])
    assert start.running() == before, "an import changes nothing in AWS"
    done = start.preview()
    assert {type_ for op, type_ in done if "replace" in op} == REPLACED
    assert "delete" not in {op for op, _ in done}

    start.run(f"{commands['up']} --yes --skip-preview --non-interactive")
    for service in SCHEDULERS:
        [old] = [task for task in start.tasks(service) if task["taskArn"] in before[service]]
        later = [
            task
            for task in start.tasks(service)
            if task["taskArn"] not in before[service] and task["createdAt"] > old["createdAt"]
        ]
        assert len(later) == 1, "one stop and one start"
        assert old["stoppingAt"] <= later[0]["createdAt"], "the old one stops before the new one starts"
    assert {op for op, _ in start.preview()} == {"same"}


def imported(answer: Any) -> dict[str, str]:
    return {each["name"]: each["id"] for each in answer["imported"]}


@pytest.mark.skipif(
    shutil.which("terraform") is None or not PLUGINS.is_dir(),
    reason="Terraform and its AWS provider aren't here",
)
def test_what_terraform_made_is_taken_over_and_terraform_lets_go_of_it(copied: Deployment) -> None:
    start = Start(copied, "111111111111", "dev-from-terraform")
    folder = copied.root / "terraform"
    shutil.copytree(CHECKOUT / "tests" / "engine" / "terraform", folder)
    terraform = f"cd {folder} && TF_CLI_CONFIG_FILE=/dev/null terraform"
    start.run(f"{terraform} init -plugin-dir={PLUGINS} -input=false -no-color")
    apply = f"{terraform} apply -auto-approve -input=false -no-color"
    start.run(f"{apply} -target=aws_ecr_repository.fileflow")
    for tag in TAGS:
        put_image(start, tag)
    start.run(apply)
    start.run(f"{terraform} show -json > state.json")
    shown = json.loads((folder / "state.json").read_text())["values"]["root_module"]["resources"]
    ids = {each["address"]: each["values"]["id"] for each in shown}
    start.settings(
        ids["aws_vpc.main"],
        [ids[f"aws_subnet.private[{index}]"] for index in (0, 1)],
        [ids[f"aws_subnet.public[{index}]"] for index in (0, 1)],
    )

    answer = start.migrate("--terraform-state terraform/state.json --removed-file terraform/removed.tf")
    assert answer["problems"] == []
    addresses = {each["terraform"] for each in answer["imported"]} - {None}
    assert set(answer["leftToTerraform"]) == set(ids) - addresses - {"data.aws_caller_identity.current"}
    assert {address.partition(".")[0] for address in answer["leftToTerraform"]} == {
        "aws_iam_role_policy_attachment",
        "aws_internet_gateway",
        "aws_subnet",
        "aws_vpc",
    }
    taken_over(start, answer)
    assert start.aws("iam get-role --role-name fileflow-web-api-task-role"), "roles keep their names"

    [remove] = [
        step["commands"][0] for step in answer["steps"] if step["commands"][0].startswith("terraform")
    ]
    start.run(f"cd {folder} && TF_CLI_CONFIG_FILE=/dev/null {remove}")
    kept = start.run(f"{terraform} state list").split()
    assert sorted(kept) == sorted([*answer["leftToTerraform"], "data.aws_caller_identity.current"])
    assert "from = aws_ecs_service.service\n" in (folder / "removed.tf").read_text()


def put_image(start: Start, tag: str) -> None:
    start.aws(f"ecr put-image --repository-name fileflow --image-tag {tag} --image-manifest '{EMPTY_IMAGE}'")


def test_what_was_made_by_hand_is_taken_over_but_for_what_is_shared(copied: Deployment) -> None:
    start = Start(copied, "222222222222", "dev-by-hand")
    vpc, private, public = network_by_hand(start)
    start.aws("ecr create-repository --repository-name fileflow")
    for tag in TAGS:
        put_image(start, tag)
    execution = role_by_hand(start, "ecsTaskExecutionRole")
    web_group = group_by_hand(start, vpc, "web-api", 8083)
    scheduler_group = group_by_hand(start, vpc, "schedulers", 9091)
    target_group = load_balancer_by_hand(start, vpc, public)
    start.aws("ecs create-cluster --cluster-name fileflow-prod")
    for service, port, group in (
        ("fileflow-web-api", 8083, web_group),
        ("fileflow-scheduler-download", 9091, scheduler_group),
        ("fileflow-scheduler-pipeline", 9092, scheduler_group),
    ):
        service_by_hand(start, service, port, execution, private, group, target_group)
    start.settings(vpc, private, public)

    answer = start.migrate()
    found = imported(answer)
    assert answer["problems"] == []
    assert found["fileflow-scheduler-download-service"] == "fileflow-prod/fileflow-scheduler-download"
    assert found["fileflow-web-api-tasks"] == web_group
    assert "fileflow-scheduler-download-tasks" not in found
    assert found["fileflow-web-api-role"] == "fileflow-web-api-task-role"
    assert "fileflow-web-api-execution" not in found
    shared = [note for note in answer["notes"] if "is used by several services" in note]
    assert sorted(note.split()[0] for note in shared) == sorted(["ecsTaskExecutionRole", scheduler_group])
    taken_over(start, answer)


def network_by_hand(start: Start) -> tuple[str, list[str], list[str]]:
    vpc = start.aws("ec2 create-vpc --cidr-block 10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        start.aws(
            f"ec2 create-subnet --vpc-id {vpc} --cidr-block 10.40.{number}.0/24 "
            f"--availability-zone ap-northeast-2{'ac'[number % 2]}"
        )["Subnet"]["SubnetId"]
        for number in range(4)
    ]
    gateway = start.aws("ec2 create-internet-gateway")["InternetGateway"]["InternetGatewayId"]
    start.aws(f"ec2 attach-internet-gateway --vpc-id {vpc} --internet-gateway-id {gateway}")
    return vpc, subnets[:2], subnets[2:]


def role_by_hand(start: Start, name: str) -> str:
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                }
            ],
        }
    )
    made = start.aws(f"iam create-role --role-name {name} --assume-role-policy-document '{trust}'")
    start.run(
        f"aws iam attach-role-policy --role-name {name} "
        "--policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    )
    return str(made["Role"]["Arn"])


def group_by_hand(start: Start, vpc: str, name: str, port: int) -> str:
    made = start.aws(f"ec2 create-security-group --vpc-id {vpc} --group-name {name} --description 'by hand'")
    group = str(made["GroupId"])
    start.aws(
        f"ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port {port} "
        "--cidr 10.40.0.0/16"
    )
    return group


def load_balancer_by_hand(start: Start, vpc: str, public: list[str]) -> str:
    group = group_by_hand(start, vpc, "alb", 80)
    balancer = start.aws(
        f"elbv2 create-load-balancer --name fileflow-prod-alb --subnets {' '.join(public)} "
        f"--security-groups {group}"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = start.aws(
        "elbv2 create-target-group --name fileflow-prod-web-api --protocol HTTP --port 8083 --target-type ip "
        f"--vpc-id {vpc} --health-check-path /actuator/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    start.aws(
        f"elbv2 create-listener --load-balancer-arn {balancer} --protocol HTTP --port 80 "
        f"--default-actions Type=forward,TargetGroupArn={target_group}"
    )
    start.run(f"aws elbv2 wait load-balancer-available --load-balancer-arns {balancer}")
    return str(target_group)


def service_by_hand(
    start: Start, service: str, port: int, execution: str, private: list[str], group: str, target_group: str
) -> None:
    is_web = service == "fileflow-web-api"
    container = "fileflow" if is_web else service
    log_group = f"/aws/ecs/{container}"
    start.run(f"aws logs create-log-group --log-group-name {log_group}")
    prefix = "web-api-" if is_web else f"{service.removeprefix('fileflow-scheduler-')}-scheduler-"
    role = role_by_hand(start, f"{service}-task-role")
    definition = {
        "family": f"{service}-prod",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "executionRoleArn": execution,
        "taskRoleArn": role,
        "containerDefinitions": [
            {
                "name": container,
                "image": f"{start.account}.dkr.ecr.ap-northeast-2.amazonaws.com/fileflow:{prefix}1.0.0",
                "portMappings": [{"containerPort": port}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": log_group,
                        "awslogs-region": "ap-northeast-2",
                        "awslogs-stream-prefix": "ecs",
                    },
                },
            }
        ],
    }
    start.aws(f"ecs register-task-definition --cli-input-json '{json.dumps(definition)}'")
    network = {"awsvpcConfiguration": {"subnets": private, "securityGroups": [group]}}
    balanced = (
        f" --load-balancers targetGroupArn={target_group},containerName=fileflow,containerPort=8083"
        if is_web
        else ""
    )
    start.aws(
        f"ecs create-service --cluster fileflow-prod --service-name {service} --desired-count 1 "
        f"--task-definition {service}-prod --launch-type FARGATE "
        f"--network-configuration '{json.dumps(network)}'{balanced}"
    )
