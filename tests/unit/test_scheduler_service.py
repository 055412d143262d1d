"""A scheduler runs exactly once: what the component registers, exactly, and what it never registers."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pulumi
import pulumi_aws as aws
import pytest

from components.options import Alarms, ContainerOptions, Logging, Placement, TaskAccess, TaskSize
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from components.validation import InvalidArgumentError
from tests.unit import type_tokens as t
from tests.unit.builders import (
    CLUSTER_ARN,
    IMAGE,
    PAUSE,
    PRIVATE_SUBNETS,
    TAGS,
    TOPIC_ARN,
    record_scheduler,
    scheduler_args,
    unknown,
)
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import UNKNOWN, Recorder, Recording, record

SCHEDULER = "fileflow:ecs:SchedulerService"
ROLE_TAGS = {**TAGS, "fileflow:role": "scheduler"}
TASK_DEFINITION_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/fileflow-scheduler-download-prod:1"


TOPICS = [TOPIC_ARN, f"{TOPIC_ARN}-second"]


@pytest.fixture(scope="module")
def optioned() -> Recording:
    """A run with a scheduler that has every option which adds nothing to wait for, also Spot."""
    return record_scheduler(
        access=TaskAccess(execute_command=True),
        alarms=Alarms(
            cpu_percent=70,
            memory_percent=90,
            evaluation_periods=3,
            topic_arns=TOPICS,
            roll_back_deployments=False,
        ),
        container_name="app",
        logging=Logging(retention_days=90, retain_on_delete=True),
        spot_opt_in=True,
        stop_timeout_seconds=2,
        tags={**TAGS, "fileflow:role": "web-api"},
    )


@pytest.fixture(scope="module")
def previewed() -> Recording:
    """A preview of the guide's download scheduler."""
    return record_scheduler(preview=True)


def test_a_scheduler_registers_exactly_these_resources(scheduler: Recording) -> None:
    assert scheduler.counts() == Counter(
        {
            SCHEDULER: 1,
            t.SERVICE: 1,
            t.TASK_DEFINITION: 1,
            t.LOG_GROUP: 1,
            t.METRIC_FILTER: 2,
            t.ROLE: 2,
            t.ROLE_POLICY: 1,
            t.SECURITY_GROUP: 1,
            t.INGRESS: 1,
            t.EGRESS: 1,
            t.ALARM: 6,
        }
    )


def test_the_service_has_exactly_these_inputs(scheduler: Recording) -> None:
    assert scheduler.only(t.SERVICE).inputs == {
        "alarms": {"alarmNames": ["download-start-failure-0a1b2c3"], "enable": True, "rollback": True},
        "availabilityZoneRebalancing": "DISABLED",
        "capacityProviderStrategies": [{"base": 0, "capacityProvider": "FARGATE", "weight": 1}],
        "cluster": CLUSTER_ARN,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentConfiguration": {"strategy": "ROLLING"},
        "deploymentController": {"type": "ECS"},
        "deploymentMaximumPercent": 100,
        "deploymentMinimumHealthyPercent": 0,
        "desiredCount": 1,
        "enableEcsManagedTags": True,
        "enableExecuteCommand": False,
        "forceNewDeployment": True,
        "name": "fileflow-scheduler-download",
        "networkConfiguration": {
            "assignPublicIp": False,
            "securityGroups": ["sg-download-tasks"],
            "subnets": list(PRIVATE_SUBNETS),
        },
        "platformVersion": "LATEST",
        "propagateTags": "SERVICE",
        "schedulingStrategy": "REPLICA",
        "tags": ROLE_TAGS,
        "taskDefinition": TASK_DEFINITION_ARN,
        "waitForSteadyState": True,
    }


def test_nothing_balances_scales_or_registers_a_scheduler(scheduler: Recording) -> None:
    types = set(scheduler.counts())

    assert not [each for each in types if each.split(":")[1].split("/")[0] in ("lb", "appautoscaling")]
    assert not [each for each in types if "servicediscovery" in each or each.startswith("awsx:")]
    unwanted = {
        "loadBalancers",
        "serviceRegistries",
        "serviceConnectConfiguration",
        "vpcLatticeConfigurations",
    }
    assert not unwanted & set(scheduler.only(t.SERVICE).inputs)


