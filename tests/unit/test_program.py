"""The whole program, run for the stacks' files: what it registers, what it exports, what it is called.

A run of the program is the dearest of the unit tests: prod's file is run as it stands, and those of dev and
local with changes. Staging is prod with smaller numbers. The engine's tests preview and deploy each stack.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import pytest

from components.stack_protection import STACK_PROTECTION
from settings import SettingsError
from tests.unit import type_tokens as t
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import Recorded, Recorder, Recording
from tests.unit.stacks import record_stack, stack_values

ALIKE = Counter(
    {
        "fileflow:ec2:Network": 1,
        "fileflow:ecr:ImageRepository": 1,
        "fileflow:ecr:ServiceImage": 3,
        "fileflow:ecs:Cluster": 1,
        "fileflow:ecs:SchedulerService": 2,
        "fileflow:ecs:WebApiService": 1,
        "fileflow:sns:AlarmTopic": 1,
        STACK_PROTECTION: 1,
        t.ALARM: 9 + 2 * 6,
        t.BUCKET: 1,
        t.BUCKET_POLICY: 1,
        "aws:s3/bucketVersioning:BucketVersioning": 1,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 1,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
        t.CAPACITY_PROVIDERS: 1,
        t.CLUSTER: 1,
        t.DASHBOARD: 1,
        t.ECR_REPOSITORY: 1,
        t.EGRESS: 4,
        t.EVENT_RULE: 3,
        t.EVENT_TARGET: 3,
        t.INGRESS: 5,
        t.LISTENER: 1,
        t.LISTENER_RULE: 1,
        t.LOAD_BALANCER: 1,
        t.LOG_GROUP: 4,
        t.METRIC_FILTER: 6,
        t.ROLE: 6,
        t.ROLE_POLICY: 3,
        t.SCALING_POLICY: 2,
        t.SCALING_TARGET: 1,
        t.SECURITY_GROUP: 4,
        t.SERVICE: 3,
        t.TARGET_GROUP: 1,
        t.TASK_DEFINITION: 3,
        t.TOPIC: 1,
        t.TOPIC_POLICY: 1,
        t.VPC: 1,
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": 1,
    }
)
PUSHED = Counter({t.DOCKER_PROVIDER: 1, t.DOCKER_TAG: 6, t.PUSHED_IMAGE: 6})
HTTPS = Counter({t.INGRESS: 1, t.LISTENER: 1})
"""Port 443 beside port 80."""
FLOW_LOGS = Counter({"aws:ec2/flowLog:FlowLog": 1, t.LOG_GROUP: 1, t.ROLE: 1, t.ROLE_POLICY: 1})
"""What only production logs of its network."""
KEY = Counter({"fileflow:kms:EncryptionKey": 1, "aws:kms/key:Key": 1, "aws:kms/alias:Alias": 1})
WEB_ACL = Counter(
    {
        "aws:wafv2/webAcl:WebAcl": 1,
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": 1,
        t.WEB_ACL_ASSOCIATION: 1,
        t.LOG_GROUP: 1,
    }
)


@functools.cache
def production() -> Recording:
    """An update of production."""
    return record_stack("prod")


@functools.cache
def previewed() -> Recording:
    """A first preview of FileFlow in development, with one scheduler more and another one renamed."""
    values = stack_values("dev")
    values["schedulers"][0] = {"name": "fetch", "port": 9091, "renamed_from": "download"}
    values["schedulers"].append({"name": "cleanup", "port": 9093})
    return record_stack("dev", values=values, preview=True)


@functools.cache
def settled() -> Recording:
    """An update of the web API alone on the local stack, whose names are production's.

    Its image is built, its network is there already, and people want to hear of alarms.
    """
    existing = {
        "vpc_tags": {"Name": "a"},
        "private_subnet_tags": {"T": "b"},
        "public_subnet_tags": {"T": "c"},
    }
    alarms = {"emails": ["ops@example.com"], "https_endpoints": ["https://example.com/hook"]}
    changes = {"network": {"use": existing}, "alarms": alarms, "schedulers": []}
    return record_stack("local", values={**stack_values("local"), **changes})


def test_production_registers_exactly_these_resources() -> None:
    assert production().counts() == ALIKE + PUSHED + HTTPS + FLOW_LOGS + KEY + WEB_ACL


def test_neither_a_preview_nor_an_update_warns_of_anything() -> None:
    assert production().warnings == previewed().warnings == settled().warnings == []


def test_what_keeps_a_protected_stack_whole_waits_for_everything_and_so_is_deleted_first() -> None:
    leased = stack_values("dev")
    leased["schedulers"][0]["lease"] = {}
    for recording, kept in (
        (production(), True),
        (settled(), False),
        (record_stack("dev", values=leased, preview=True), True),
    ):
        protection = recording.only(STACK_PROTECTION)
        assert protection.protect is kept
        known = {each.urn: each for each in recording.resources}
        waited_for: set[str] = set()
        todo = [protection.urn]
        while todo:
            each = known[todo.pop()]
            needed = {*each.dependencies, each.parent, each.provider.rpartition("::")[0]}
            found = (needed & known.keys()) - waited_for
            waited_for |= found
            todo += found
        own = {each.urn for each in recording.own if each.custom}
        assert own <= waited_for, own - waited_for


def test_the_outputs_are_the_guides_seven_and_what_others_need() -> None:
    exports = dict(production().exports)
    services = {"fileflow-web-api", "fileflow-scheduler-download", "fileflow-scheduler-pipeline"}

    for key, part in (
        ("security_group_ids", "sg-"),
        ("task_role_arns", ":role/"),
        ("execution_role_arns", "-execution"),
    ):
        by_service = exports.pop(key)
        assert set(by_service) == services
        assert all(part in value and name in value for name, value in by_service.items()), by_service
    assert exports == {
        "alb_dns_name": f"fileflow-prod-alb-123456789.{REGION}.elb.amazonaws.com",
        "cloudwatch_log_group_name": "/aws/ecs/fileflow",
        "download_scheduler_log_group_name": "/aws/ecs/fileflow-scheduler-download",
        "download_scheduler_service_name": "fileflow-scheduler-download",
        # The guide prints "fileflow" here, while each of its commands names the service like this.
        "ecs_service_name": "fileflow-web-api",
        "pipeline_scheduler_log_group_name": "/aws/ecs/fileflow-scheduler-pipeline",
        "pipeline_scheduler_service_name": "fileflow-scheduler-pipeline",
    }


def service_named(recording: Recording, name: str) -> Recorded:
    """The ECS service of that name."""
    [found] = [each for each in recording.of_type(t.SERVICE) if each.inputs["name"] == name]
    return found


def definition_of(recording: Recording, service: Recorded) -> Recorded:
    """The task definition that a service runs."""
    family = service.inputs["taskDefinition"].rsplit("/", 1)[-1].split(":")[0]
    [found] = [each for each in recording.of_type(t.TASK_DEFINITION) if each.inputs["family"] == family]
    return found


GUIDE = [
    # service, family, container, port, log group, has a load balancer
    ("fileflow-web-api", "fileflow-web-api-prod", "fileflow", 8083, "/aws/ecs/fileflow", True),
    *(
        (
            f"fileflow-scheduler-{name}",
            f"fileflow-scheduler-{name}-prod",
            f"fileflow-scheduler-{name}",
            port,
            f"/aws/ecs/fileflow-scheduler-{name}",
            False,
        )
        for name, port in (("download", 9091), ("pipeline", 9092))
    ),
]


@pytest.mark.parametrize(("service", "family", "container", "port", "log_group", "balanced"), GUIDE)
def test_production_is_the_guides_table(
    service: str, family: str, container: str, port: int, log_group: str, balanced: bool
) -> None:
    running = service_named(production(), service)
    definition = definition_of(production(), running)
    assert definition.inputs["family"] == family
    [only] = definition.json("containerDefinitions")
    assert only["name"] == container
    assert [each["containerPort"] for each in only["portMappings"]] == [port]
    assert only["logConfiguration"]["options"]["awslogs-group"] == log_group
    assert log_group in [each.inputs["name"] for each in production().of_type(t.LOG_GROUP)]
    assert ("loadBalancers" in running.inputs) is balanced
    assert running.inputs["cluster"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/fileflow-prod"


def test_production_and_the_local_stack_share_the_guides_other_names() -> None:
    for recording in (production(), settled()):
        assert recording.only(t.CLUSTER).inputs["name"] == "fileflow-prod"
        assert recording.only(t.LOAD_BALANCER).inputs["name"] == "fileflow-prod-alb"
        assert recording.only(t.ECR_REPOSITORY).inputs["name"] == "fileflow"


def pushed(recording: Recording) -> list[str]:
    """The tags under which images are pushed to the stack's repository."""
    repository = recording.only(t.ECR_REPOSITORY).inputs["name"]
    names = [each.inputs["name"] for each in recording.of_type(t.PUSHED_IMAGE)]
    names += [each.inputs["imageName"] for each in recording.of_type(t.DOCKER_IMAGE)]
    address = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:"
    assert all(name.startswith(address) for name in names), names
    return sorted(name.removeprefix(address) for name in names)


