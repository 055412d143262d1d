"""The deployment guide's own commands, against the local stack, and what they answer.

Each test runs the commands of one section as they stand there. `aws logs tail` exists in AWS CLI 2
only; `filter-log-events` is its equal here.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from tests.engine.deployment import Deployment
from tests.waiting import eventually

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("deployed")]

REGION = "--region ap-northeast-2"
SERVICES = ("fileflow-web-api", "fileflow-scheduler-download", "fileflow-scheduler-pipeline")
SCHEDULERS = SERVICES[1:]
FAMILIES = {
    "fileflow-web-api": "fileflow-web-api-prod",
    "fileflow-scheduler-download": "fileflow-scheduler-download-prod",
    "fileflow-scheduler-pipeline": "fileflow-scheduler-pipeline-prod",
}
CONTAINERS = {
    "fileflow-web-api": ("fileflow", 8083),
    "fileflow-scheduler-download": ("fileflow-scheduler-download", 9091),
    "fileflow-scheduler-pipeline": ("fileflow-scheduler-pipeline", 9092),
}
LOG_GROUPS = {
    "fileflow-web-api": "/aws/ecs/fileflow",
    "fileflow-scheduler-download": "/aws/ecs/fileflow-scheduler-download",
    "fileflow-scheduler-pipeline": "/aws/ecs/fileflow-scheduler-pipeline",
}


def running_tasks(deployment: Deployment, service: str) -> list[str]:
    listed = deployment.aws(
        f"ecs list-tasks --cluster fileflow-prod --service-name {service} --desired-status RUNNING {REGION}"
    )
    return list(listed["taskArns"])


def described(deployment: Deployment, service: str) -> dict[str, Any]:
    answer = deployment.aws(f"ecs describe-services --cluster fileflow-prod --services {service} {REGION}")
    return dict(answer["services"][0])


def test_verification_finds_the_cluster(deployed: Deployment) -> None:
    arns = deployed.aws(f"ecs list-clusters {REGION}")["clusterArns"]
    assert arns == ["arn:aws:ecs:ap-northeast-2:646886795421:cluster/fileflow-prod"]


def test_verification_finds_three_services_and_no_other(deployed: Deployment) -> None:
    arns = deployed.aws(f"ecs list-services --cluster fileflow-prod {REGION}")["serviceArns"]
    assert sorted(arn.rsplit("/", 1)[-1] for arn in arns) == sorted(SERVICES)


def test_verification_shows_active_services_with_their_task_definitions(deployed: Deployment) -> None:
    answer = deployed.aws(
        f"ecs describe-services --cluster fileflow-prod --services {' '.join(SERVICES)} {REGION}"
    )
    assert answer["failures"] == []
    services = {service["serviceName"]: service for service in answer["services"]}
    assert {name: service["status"] for name, service in services.items()} == dict.fromkeys(
        SERVICES, "ACTIVE"
    )
    for name, service in services.items():
        family = service["taskDefinition"].rsplit("/", 1)[-1].split(":")[0]
        assert family == FAMILIES[name]
        assert service["runningCount"] == service["desiredCount"] == 1


@pytest.mark.parametrize("service", SCHEDULERS)
def test_a_scheduler_is_set_up_to_run_exactly_once(deployed: Deployment, service: str) -> None:
    found = described(deployed, service)
    assert found["desiredCount"] == 1
    assert found["loadBalancers"] == []
    assert found["serviceRegistries"] == []
    assert [each["capacityProvider"] for each in found["capacityProviderStrategy"]] == ["FARGATE"]
    assert found["deploymentConfiguration"]["minimumHealthyPercent"] == 0
    assert found["deploymentConfiguration"]["maximumPercent"] == 100
    assert found["availabilityZoneRebalancing"] == "DISABLED"
    assert found["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"


def test_verification_lists_one_task_per_service(deployed: Deployment) -> None:
    arns = deployed.aws(f"ecs list-tasks --cluster fileflow-prod {REGION}")["taskArns"]
    assert len(arns) == len(SERVICES)
    for service in SERVICES:
        assert len(running_tasks(deployed, service)) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_logs_are_in_the_guides_log_group(deployed: Deployment, service: str) -> None:
    group = LOG_GROUPS[service]
    events = eventually(
        lambda: deployed.aws(f"logs filter-log-events --log-group-name {group} {REGION}")["events"],
        lambda found: len(found) > 0,
    )
    container, _ = CONTAINERS[service]
    task_ids = {arn.rsplit("/", 1)[-1] for arn in running_tasks(deployed, service)}
    streams = {event["logStreamName"] for event in events}
    assert {f"{container}/{container}/{task_id}" for task_id in task_ids} <= streams


@pytest.mark.parametrize("service", SERVICES)
def test_a_task_definition_names_the_guides_container_port_and_a_digest(
    deployed: Deployment, service: str
) -> None:
    arn = described(deployed, service)["taskDefinition"]
    definition = deployed.aws(f"ecs describe-task-definition --task-definition {arn} {REGION}")[
        "taskDefinition"
    ]
    (container,) = (each for each in definition["containerDefinitions"] if each["name"] != "lease-guard")
    name, port = CONTAINERS[service]
    assert container["name"] == name
    assert [mapping["containerPort"] for mapping in container["portMappings"]] == [port]
    repository, digest = container["image"].split("@")
    assert repository == "646886795421.dkr.ecr.ap-northeast-2.amazonaws.com/fileflow"
    images = deployed.aws(f"ecr describe-images --repository-name fileflow {REGION}")["imageDetails"]
    assert digest in {image["imageDigest"] for image in images}
    assert (definition["cpu"], definition["memory"]) == ("512", "1024")


def test_images_carry_both_tags_of_the_guide(deployed: Deployment) -> None:
    images = deployed.aws(f"ecr describe-images --repository-name fileflow {REGION}")["imageDetails"]
    tags = sorted(sorted(image["imageTags"]) for image in images if image.get("imageTags"))
    assert tags == [
        ["download-scheduler-1.0.0", "download-scheduler-latest"],
        ["latest", "web-api-1.0.0"],
        ["lease-guard-amd64-1.0.0", "lease-guard-amd64-latest"],
        ["pipeline-scheduler-1.0.0", "pipeline-scheduler-latest"],
    ]


@pytest.mark.parametrize("service", SCHEDULERS)
def test_a_forced_restart_leaves_exactly_one_task_and_never_shows_two(
    deployed: Deployment, service: str
) -> None:
    (before,) = running_tasks(deployed, service)
    deployed.aws(
        f"ecs update-service --cluster fileflow-prod --service {service} --force-new-deployment {REGION}"
    )
    seen: set[int] = set()

    def look() -> list[str]:
        found = running_tasks(deployed, service)
        seen.add(len(found))
        return found

    eventually(look, lambda found: len(found) == 1 and found != [before])
    assert max(seen) == 1


@pytest.mark.parametrize("metric", ["CPUUtilization", "MemoryUtilization"])
def test_metric_commands_answer_without_an_error(deployed: Deployment, metric: str) -> None:
    answer = deployed.aws(
        f"cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name {metric} "
        "--dimensions Name=ServiceName,Value=fileflow-scheduler-download "
        "Name=ClusterName,Value=fileflow-prod "
        "--start-time 2025-01-01T00:00:00Z --end-time 2025-01-01T23:59:59Z "
        f"--period 3600 --statistics Average {REGION}"
    )
    assert answer["Label"] == metric


@pytest.mark.parametrize("service", SCHEDULERS)
def test_troubleshooting_describes_a_task_and_its_private_address(deployed: Deployment, service: str) -> None:
    (arn,) = running_tasks(deployed, service)
    answer = deployed.aws(f"ecs describe-tasks --cluster fileflow-prod --tasks {arn} {REGION}")
    assert answer["tasks"][0]["lastStatus"] == "RUNNING"
    address = deployed.sourced(
        f"aws ecs describe-tasks --cluster fileflow-prod --tasks {arn} {REGION} "
        "--query 'tasks[0].attachments[0].details[?name==`privateIPv4Address`].value' --output text"
    )
    assert address.returncode == 0, address.stdout
    subnets = deployed.aws(f"ec2 describe-subnets {REGION}")["Subnets"]
    placed = set(described(deployed, service)["networkConfiguration"]["awsvpcConfiguration"]["subnets"])
    ranges = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets if subnet["SubnetId"] in placed]
    assert any(ipaddress.ip_address(address.stdout.strip()) in each for each in ranges)


def test_troubleshooting_sets_a_count_back_to_one(deployed: Deployment) -> None:
    service = "fileflow-scheduler-download"
    deployed.aws(f"ecs update-service --cluster fileflow-prod --service {service} --desired-count 2 {REGION}")
    eventually(lambda: len(running_tasks(deployed, service)), lambda count: count == 2)
    deployed.aws(f"ecs update-service --cluster fileflow-prod --service {service} --desired-count 1 {REGION}")
    eventually(lambda: len(running_tasks(deployed, service)), lambda count: count == 1)


def test_a_count_of_two_set_by_hand_shows_at_refresh_and_goes_back_to_one(deployed: Deployment) -> None:
    service = "fileflow-scheduler-pipeline"
    deployed.aws(f"ecs update-service --cluster fileflow-prod --service {service} --desired-count 2 {REGION}")
    eventually(lambda: len(running_tasks(deployed, service)), lambda count: count == 2)
    refresh = deployed.sourced("pulumi refresh --yes --skip-preview --non-interactive --diff")
    assert refresh.returncode == 0, refresh.stdout
    assert "desiredCount" in refresh.stdout
    up = deployed.sourced("pulumi up --yes --skip-preview --non-interactive --policy-pack policies")
    assert up.returncode == 0, up.stdout
    assert described(deployed, service)["desiredCount"] == 1
    eventually(lambda: len(running_tasks(deployed, service)), lambda count: count == 1)


def test_the_outputs_are_the_guides_seven_and_what_other_programs_need(deployed: Deployment) -> None:
    outputs = deployed.outputs()
    for name in ("execution_role_arns", "task_role_arns"):
        roles = outputs.pop(name)
        assert set(roles) == set(SERVICES)
        assert all(arn.startswith("arn:aws:iam::") for arn in roles.values())
    assert all(identifier.startswith("sg-") for identifier in outputs.pop("security_group_ids").values())
    alb = outputs.pop("alb_dns_name")
    assert alb.startswith("fileflow-prod-alb-")
    assert alb.endswith(".ap-northeast-2.elb.amazonaws.com")
    assert outputs == {
        "ecs_service_name": "fileflow-web-api",
        "cloudwatch_log_group_name": "/aws/ecs/fileflow",
        "download_scheduler_service_name": "fileflow-scheduler-download",
        "download_scheduler_log_group_name": "/aws/ecs/fileflow-scheduler-download",
        "pipeline_scheduler_service_name": "fileflow-scheduler-pipeline",
        "pipeline_scheduler_log_group_name": "/aws/ecs/fileflow-scheduler-pipeline",
    }


def test_an_unchanged_preview_and_up_report_no_change(deployed: Deployment) -> None:
    preview = deployed.sourced(
        "pulumi preview --policy-pack policies --non-interactive --expect-no-changes --refresh"
    )
    assert preview.returncode == 0, preview.stdout
    assert "warning" not in preview.stdout
    up = deployed.make("up")
    assert up.returncode == 0, up.stdout
    assert "updated" not in up.stdout
    assert "created" not in up.stdout
    assert "unchanged" in up.stdout