def test_a_desired_count_a_load_balancer_and_autoscaling_can_not_be_said() -> None:
    fields = {field.name for field in dataclasses.fields(SchedulerServiceArgs)}

    assert not [name for name in fields if "count" in name or "balanc" in name or "scal" in name]
    assert not [name for name in fields if "registr" in name or "connect" in name or "percent" in name]


def test_a_run_waits_longer_than_a_rollout_with_its_rollback_and_its_alarms_watch_takes(
    scheduler: Recording,
) -> None:
    timeouts = scheduler.only(t.SERVICE).request.customTimeouts

    assert (timeouts.create, timeouts.update) == ("3600s", "3600s")


def test_a_replaced_scheduler_is_deleted_before_the_new_one_starts(scheduler: Recording) -> None:
    assert scheduler.only(t.SERVICE).delete_before_replace is True


def test_a_replaced_security_group_goes_after_the_tasks_in_it(scheduler: Recording) -> None:
    # A name that is kept counts as given, and of such a group the provider would wait for its tasks' end.
    assert scheduler.only(t.SECURITY_GROUP).delete_before_replace is False


def test_the_engine_ignores_no_change_of_a_scheduler_but_names_that_were_imported(
    scheduler: Recording,
) -> None:
    ignored = {each.type: set(each.ignore_changes) for each in scheduler.resources if each.ignore_changes}
    assert ignored == {t.ROLE: {"name", "path"}, t.SECURITY_GROUP: {"name", "description"}}


def test_the_task_definition_has_exactly_these_inputs(scheduler: Recording) -> None:
    definition = scheduler.only(t.TASK_DEFINITION)

    assert {k: v for k, v in definition.inputs.items() if k != "containerDefinitions"} == {
        "cpu": "512",
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/download-execution-0a1b2c3",
        "family": "fileflow-scheduler-download-prod",
        "memory": "1024",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "skipDestroy": True,
        "tags": ROLE_TAGS,
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/download-role-0a1b2c3",
        "volumes": [{"name": "fileflow-scheduler-download-tmp"}],
    }
    assert definition.json("containerDefinitions") == [
        {
            "environment": [{"name": "SERVER_PORT", "value": "9091"}],
            "essential": True,
            "image": IMAGE,
            "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/aws/ecs/fileflow-scheduler-download",
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": "fileflow-scheduler-download",
                    "max-buffer-size": "25m",
                    "mode": "non-blocking",
                },
            },
            "memory": 1024,
            "mountPoints": [
                {
                    "containerPath": "/tmp",
                    "readOnly": False,
                    "sourceVolume": "fileflow-scheduler-download-tmp",
                }
            ],
            "name": "fileflow-scheduler-download",
            "portMappings": [{"containerPort": 9091, "hostPort": 9091, "protocol": "tcp"}],
            "privileged": False,
            "readonlyRootFilesystem": True,
            "secrets": [],
            "stopTimeout": 120,
            "systemControls": [],
            "user": "1000:1000",
            "volumesFrom": [],
        }
    ]


def test_the_task_definition_waits_for_its_log_group_and_its_permissions(scheduler: Recording) -> None:
    definition = scheduler.only(t.TASK_DEFINITION)
    needed = [*scheduler.of_type(t.LOG_GROUP), *scheduler.of_type(t.ROLE_POLICY)]

    assert {each.urn for each in needed} == definition.depends_on


def test_the_service_waits_for_the_way_out_of_its_tasks(scheduler: Recording) -> None:
    # A task that starts before its egress rule can't pull its image.
    assert scheduler.only(t.EGRESS).urn in scheduler.only(t.SERVICE).dependencies


def test_the_log_group_has_the_name_and_retention_that_it_was_given(scheduler: Recording) -> None:
    assert scheduler.only(t.LOG_GROUP).inputs == {
        "name": "/aws/ecs/fileflow-scheduler-download",
        "retentionInDays": 30,
        "tags": ROLE_TAGS,
    }
    assert scheduler.only(t.LOG_GROUP).retain_on_delete is False