def test_the_guides_tags_are_pushed_for_every_service() -> None:
    assert pushed(production()) == [
        "download-scheduler-1.0.0",
        "download-scheduler-latest",
        "latest",
        "pipeline-scheduler-1.0.0",
        "pipeline-scheduler-latest",
        "web-api-1.0.0",
    ]


def test_an_image_that_is_built_is_pushed_under_the_same_tags() -> None:
    assert len(settled().of_type(t.DOCKER_IMAGE)) == 1
    assert pushed(settled()) == ["latest", "web-api-1.0.0"]


def test_every_scheduler_runs_exactly_once_and_never_on_spot() -> None:
    for recording, schedulers in (
        (production(), ["download", "pipeline"]),
        (previewed(), ["fetch", "pipeline", "cleanup"]),
    ):
        for name in schedulers:
            service = service_named(recording, f"fileflow-scheduler-{name}").inputs
            assert service["desiredCount"] == 1
            assert service["capacityProviderStrategies"] == [
                {"base": 0, "capacityProvider": "FARGATE", "weight": 1}
            ]
            assert "loadBalancers" not in service
        assert recording.names(t.SCALING_TARGET) == ["fileflow-web-api-scaling"]


def test_every_alarm_tells_the_stacks_own_topic() -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{production().only(t.TOPIC).inputs['name']}"

    for alarm in production().of_type(t.ALARM):
        assert alarm.inputs["alarmActions"] == [topic], alarm.urn