def test_a_log_group_outlives_its_stack_only_when_asked_to(optioned: Recording) -> None:
    assert optioned.only(t.LOG_GROUP).retain_on_delete is True
    assert optioned.only(t.LOG_GROUP).inputs["retentionInDays"] == 90


def test_only_the_vpc_reaches_the_actuator_and_nothing_else(scheduler: Recording) -> None:
    assert scheduler.only(t.SECURITY_GROUP).inputs == {
        "description": "Tasks of fileflow-scheduler-download-prod",
        "tags": {**ROLE_TAGS, "Name": "fileflow-scheduler-download-prod"},
        "vpcId": "vpc-0a",
    }
    assert scheduler.only(t.INGRESS).inputs == {
        "cidrIpv4": "10.20.0.0/16",
        "description": "Prometheus asks the Actuator from inside the VPC",
        "fromPort": 9091,
        "ipProtocol": "tcp",
        "securityGroupId": "sg-download-tasks",
        "tags": ROLE_TAGS,
        "toPort": 9091,
    }
    assert scheduler.only(t.EGRESS).inputs == {
        "cidrIpv4": "0.0.0.0/0",
        "description": "Databases, queues and AWS endpoints",
        "ipProtocol": "-1",
        "securityGroupId": "sg-download-tasks",
        "tags": ROLE_TAGS,
    }


@pytest.mark.parametrize(
    ("suffix", "comparison", "minutes", "missing"),
    [
        ("two-running", "GreaterThanThreshold", 1, "notBreaching"),
        # No shorter: an ordinary rollout stops the old task before it starts the new one.
        ("none-running", "LessThanThreshold", 5, "breaching"),
    ],
)
def test_an_alarm_begins_when_not_exactly_one_task_runs_and_none_by_an_ordinary_rollout(
    scheduler: Recording, suffix: str, comparison: str, minutes: int, missing: str
) -> None:
    alarm = scheduler.only(t.ALARM, f"download-{suffix}").inputs

    assert {key: value for key, value in alarm.items() if key != "alarmDescription"} == {
        "alarmActions": [],
        "comparisonOperator": comparison,
        "dimensions": {"ClusterName": "fileflow-prod", "ServiceName": "fileflow-scheduler-download"},
        "evaluationPeriods": minutes,
        "metricName": "RunningTaskCount",
        "namespace": "ECS/ContainerInsights",
        "okActions": [],
        "period": 60,
        "statistic": "Maximum",
        "tags": ROLE_TAGS,
        "threshold": 1,
        "treatMissingData": missing,
    }
    assert "fileflow-scheduler-download" in alarm["alarmDescription"]


def test_a_scheduler_has_exactly_these_alarms(scheduler: Recording) -> None:
    assert scheduler.names(t.ALARM) == [
        "download-cpu",
        "download-memory",
        "download-none-running",
        "download-out-of-memory",
        "download-start-failure",
        "download-two-running",
    ]


@pytest.mark.parametrize(("suffix", "metric"), [("cpu", "CPUUtilization"), ("memory", "MemoryUtilization")])
def test_cpu_and_memory_alarm_above_their_own_threshold(
    optioned: Recording, suffix: str, metric: str
) -> None:
    alarm = optioned.only(t.ALARM, f"download-{suffix}").inputs
    assert alarm["metricName"] == metric
    assert alarm["namespace"] == "AWS/ECS"
    assert alarm["threshold"] == {"cpu": 70, "memory": 90}[suffix]
    assert alarm["evaluationPeriods"] == 3
    assert alarm["treatMissingData"] == "missing"
    assert alarm["dimensions"] == {
        "ClusterName": "fileflow-prod",
        "ServiceName": "fileflow-scheduler-download",
    }


def test_every_alarm_tells_every_topic_when_it_begins_and_when_it_ends(optioned: Recording) -> None:
    for alarm in optioned.of_type(t.ALARM):
        assert (alarm.inputs["alarmActions"], alarm.inputs["okActions"]) == (TOPICS, TOPICS), alarm.urn


def test_each_log_alarm_reads_the_metric_that_its_filter_writes(scheduler: Recording) -> None:
    for suffix in ("out-of-memory", "start-failure"):
        written = scheduler.only(t.METRIC_FILTER, f"download-{suffix}").inputs
        read = scheduler.only(t.ALARM, f"download-{suffix}").inputs

        transformation = written["metricTransformation"]
        assert (read["namespace"], read["metricName"]) == (
            transformation["namespace"],
            transformation["name"],
        )
        assert written["logGroupName"] == "/aws/ecs/fileflow-scheduler-download"
        assert read["treatMissingData"] == "notBreaching"


def test_a_rollout_watches_the_start_failure_alarm_unless_told_not_to(optioned: Recording) -> None:
    assert optioned.only(t.SERVICE).inputs["alarms"] == {
        "alarmNames": ["download-start-failure-0a1b2c3"],
        "enable": False,
        "rollback": False,
    }


def test_a_scheduler_is_never_on_spot_without_the_flag(scheduler: Recording) -> None:
    service = scheduler.only(t.SERVICE).inputs

    assert service["capacityProviderStrategies"] == [{"base": 0, "capacityProvider": "FARGATE", "weight": 1}]
    assert "fileflow:spot-opt-in" not in service["tags"]
    assert scheduler.only(SCHEDULER).inputs["spotOptIn"] is False


@pytest.mark.parametrize("spot_opt_in", [False, True])
def test_both_kinds_of_capacity_are_changed_in_place(spot_opt_in: bool) -> None:
    service = record_scheduler(spot_opt_in=spot_opt_in).only(t.SERVICE).inputs

    assert "launchType" not in service, "a changed launch type replaces the service"
    assert len(service["capacityProviderStrategies"]) == 1
    assert service["forceNewDeployment"] is True, "without it the provider refuses another strategy"


def test_the_spot_flag_is_visible_on_the_service_and_on_the_component(optioned: Recording) -> None:
    service = optioned.only(t.SERVICE).inputs
    assert service["capacityProviderStrategies"] == [
        {"base": 0, "capacityProvider": "FARGATE_SPOT", "weight": 1}
    ]
    assert service["tags"] == {**ROLE_TAGS, "fileflow:spot-opt-in": "true"}
    assert optioned.only(SCHEDULER).inputs["spotOptIn"] is True


PAUSED_TAGS = {
    "fileflow:paused-since": "2026-11-30T09:00Z",
    "fileflow:paused-until": "2026-11-30T13:00Z",
    "fileflow:paused-reason": "database migration",
}


@pytest.fixture(scope="module")
def paused() -> Recording:
    """A run with a scheduler that is paused."""
    return record_scheduler(paused=PAUSE)


def test_a_paused_scheduler_has_no_task_says_why_and_is_the_same_in_all_else(
    scheduler: Recording, paused: Recording
) -> None:
    assert paused.only(t.SERVICE).inputs == {
        **scheduler.only(t.SERVICE).inputs,
        "desiredCount": 0,
        "tags": {**ROLE_TAGS, **PAUSED_TAGS},
    }
    assert paused.counts() == scheduler.counts() + Counter({t.MUTE_RULE: 1})
    for each in (t.ALARM, t.TASK_DEFINITION, t.LOG_GROUP, t.SECURITY_GROUP, t.ROLE):
        assert [one.inputs for one in paused.of_type(each)] == [one.inputs for one in scheduler.of_type(each)]


def test_only_the_alarm_on_none_is_muted_and_only_until_the_pause_ends(paused: Recording) -> None:
    rule = paused.only(t.MUTE_RULE)

    assert rule.inputs == {
        "description": "database migration",
        "muteTargets": {"alarmNames": ["download-none-running-0a1b2c3"]},
        "rule": {"schedule": {"duration": "PT4H", "expression": "at(2026-11-30T09:00)", "timezone": "UTC"}},
        "tags": ROLE_TAGS,
    }


def test_a_paused_scheduler_on_spot_says_both() -> None:
    service = record_scheduler(paused=PAUSE, spot_opt_in=True).only(t.SERVICE).inputs
    assert service["tags"] == {**ROLE_TAGS, **PAUSED_TAGS, "fileflow:spot-opt-in": "true"}