def test_every_service_waits_until_ecs_may_place_tasks_in_its_cluster() -> None:
    for recording in (production(), previewed(), settled()):
        for service in recording.of_type(t.SERVICE):
            assert recording.only(t.CAPACITY_PROVIDERS).urn in service.dependencies, service.urn


def test_every_resource_that_takes_tags_says_whose_it_is() -> None:
    for recording, environment in ((production(), "prod"), (previewed(), "dev"), (settled(), "prod")):
        for resource in recording.own:
            tags = resource.inputs.get("tags")
            if tags is not None:
                assert tags.get("Project") == "fileflow", resource.urn
                assert tags.get("Environment") == environment, resource.urn


def names_in_use(recording: Recording) -> set[tuple[str, str]]:
    """Every name of a stack that AWS wants to be unique in an account and region, with its kind."""
    keys = ("name", "family", "topicName", "dashboardName", "bucket")
    inside_something_else = {t.SERVICE, t.SCALING_POLICY, t.SCALING_TARGET, t.DNS_RECORD, t.PUSHED_IMAGE}
    found = {
        (each.type, each.inputs[key])
        for each in recording.own
        for key in keys
        if isinstance(each.inputs.get(key), str) and each.type not in inside_something_else
    }
    metrics = [each.inputs["metricTransformation"] for each in recording.of_type(t.METRIC_FILTER)]
    return {*found, *(("metric", f"{each['namespace']}/{each['name']}") for each in metrics)}


def test_two_environments_in_one_account_and_region_never_meet() -> None:
    one, other = names_in_use(production()), names_in_use(previewed())

    assert len(one) > 15
    # Names that AWS makes up are unknown in a preview.
    assert one & other == set()


def test_a_first_preview_knows_every_container_so_that_policies_can_read_them() -> None:
    definitions = previewed().of_type(t.TASK_DEFINITION)

    assert len(definitions) == 4
    for definition in definitions:
        [container] = definition.json("containerDefinitions")
        assert container["image"].split("@")[1].startswith("sha256:")


def test_a_third_scheduler_adds_a_schedulers_resources_and_its_image_and_nothing_else(
    scheduler: Recording,
) -> None:
    image = Counter({"fileflow:ecr:ServiceImage": 1, t.DOCKER_TAG: 2, t.PUSHED_IMAGE: 2})
    assert previewed().counts() == ALIKE + PUSHED + scheduler.counts() + image
    exports = previewed().exports
    assert exports["cleanup_scheduler_service_name"] == "fileflow-scheduler-cleanup"
    assert exports["cleanup_scheduler_log_group_name"] == "/aws/ecs/dev/fileflow-scheduler-cleanup"