def test_nothing_mutes_an_alarm_of_one_that_is_not_paused(scheduler: Recording, optioned: Recording) -> None:
    assert scheduler.of_type(t.MUTE_RULE) == optioned.of_type(t.MUTE_RULE) == []


def test_no_option_changes_anything_of_the_guarantee_not_even_spot(optioned: Recording) -> None:
    service = optioned.only(t.SERVICE)

    assert service.inputs["desiredCount"] == 1
    assert service.inputs["deploymentMinimumHealthyPercent"] == 0
    assert service.inputs["deploymentMaximumPercent"] == 100
    assert service.inputs["availabilityZoneRebalancing"] == "DISABLED"
    assert service.delete_before_replace is True


def test_ecs_exec_is_on_only_where_it_is_asked_for(scheduler: Recording, optioned: Recording) -> None:
    assert optioned.only(t.SERVICE).inputs["enableExecuteCommand"] is True
    assert scheduler.only(t.SERVICE).inputs["enableExecuteCommand"] is False


def test_ecs_exec_gets_the_folders_that_its_agent_writes_although_the_root_is_read_only(
    optioned: Recording,
) -> None:
    definition = optioned.only(t.TASK_DEFINITION)
    [container] = definition.json("containerDefinitions")

    assert container["readonlyRootFilesystem"] is True
    assert [each["containerPath"] for each in container["mountPoints"]] == [
        "/tmp",
        "/managed-agents",
        "/var/lib/amazon/ssm",
        "/var/log/amazon/ssm",
    ]
    mounted = [each["sourceVolume"] for each in container["mountPoints"]]
    assert [volume["name"] for volume in definition.inputs["volumes"]] == mounted


def test_the_container_has_the_name_of_the_service_unless_it_has_one_of_its_own(optioned: Recording) -> None:
    [container] = optioned.only(t.TASK_DEFINITION).json("containerDefinitions")

    assert container["name"] == "app"
    assert container["logConfiguration"]["options"]["awslogs-stream-prefix"] == "app"


def test_every_resource_that_takes_tags_has_the_role_tag(scheduler: Recording) -> None:
    untaggable = {t.METRIC_FILTER, t.ROLE_POLICY, SCHEDULER}

    for resource in scheduler.resources:
        if resource.type not in untaggable:
            assert resource.inputs["tags"]["fileflow:role"] == "scheduler", resource.urn
            assert resource.inputs["tags"]["Project"] == "fileflow", resource.urn


def test_a_callers_tag_never_hides_the_role_of_a_scheduler(optioned: Recording) -> None:
    assert optioned.only(t.SERVICE).inputs["tags"]["fileflow:role"] == "scheduler"


def test_every_resource_is_a_descendant_of_the_component(scheduler: Recording) -> None:
    component = scheduler.only(SCHEDULER)

    for resource in scheduler.resources:
        top = resource
        while top.parent and not top.parent.endswith("::fileflow-test"):
            top = scheduler.by_urn(top.parent)
        assert top is component, resource.urn


@pytest.fixture(scope="module")
def pair() -> Recording:
    """A run with two schedulers, both with the caller's provider, and one below the caller's platform."""

    def program() -> None:
        seoul = aws.Provider("seoul", region="ap-northeast-2")
        SchedulerService("download", scheduler_args(), pulumi.ResourceOptions(providers=[seoul]))
        pipeline = scheduler_args(
            service_name="fileflow-scheduler-pipeline",
            family="fileflow-scheduler-pipeline-prod",
            log_group_name="/aws/ecs/fileflow-scheduler-pipeline",
            port=9092,
        )
        platform = pulumi.ComponentResource("example:index:Platform", "platform")
        aliases = [pulumi.Alias(name="old-pipeline")]
        options = pulumi.ResourceOptions(parent=platform, aliases=aliases, protect=True, providers=[seoul])
        SchedulerService("pipeline", pipeline, options)

    return record(program)


def test_two_schedulers_live_side_by_side(scheduler: Recording, pair: Recording) -> None:
    added = Counter({"example:index:Platform": 1, "pulumi:providers:aws": 1})
    assert pair.counts() == scheduler.counts() + scheduler.counts() + added
    services = pair.of_type(t.SERVICE)
    assert [each.inputs["desiredCount"] for each in services] == [1, 1]
    groups = [each.inputs["networkConfiguration"]["securityGroups"] for each in services]
    assert groups == [["sg-download-tasks"], ["sg-pipeline-tasks"]]
    metrics = [each.inputs["metricTransformation"]["name"] for each in pair.of_type(t.METRIC_FILTER)]
    assert len(set(metrics)) == 4


def test_a_callers_parent_and_aliases_reach_the_component_and_nothing_else_changes(pair: Recording) -> None:
    component = pair.only(SCHEDULER, "pipeline")
    assert component.parent == pair.only("example:index:Platform").urn
    assert component.alias_names == ("old-pipeline",)
    assert component.protect is True
    service = pair.only(t.SERVICE, "pipeline-service")
    assert service.parent == component.urn
    assert service.urn.endswith(
        "::example:index:Platform$fileflow:ecs:SchedulerService$aws:ecs/service:Service::pipeline-service"
    )
    assert service.delete_before_replace is True


def test_every_childs_name_begins_with_the_components_so_that_an_alias_renames_it_too(
    scheduler: Recording,
) -> None:
    # The engine derives a child's old name from its parent's by this prefix.
    assert [each.name for each in scheduler.resources if not each.name.startswith("download")] == []


def test_each_rule_is_the_components_own_so_that_an_alias_renames_it_while_its_group_stays(
    pair: Recording,
) -> None:
    component = pair.only("fileflow:ecs:SchedulerService", "pipeline").urn
    group = pair.only(t.SECURITY_GROUP, "pipeline-tasks").urn
    both = [*pair.of_type(t.EGRESS), *pair.of_type(t.INGRESS)]
    rules = [each for each in both if each.name.startswith("pipeline")]
    assert {(each.name, each.parent) for each in rules} == {
        ("pipeline-egress", component),
        ("pipeline-actuator", component),
    }
    # As a running stack knows them.
    assert [[alias.spec.parentUrn for alias in each.request.aliases] for each in rules] == [[group], [group]]


def test_a_callers_provider_reaches_every_resource_and_every_look_up(pair: Recording) -> None:
    made = [each for each in pair.resources if each.custom and not each.type.startswith("pulumi:")]
    assert {each.provider.split("::")[-2] for each in made} == {"seoul"}
    assert {each.provider.split("::")[-2] for each in pair.invokes} == {"seoul"}


@pytest.fixture(scope="module")
def obscure() -> Recording:
    """A first preview, in which neither the image nor anything of the network is known."""

    def program() -> None:
        placement = Placement(vpc_id=unknown(), cidr_block=unknown(), private_subnet_ids=unknown())
        SchedulerService("download", scheduler_args(image=unknown(), placement=placement))

    return record(program, preview=True)


def test_a_preview_with_an_unknown_image_hides_the_containers_and_nothing_of_the_guarantee(
    obscure: Recording,
) -> None:
    assert obscure.only(t.TASK_DEFINITION).inputs["containerDefinitions"] is UNKNOWN
    service = obscure.only(t.SERVICE)
    guarded = {
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentMaximumPercent": 100,
        "deploymentMinimumHealthyPercent": 0,
        "desiredCount": 1,
        "capacityProviderStrategies": [{"base": 0, "capacityProvider": "FARGATE", "weight": 1}],
        "schedulingStrategy": "REPLICA",
    }
    assert {key: service.inputs[key] for key in guarded} == guarded
    assert service.inputs["taskDefinition"] is UNKNOWN


def test_a_first_preview_knows_every_container(previewed: Recording) -> None:
    [container] = previewed.only(t.TASK_DEFINITION).json("containerDefinitions")
    assert container["image"] == IMAGE
    assert container["stopTimeout"] == 120


def test_a_preview_registers_the_same_resources_as_an_update(
    scheduler: Recording, previewed: Recording
) -> None:
    assert previewed.counts() == scheduler.counts()