def test_a_renamed_scheduler_is_the_old_one_to_the_engine_and_is_deleted_first() -> None:
    component = previewed().only("fileflow:ecs:SchedulerService", "fileflow-scheduler-fetch")
    assert component.alias_names == ("fileflow-scheduler-download",)
    assert previewed().only(t.SERVICE, "fileflow-scheduler-fetch-service").delete_before_replace is True


def test_without_schedulers_the_web_api_stands_alone() -> None:
    assert settled().names(t.SERVICE) == ["fileflow-web-api-service"]
    assert not [name for name in settled().exports if "scheduler" in name]


def test_an_existing_vpc_is_used_and_none_is_made() -> None:
    recording = settled()

    assert recording.of_type(t.VPC) == []
    [service] = recording.of_type(t.SERVICE)
    assert set(service.inputs["networkConfiguration"]["subnets"]) == {"subnet-found-1", "subnet-found-2"}


def test_subscribers_hear_of_alarms_and_of_failed_deployments() -> None:
    subscriptions = [
        (each.inputs["protocol"], each.inputs["endpoint"]) for each in settled().of_type(t.SUBSCRIPTION)
    ]
    assert subscriptions == [("email", "ops@example.com"), ("https", "https://example.com/hook")]


def test_a_wrong_setting_stops_the_program_before_it_registers_anything() -> None:
    recorder = Recorder()

    with pytest.raises(SettingsError, match="schedulers"):
        record_stack("local", values={**stack_values("local"), "schedulers": "none"}, recorder=recorder)
    assert recorder.recording.resources == []


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("alarms", "emails", ["nobody"]),
        ("web_api", "stop_timeout_seconds", 121),
        ("web_api", "user", "root"),
        ("repository", "kept_versions", 1),
    ],
)
def test_what_a_component_would_refuse_stops_the_program_just_as_early(
    section: str, key: str, value: Any
) -> None:
    values = stack_values("local")
    values.setdefault(section, {})[key] = value
    recorder = Recorder()

    with pytest.raises(SettingsError, match=key):
        record_stack("local", values=values, recorder=recorder)
    assert recorder.recording.resources == []


def test_the_dashboard_shows_every_service_and_the_web_apis_requests() -> None:
    widgets = production().only(t.DASHBOARD).json("dashboardBody")["widgets"]

    titles = [each["properties"]["title"] for each in widgets]
    assert titles == ["Tasks running", "CPU (%)", "Memory (%)", "Requests", "Errors (5xx)", "Latency (s)"]
    for widget in widgets[:3]:
        shown = [metric[-1] for metric in widget["properties"]["metrics"]]
        assert shown == ["fileflow-web-api", "fileflow-scheduler-download", "fileflow-scheduler-pipeline"]
    placed = {(each["x"], each["y"]) for each in widgets}
    assert len(placed) == len(widgets)
    assert {each["properties"]["region"] for each in widgets} == {REGION}


def test_a_lease_adds_a_table_the_guards_image_and_alarms_and_nothing_without_one() -> None:
    values = stack_values("dev")
    values["schedulers"][0]["lease"] = {}
    values["schedulers"][1]["lease"] = {"table_name": "shared", "key": "files/pipeline"}
    recording = record_stack("dev", values=values, preview=True)
    plain = record_stack("dev", preview=True)

    assert recording.counts() - plain.counts() == {
        "fileflow:dynamodb:LeaseTable": 1,
        "fileflow:ecr:ServiceImage": 1,
        t.ALARM: 4,
        t.DOCKER_TAG: 2,
        t.METRIC_FILTER: 4,
        t.PUSHED_IMAGE: 2,
        t.ROLE_POLICY: 2,
        t.TABLE: 1,
    }
    assert recording.only(t.TABLE).inputs["name"] == "fileflow-dev-leases"
    definitions = [each.inputs["containerDefinitions"] for each in recording.of_type(t.TASK_DEFINITION)]
    assert all(isinstance(each, str) for each in definitions)
    assert ['"fileflow-dev-leases", "--key", "download"' in each for each in definitions].count(True) == 1
    assert ['"shared", "--key", "files/pipeline"' in each for each in definitions].count(True) == 1