def test_unknown_network_inputs_are_passed_on_as_unknown(scheduler: Recording, obscure: Recording) -> None:
    assert obscure.only(t.SERVICE).inputs["networkConfiguration"]["subnets"] is UNKNOWN
    assert obscure.only(t.SECURITY_GROUP).inputs["vpcId"] is UNKNOWN
    assert obscure.only(t.INGRESS).inputs["cidrIpv4"] is UNKNOWN
    assert obscure.counts() == scheduler.counts()


def test_the_component_registers_its_typed_attributes_as_outputs(scheduler: Recording) -> None:
    component = scheduler.only(SCHEDULER)

    assert scheduler.registered_outputs[component.urn] == {
        "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/download-execution-0a1b2c3",
        "log_group_name": "/aws/ecs/fileflow-scheduler-download",
        "security_group_id": "sg-download-tasks",
        "service_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/fileflow-prod/fileflow-scheduler-download",
        "service_name": "fileflow-scheduler-download",
        "task_definition_arn": TASK_DEFINITION_ARN,
        "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/download-role-0a1b2c3",
    }
    assert set(scheduler.registered_outputs[component.urn]) == set(SchedulerService.__annotations__)


def test_a_stop_timeout_at_fargates_limits_is_taken(scheduler: Recording, optioned: Recording) -> None:
    for recording, seconds in ((optioned, 2), (scheduler, 120)):
        [container] = recording.only(t.TASK_DEFINITION).json("containerDefinitions")
        assert container["stopTimeout"] == seconds


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("stop_timeout_seconds", 1, "Set stop_timeout_seconds within that range."),
        ("stop_timeout_seconds", 121, "Set stop_timeout_seconds within that range."),
        ("port", 1023, "Set port within that range."),
        ("port", 65536, "Set port within that range."),
        ("service_name", "no/slashes", "Shorten or rename service_name."),
        ("service_name", "n" * 256, "Shorten or rename service_name."),
        ("service_name", "", "Shorten or rename service_name."),
        ("family", "no spaces", "Shorten or rename family."),
    ],
)
def test_an_argument_that_aws_would_refuse_is_refused_by_name(field: str, value: object, fix: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        scheduler_args(**{field: value})

    assert caught.value.field == field
    assert caught.value.value == value
    assert str(caught.value).startswith(f"{field} is {value!r}, but ")
    assert str(caught.value).endswith(fix)


@pytest.mark.parametrize(
    ("retained", "there", "tags", "imported"),
    [
        (True, True, ROLE_TAGS, "/aws/ecs/fileflow-scheduler-download"),
        (True, False, {}, ""),
        (True, True, {"Project": "other"}, ""),
        (False, True, ROLE_TAGS, ""),
    ],
    ids=["kept", "new", "somebody else's", "not retained"],
)
def test_a_log_group_that_was_kept_is_taken_over(
    retained: bool, there: bool, tags: dict[str, str], imported: str
) -> None:
    name = "/aws/ecs/fileflow-scheduler-download"
    answers: dict[str, dict[str, object]] = {
        "aws:cloudwatch/getLogGroups:getLogGroups": {"logGroupNames": [name] if there else [f"{name}-2"]},
        "aws:cloudwatch/getLogGroup:getLogGroup": {"tags": tags},
    }
    recording = record_scheduler(
        recorder=Recorder(answers=answers), logging=Logging(retain_on_delete=retained)
    )
    assert recording.only(t.LOG_GROUP).request.importId == imported


def test_a_jvm_in_little_memory_gets_fewer_threads_unless_its_environment_says_how_many() -> None:
    def threads(memory_mib: int, **environment: str) -> list[str]:
        recording = record_scheduler(
            size=TaskSize(cpu=256, memory_mib=memory_mib), container=ContainerOptions(environment=environment)
        )
        [container] = recording.only(t.TASK_DEFINITION).json("containerDefinitions")
        assert container["memory"] == memory_mib
        return [v["value"] for v in container["environment"] if v["name"] == "BPL_JVM_THREAD_COUNT"]

    assert threads(512) == ["50"]
    assert threads(1024) == []
    assert threads(512, BPL_JVM_THREAD_COUNT="20") == ["20"]
