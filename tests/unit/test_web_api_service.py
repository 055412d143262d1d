"""The web API: its service, its load balancer, its autoscaling, and each option down to a resource."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.options import Alarms, ContainerOptions, TaskAccess
from components.validation import InvalidArgumentError
from components.web_api_service import WebApiService
from components.web_options import (
    AccessLogs,
    Autoscaling,
    Capacity,
    Https,
    IngressRule,
    ScheduledScaling,
    ServiceConnect,
    TargetHealthCheck,
)
from tests.unit import type_tokens as t
from tests.unit.builders import (
    CERTIFICATE_ARN,
    CLUSTER_ARN,
    PRIVATE_SUBNETS,
    PUBLIC_SUBNETS,
    TAGS,
    TOPIC_ARN,
    load_balancing,
    record_web,
    unknown,
    web_args,
)
from tests.unit.parts import record_balancer, record_scaling
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import UNKNOWN, Recorder, Recording, record

WEB = "fileflow:ecs:WebApiService"
ROLE_TAGS = {**TAGS, "fileflow:role": "web-api"}
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
TARGET_GROUP_ARN = f"{ELB}:targetgroup/fileflow-prod-web-api/0011223344556677"
BALANCER_SUFFIX = "app/fileflow-prod-alb/0a1b2c3d4e5f6071"
TARGET_GROUP_SUFFIX = "targetgroup/fileflow-prod-web-api/0011223344556677"


def test_a_web_api_registers_exactly_these_resources(web: Recording) -> None:
    assert web.counts() == Counter(
        {
            WEB: 1,
            t.SERVICE: 1,
            t.TASK_DEFINITION: 1,
            t.LOG_GROUP: 1,
            t.METRIC_FILTER: 2,
            t.ROLE: 2,
            t.ROLE_POLICY: 1,
            t.SECURITY_GROUP: 2,
            t.INGRESS: 3,
            t.EGRESS: 2,
            t.LOAD_BALANCER: 1,
            t.TARGET_GROUP: 1,
            t.LISTENER: 1,
            t.LISTENER_RULE: 1,
            t.SCALING_TARGET: 1,
            t.SCALING_POLICY: 2,
            t.ALARM: 9,
        }
    )


def test_the_service_has_exactly_these_inputs(web: Recording) -> None:
    assert web.only(t.SERVICE).inputs == {
        "alarms": {"alarmNames": ["web-errors-0a1b2c3"], "enable": True, "rollback": True},
        "availabilityZoneRebalancing": "ENABLED",
        "capacityProviderStrategies": [{"base": 1, "capacityProvider": "FARGATE", "weight": 1}],
        "cluster": CLUSTER_ARN,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentConfiguration": {"strategy": "ROLLING"},
        "deploymentController": {"type": "ECS"},
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "desiredCount": 1,
        "enableEcsManagedTags": True,
        "enableExecuteCommand": False,
        "forceNewDeployment": True,
        "healthCheckGracePeriodSeconds": 180,
        "loadBalancers": [
            {"containerName": "fileflow", "containerPort": 8083, "targetGroupArn": TARGET_GROUP_ARN}
        ],
        "name": "fileflow-web-api",
        "networkConfiguration": {
            "assignPublicIp": False,
            "securityGroups": ["sg-web-tasks"],
            "subnets": list(PRIVATE_SUBNETS),
        },
        "platformVersion": "LATEST",
        "propagateTags": "SERVICE",
        "schedulingStrategy": "REPLICA",
        "tags": ROLE_TAGS,
        "taskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/fileflow-web-api-prod:1",
        "waitForSteadyState": True,
    }


def test_a_run_waits_longer_than_a_rollout_with_its_rollback_and_its_alarms_watch_takes(
    web: Recording,
) -> None:
    timeouts = web.only(t.SERVICE).request.customTimeouts

    assert (timeouts.create, timeouts.update) == ("3600s", "3600s")


def test_the_desired_count_is_autoscalings_after_creation(web: Recording) -> None:
    assert web.only(t.SERVICE).ignore_changes == ("desiredCount",)


NAMESPACE = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:namespace/ns-1"


OFFICE = IngressRule(description="The office", port=8084, source_cidr_block="10.9.0.0/16")


@pytest.fixture(scope="module")
def optioned() -> Recording:
    """A run with a web API that has every option which is its own, and forwards some requests only."""
    return record_web(
        access=TaskAccess(execute_command=True),
        alarms=Alarms(topic_arns=[TOPIC_ARN]),
        autoscaling=Autoscaling(minimum_count=3, maximum_count=9),
        capacity=Capacity(base=2, fargate_weight=1, spot_weight=3),
        ingress=[
            IngressRule(description="The batch jobs", port=8083, source_security_group_id="sg-batch"),
            OFFICE,
        ],
        load_balancing=load_balancing(path_patterns=["/api/*"], host_names=["files.example.com"]),
        service_connect=ServiceConnect(namespace_arn=NAMESPACE, discovery_name="fileflow-api"),
    )


def test_the_first_desired_count_is_the_minimum(optioned: Recording) -> None:
    assert optioned.only(t.SERVICE).inputs["desiredCount"] == 3


def test_the_load_balancer_has_exactly_these_inputs(web: Recording) -> None:
    assert web.only(t.LOAD_BALANCER).inputs == {
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": True,
        "enableDeletionProtection": True,
        "idleTimeout": 60,
        "internal": False,
        "loadBalancerType": "application",
        "name": "fileflow-prod-alb",
        "securityGroups": ["sg-web-load-balancer"],
        "subnets": list(PUBLIC_SUBNETS),
        "tags": ROLE_TAGS,
    }


def test_the_target_group_has_exactly_these_inputs(web: Recording) -> None:
    assert web.only(t.TARGET_GROUP).inputs == {
        "deregistrationDelay": 30,
        "healthCheck": {
            "healthyThreshold": 2,
            "interval": 15,
            "matcher": "200",
            "path": "/actuator/health",
            "protocol": "HTTP",
            "timeout": 5,
            "unhealthyThreshold": 3,
        },
        "name": "fileflow-prod-web-api",
        "port": 8083,
        "protocol": "HTTP",
        "tags": ROLE_TAGS,
        "targetType": "ip",
        "vpcId": "vpc-0a",
    }


def test_another_port_never_replaces_the_target_group_which_a_listener_uses(web: Recording) -> None:
    assert web.only(t.TARGET_GROUP).ignore_changes == ("port",)


def test_another_port_leaves_the_way_to_the_old_tasks_until_the_new_ones_have_taken_over(
    web: Recording,
) -> None:
    changed = record_web(port=8443)

    for token in (t.INGRESS, t.EGRESS):
        of_port = {name for name in web.names(token) if name.endswith("-8083")}
        assert of_port
        assert of_port.isdisjoint(changed.names(token))
    assert changed.only(t.SERVICE).inputs["loadBalancers"][0]["containerPort"] == 8443
    assert changed.names(t.TARGET_GROUP) == web.names(t.TARGET_GROUP)


def test_what_aws_wouldnt_delete_the_engine_doesnt_begin_to_delete(web: Recording) -> None:
    assert web.only(t.LOAD_BALANCER).protect
    assert not record_balancer(deletion_protection=False).only(t.LOAD_BALANCER).protect


def test_a_stack_that_runs_knows_the_parts_as_children_of_awsxs_load_balancer(web: Recording) -> None:
    component = "urn:pulumi:test::fileflow::fileflow:ecs:WebApiService$awsx:lb:ApplicationLoadBalancer::web"
    former = {
        (each.type, alias.spec.name, alias.spec.parentUrn)
        for each in web.resources
        for alias in each.request.aliases
        if alias.spec.parentUrn.endswith("::web")
    }

    assert former == {
        (t.LOAD_BALANCER, "web", component),
        (t.TARGET_GROUP, "web", component),
        (t.LISTENER, "web-0", component),
    }


def test_replaced_security_groups_go_after_what_is_in_them(web: Recording) -> None:
    groups = {each.name: each.delete_before_replace for each in web.of_type(t.SECURITY_GROUP)}
    assert groups == {"web-load-balancer": False, "web-tasks": False}


def test_each_rule_is_the_components_own_and_known_as_its_groups(web: Recording) -> None:
    rules = [*web.of_type(t.INGRESS), *web.of_type(t.EGRESS)]
    assert {each.parent for each in rules} == {web.only("fileflow:ecs:WebApiService").urn}
    former = {alias.spec.parentUrn.split("::")[-1] for each in rules for alias in each.request.aliases}
    assert former == {"web-load-balancer", "web-tasks"}


RUNNING_ARN = f"{ELB}:loadbalancer/{BALANCER_SUFFIX}"


def running(**changes: Any) -> Recorder:
    """A run that finds a load balancer of the same name under deletion protection."""
    found = {"enableDeletionProtection": True, "internal": False, "vpcId": "vpc-0a", **changes}
    return Recorder(
        preview=True,
        answers={
            "aws:lb/getLbs:getLbs": {"id": REGION, "arns": [f"{ELB}:loadbalancer/app/other/1", RUNNING_ARN]},
            "aws:lb/getLoadBalancer:getLoadBalancer": {"arn": RUNNING_ARN, **found},
        },
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"internal": True}, "load_balancer.internal is False, but fileflow-prod-alb runs internal"),
        ({"vpcId": "vpc-other"}, "network is 'vpc-0a', but fileflow-prod-alb runs in vpc-other"),
    ],
)
def test_what_would_replace_a_protected_load_balancer_is_refused_with_the_two_steps(
    found: dict[str, Any], said: str
) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        record(lambda: WebApiService("web", web_args()), recorder=running(**found))

    assert said in str(caught.value)
    assert "set load_balancer.deletion_protection to false and run pulumi up; then" in str(caught.value)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, []),
        (
            {"internal": True, "enableDeletionProtection": False},
            [
                "load_balancer.internal is False, but fileflow-prod-alb runs internal, and another scheme "
                "replaces it: this change interrupts the API for minutes and gives it another DNS name."
            ],
        ),
    ],
    ids=["stays", "isn't protected"],
)
def test_a_load_balancer_that_stays_is_let_through_and_a_replacement_is_warned_of(
    found: dict[str, Any], said: list[str]
) -> None:
    with mock.patch.object(pulumi.log, "warn") as warned:
        recording = record(lambda: WebApiService("web", web_args()), recorder=running(**found))

    assert recording.only(t.LOAD_BALANCER).inputs["internal"] is False
    assert [call.args[0] for call in warned.call_args_list] == said


def test_a_load_balancer_is_deleted_before_another_of_its_name_is_made(web: Recording) -> None:
    assert web.only(t.LOAD_BALANCER).delete_before_replace is True


def test_a_service_that_keeps_its_cluster_waits_in_it_for_its_target_group(web: Recording) -> None:
    # What replaces a service: a value that depends on what is replaced, and that no update can change.
    service, group = web.only(t.SERVICE), web.only(t.TARGET_GROUP)
    assert group.urn in service.request.propertyDependencies["cluster"].urns
    assert service.inputs["cluster"] == CLUSTER_ARN


def listeners(recording: Recording) -> dict[str, dict[str, Any]]:
    """A recording's listeners by name, without the load balancer that all are of."""
    return {
        each.name: {key: value for key, value in each.inputs.items() if key != "loadBalancerArn"}
        for each in recording.of_type(t.LISTENER)
    }


def rules(recording: Recording, token: str) -> dict[str, dict[str, Any]]:
    """A recording's security group rules by name, without what all have."""
    return {
        each.name: {
            key: value
            for key, value in each.inputs.items()
            if key not in ("tags", "description", "ipProtocol")
        }
        for each in recording.of_type(token)
    }


def test_tasks_take_traffic_from_the_load_balancer_and_from_prometheus_inside_the_vpc(web: Recording) -> None:
    assert rules(web, t.INGRESS) == {
        "web-from-0.0.0.0-0-80": {
            "cidrIpv4": "0.0.0.0/0",
            "fromPort": 80,
            "securityGroupId": "sg-web-load-balancer",
            "toPort": 80,
        },
        "web-from-load-balancer-8083": {
            "fromPort": 8083,
            "referencedSecurityGroupId": "sg-web-load-balancer",
            "securityGroupId": "sg-web-tasks",
            "toPort": 8083,
        },
        "web-actuator-8083": {
            "cidrIpv4": "10.20.0.0/16",
            "fromPort": 8083,
            "securityGroupId": "sg-web-tasks",
            "toPort": 8083,
        },
    }


def test_the_load_balancer_reaches_the_tasks_and_nobody_else(web: Recording) -> None:
    assert rules(web, t.EGRESS) == {
        "web-egress": {"cidrIpv4": "0.0.0.0/0", "securityGroupId": "sg-web-tasks"},
        "web-to-tasks-8083": {
            "fromPort": 8083,
            "referencedSecurityGroupId": "sg-web-tasks",
            "securityGroupId": "sg-web-load-balancer",
            "toPort": 8083,
        },
    }


def test_every_security_group_and_rule_says_what_it_is_for(web: Recording) -> None:
    for resource in [*web.of_type(t.INGRESS), *web.of_type(t.EGRESS), *web.of_type(t.SECURITY_GROUP)]:
        assert resource.inputs["description"], resource.urn


def test_the_service_waits_for_its_listener_and_for_every_way_in_and_out(web: Recording) -> None:
    waits = web.only(t.SERVICE).dependencies

    for rule in (
        *web.of_type(t.INGRESS),
        *web.of_type(t.EGRESS),
        web.only(t.LISTENER),
        web.only(t.LISTENER_RULE),
    ):
        assert rule.urn in waits, rule.urn


def test_with_a_certificate_plain_http_redirects_and_https_forwards() -> None:
    recording = record_balancer(https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False)

    assert listeners(recording) == {
        "web-http": {
            "defaultActions": [
                {
                    "redirect": {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"},
                    "type": "redirect",
                }
            ],
            "port": 80,
            "protocol": "HTTP",
        },
        "web-https": {
            "certificateArn": CERTIFICATE_ARN,
            "defaultActions": [{"targetGroupArn": TARGET_GROUP_ARN, "type": "forward"}],
            "port": 443,
            "protocol": "HTTPS",
            "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        },
    }
    opened = [each["fromPort"] for each in rules(recording, t.INGRESS).values() if "cidrIpv4" in each]
    assert opened == [80, 443]
    assert recording.of_type(t.CERTIFICATE) == recording.of_type(t.DNS_RECORD) == []


def test_port_80_goes_on_serving_until_there_is_something_to_redirect_to() -> None:
    recording = record_balancer(
        https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False, path_patterns=["/api/*"]
    )

    waits = recording.only(t.LISTENER, "web-http").dependencies
    first = [recording.only(t.LISTENER, "web-https"), *recording.of_type(t.LISTENER_RULE)]
    first += [each for each in recording.of_type(t.INGRESS) if each.inputs["fromPort"] == 443]
    assert len(first) == 4
    assert {each.urn for each in first} <= waits


def test_a_given_certificate_is_looked_at_before_anything_is_made_with_it() -> None:
    recording = record_balancer(https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False)

    assert recording.reads == [(t.CERTIFICATE, "web-given-certificate", CERTIFICATE_ARN)]
    pending = CERTIFICATE_ARN.replace("11111111", "22222222")
    with pytest.raises(
        pulumi.RunError, match="is PENDING_VALIDATION, and a listener takes one that is ISSUED"
    ):
        record_balancer(https=Https(certificate_arn=pending), plain_http=False)


def test_a_certificate_is_requested_and_validated_for_a_host_name_in_a_zone() -> None:
    https = Https(host_name="files.example.com", hosted_zone_id="Z123")
    recording = record_balancer(https=https, plain_http=False)

    certificate = recording.only(t.CERTIFICATE)
    assert certificate.inputs["domainName"] == "files.example.com"
    assert certificate.inputs["validationMethod"] == "DNS"
    validation = recording.only(t.CERTIFICATE_VALIDATION)
    listener = recording.only(t.LISTENER, "web-https")
    # The listener takes the validated certificate, never one that is still pending.
    assert validation.urn in listener.dependencies
    assert listener.inputs["certificateArn"] == f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/web-certificate"
    proof = recording.only(t.DNS_RECORD, "web-certificate").inputs
    assert proof["zoneId"] == "Z123"
    assert (proof["type"], proof["name"]) == ("CNAME", "_proof.files.example.com.")
    assert proof["records"] == ["_proof.acm-validations.aws."]
    assert validation.inputs["validationRecordFqdns"] == ["_proof.files.example.com"]


def test_a_host_name_gets_a_record_that_points_at_the_load_balancer() -> None:
    https = Https(certificate_arn=CERTIFICATE_ARN, host_name="files.example.com", hosted_zone_id="Z123")
    recording = record_balancer(https=https, plain_http=False)

    record_inputs = recording.only(t.DNS_RECORD).inputs
    assert record_inputs["name"] == "files.example.com"
    assert record_inputs["type"] == "A"
    assert record_inputs["zoneId"] == "Z123"
    [alias] = record_inputs["aliases"]
    assert alias["name"] == f"fileflow-prod-alb-123456789.{REGION}.elb.amazonaws.com"
    assert alias["zoneId"] == "ZWKZPGTI48KDX"
    assert recording.of_type(t.CERTIFICATE) == []
    assert recording.only(t.LISTENER, "web-https").inputs["certificateArn"] == CERTIFICATE_ARN


def test_only_named_ranges_reach_the_load_balancer() -> None:
    recording = record_balancer(internal=True, source_cidr_blocks=["10.0.0.0/8", "192.168.0.0/16"])

    sources = sorted(each["cidrIpv4"] for each in rules(recording, t.INGRESS).values() if "cidrIpv4" in each)
    assert sources == ["10.0.0.0/8", "192.168.0.0/16"]
    assert recording.only(t.LOAD_BALANCER).inputs["internal"] is True


@pytest.mark.parametrize("ranges", [["10.0.0.0/8"], ["172.20.0.0/16", "100.64.1.0/24"]])
def test_a_load_balancer_on_the_internet_that_only_private_ranges_may_reach_is_refused(
    ranges: list[str],
) -> None:
    with pytest.raises(InvalidArgumentError, match="Set internal to true"):
        load_balancing(source_cidr_blocks=ranges)
    load_balancing(source_cidr_blocks=ranges, internal=True)
    load_balancing(source_cidr_blocks=[*ranges, "203.0.113.0/24"])


def test_path_and_host_rules_narrow_what_is_forwarded(optioned: Recording) -> None:
    rule = optioned.only(t.LISTENER_RULE, "web-forward")
    assert rule.inputs["listenerArn"] == f"{ELB}:listener/app/web-http/0a1b2c3d4e5f6071/8899aabbccddeeff"
    assert rule.inputs["actions"] == [{"targetGroupArn": TARGET_GROUP_ARN, "type": "forward"}]
    assert rule.inputs["conditions"] == [
        {"pathPattern": {"values": ["/api/*"]}},
        {"hostHeader": {"values": ["files.example.com"]}},
    ]
    [action] = optioned.only(t.LISTENER).inputs["defaultActions"]
    assert (action["type"], action["fixedResponse"]["statusCode"]) == ("fixed-response", "404")
    assert rule.urn in optioned.only(t.SERVICE).dependencies


def test_with_https_the_narrowing_rule_is_on_the_https_listener() -> None:
    recording = record_balancer(
        https=Https(certificate_arn=CERTIFICATE_ARN), plain_http=False, path_patterns=["/api/*"]
    )

    for rule in recording.of_type(t.LISTENER_RULE):
        assert "listener/app/web-https/" in rule.inputs["listenerArn"]
    kinds = {name: each["defaultActions"][0]["type"] for name, each in listeners(recording).items()}
    assert kinds == {"web-http": "redirect", "web-https": "fixed-response"}


def test_the_actuator_is_nothing_that_the_load_balancer_serves(web: Recording) -> None:
    rule = web.only(t.LISTENER_RULE).inputs

    assert rule["priority"] == 1
    assert rule["conditions"] == [{"pathPattern": {"values": ["/actuator", "/actuator/*"]}}]
    assert [action["fixedResponse"]["statusCode"] for action in rule["actions"]] == ["404"]
    assert record_balancer(hidden_path_patterns=[]).of_type(t.LISTENER_RULE) == []


def test_a_rule_has_no_more_patterns_than_a_load_balancer_takes() -> None:
    with pytest.raises(InvalidArgumentError, match="from 0 to 5"):
        load_balancing(path_patterns=["/a", "/b", "/c", "/d"], host_names=["a.example.com", "b.example.com"])


def test_spring_boot_listens_where_everybody_asks_unless_the_user_says_otherwise() -> None:
    for container, expected in (
        (ContainerOptions(), "8090"),
        (ContainerOptions(environment={"SERVER_PORT": "1"}), "1"),
    ):
        [main] = (
            record_web(container=container, port=8090).only(t.TASK_DEFINITION).json("containerDefinitions")
        )
        assert {"name": "SERVER_PORT", "value": expected} in main["environment"]
        assert [each["containerPort"] for each in main["portMappings"]] == [8090]


def test_spring_boot_is_told_what_fits_the_load_balancer_unless_the_user_says_otherwise() -> None:
    own = ContainerOptions(environment={"SERVER_TOMCAT_KEEPALIVETIMEOUT": "200s"})
    for container, expected in ((ContainerOptions(), "115s"), (own, "200s")):
        recording = record_web(container=container, load_balancing=load_balancing(idle_timeout_seconds=100))
        [main] = recording.only(t.TASK_DEFINITION).json("containerDefinitions")
        variables = {each["name"]: each["value"] for each in main["environment"]}
        assert variables["SERVER_TOMCAT_KEEPALIVETIMEOUT"] == expected
        # Without it there is no liveness group outside Kubernetes, and the load balancer gets 404.
        assert variables["MANAGEMENT_ENDPOINT_HEALTH_PROBES_ENABLED"] == "true"


def test_a_web_acl_is_associated_with_the_load_balancer() -> None:
    acl = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/fileflow/1"
    recording = record_balancer(web_acl_arn=acl)

    assert recording.only(t.WEB_ACL_ASSOCIATION).inputs == {
        "resourceArn": f"{ELB}:loadbalancer/{BALANCER_SUFFIX}",
        "webAclArn": acl,
    }


def test_sticky_sessions_reach_the_target_group() -> None:
    recording = record_balancer(sticky_seconds=3600)

    assert recording.only(t.TARGET_GROUP).inputs["stickiness"] == {
        "cookieDuration": 3600,
        "enabled": True,
        "type": "lb_cookie",
    }


def test_access_logs_go_to_a_given_bucket_whose_policy_is_the_callers() -> None:
    recording = record_balancer(access_logs=AccessLogs(bucket="company-logs", prefix="web"))

    assert recording.only(t.LOAD_BALANCER).inputs["accessLogs"] == {
        "bucket": "company-logs",
        "enabled": True,
        "prefix": "web",
    }
    assert recording.of_type(t.BUCKET) == []


def test_access_logs_get_a_bucket_that_only_the_load_balancers_of_this_account_write() -> None:
    recording = record_balancer(access_logs=AccessLogs(prefix="web"))

    bucket_arn = "arn:aws:s3:::web-access-logs-0a1b2c3"
    policy = recording.only(t.BUCKET_POLICY)
    assert policy.json("policy") == {
        "Statement": [
            {
                "Action": "s3:PutObject",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Resource": f"{bucket_arn}/web/AWSLogs/{ACCOUNT}/*",
            },
            {
                "Action": "s3:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                "Effect": "Deny",
                "Principal": "*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
            },
        ],
        "Version": "2012-10-17",
    }
    assert recording.only(t.LOAD_BALANCER).inputs["accessLogs"]["bucket"] == "web-access-logs-0a1b2c3"
    # AWS tries to write when logging is switched on.
    assert policy.urn in recording.only(t.LOAD_BALANCER).dependencies


def test_the_bucket_for_access_logs_is_private_encrypted_and_forgets() -> None:
    recording = record_balancer(access_logs=AccessLogs(retention_days=30, version_retention_days=7))

    blocked = recording.only("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert {key: value for key, value in blocked.items() if key != "bucket"} == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    lifecycle = recording.only("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs
    assert [rule["expiration"] for rule in lifecycle["rules"]] == [
        {"days": 30},
        {"expiredObjectDeleteMarker": True},
    ]
    assert lifecycle["rules"][0]["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    versioning = recording.only("aws:s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    assert len(recording.of_type(encryption)) == 1
    assert recording.only(t.BUCKET).inputs["forceDestroy"] is False


def test_autoscaling_follows_cpu_and_requests_between_the_limits_and_no_heap_that_never_shrinks(
    web: Recording,
) -> None:
    assert web.only(t.SCALING_TARGET).inputs == {
        "maxCapacity": 4,
        "minCapacity": 1,
        "resourceId": "service/fileflow-prod/fileflow-web-api",
        "scalableDimension": "ecs:service:DesiredCount",
        "serviceNamespace": "ecs",
    }
    followed = {
        each.name: each.inputs["targetTrackingScalingPolicyConfiguration"]
        for each in web.of_type(t.SCALING_POLICY)
    }
    cooldowns = {"scaleInCooldown": 300, "scaleOutCooldown": 60}
    assert followed == {
        "web-scaling-cpu": {
            "predefinedMetricSpecification": {
                "predefinedMetricType": "ECSServiceAverageCPUUtilization",
                "resourceLabel": None,
            },
            "targetValue": 60,
            **cooldowns,
        },
        "web-scaling-requests": {
            "predefinedMetricSpecification": {
                "predefinedMetricType": "ALBRequestCountPerTarget",
                "resourceLabel": f"{BALANCER_SUFFIX}/{TARGET_GROUP_SUFFIX}",
            },
            "targetValue": 1000,
            **cooldowns,
        },
    }
    for policy in web.of_type(t.SCALING_POLICY):
        assert policy.inputs["resourceId"] == "service/fileflow-prod/fileflow-web-api"
        assert policy.parent == web.only(t.SCALING_TARGET).urn


def test_a_target_of_none_is_not_followed() -> None:
    recording = record_scaling(memory_percent=70, requests_per_target=None)

    assert recording.names(t.SCALING_POLICY) == ["web-scaling-cpu", "web-scaling-memory"]


def test_a_schedule_changes_the_limits() -> None:
    night = ScheduledScaling(
        name="night", schedule="cron(0 22 * * ? *)", timezone="Asia/Seoul", minimum_count=1, maximum_count=2
    )
    recording = record_scaling(scheduled=[night])

    action = recording.only(t.SCHEDULED_ACTION)
    assert action.inputs == {
        "name": "night",
        "resourceId": "service/fileflow-prod/fileflow-web-api",
        "scalableDimension": "ecs:service:DesiredCount",
        "scalableTargetAction": {"maxCapacity": 2, "minCapacity": 1},
        "schedule": "cron(0 22 * * ? *)",
        "serviceNamespace": "ecs",
        "timezone": "Asia/Seoul",
    }
    # What the schedule has set is nothing to put back.
    assert recording.only(t.SCALING_TARGET).ignore_changes == ("minCapacity", "maxCapacity")
    assert record_scaling().only(t.SCALING_TARGET).ignore_changes == ()


def test_a_spot_weight_mixes_the_two_capacity_providers(optioned: Recording) -> None:
    service = optioned.only(t.SERVICE).inputs
    assert service["capacityProviderStrategies"] == [
        {"base": 2, "capacityProvider": "FARGATE", "weight": 1},
        {"base": 0, "capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    assert "launchType" not in service


def test_service_connect_gives_the_port_a_name_and_a_short_address(optioned: Recording) -> None:
    assert optioned.only(t.SERVICE).inputs["serviceConnectConfiguration"] == {
        "enabled": True,
        "namespace": NAMESPACE,
        "services": [
            {
                "clientAlias": [{"dnsName": "fileflow-api", "port": 8083}],
                "discoveryName": "fileflow-api",
                "portName": "fileflow-api",
            }
        ],
    }
    [container] = optioned.only(t.TASK_DEFINITION).json("containerDefinitions")
    assert container["portMappings"] == [
        {"containerPort": 8083, "hostPort": 8083, "name": "fileflow-api", "protocol": "tcp"}
    ]


def test_further_ways_in_are_each_one_rule(optioned: Recording) -> None:
    added = rules(optioned, t.INGRESS)
    assert added["web-ingress-8083-sg-batch"] == {
        "fromPort": 8083,
        "referencedSecurityGroupId": "sg-batch",
        "securityGroupId": "sg-web-tasks",
        "toPort": 8083,
    }
    assert added["web-ingress-8084-10.9.0.0-16"] == {
        "cidrIpv4": "10.9.0.0/16",
        "fromPort": 8084,
        "securityGroupId": "sg-web-tasks",
        "toPort": 8084,
    }


@pytest.mark.parametrize(
    ("suffix", "metric", "statistic", "threshold"),
    [
        ("errors", "HTTPCode_Target_5XX_Count", "Sum", 10),
        ("unhealthy", "UnHealthyHostCount", "Maximum", 0),
        ("latency", "TargetResponseTime", "Average", 2),
    ],
)
def test_callers_troubles_alarm(
    optioned: Recording, suffix: str, metric: str, statistic: str, threshold: int
) -> None:
    alarm = optioned.only(t.ALARM, f"web-{suffix}").inputs

    assert {key: value for key, value in alarm.items() if key != "alarmDescription"} == {
        "alarmActions": [TOPIC_ARN],
        "comparisonOperator": "GreaterThanThreshold",
        "dimensions": {"LoadBalancer": BALANCER_SUFFIX, "TargetGroup": TARGET_GROUP_SUFFIX},
        "evaluationPeriods": 5,
        "metricName": metric,
        "namespace": "AWS/ApplicationELB",
        "okActions": [TOPIC_ARN],
        "period": 60,
        "statistic": statistic,
        "tags": ROLE_TAGS,
        "threshold": threshold,
        "treatMissingData": "notBreaching",
    }


def test_a_web_api_has_exactly_these_alarms(web: Recording) -> None:
    assert web.names(t.ALARM) == [
        "web-cpu",
        "web-errors",
        "web-latency",
        "web-load-balancer-errors",
        "web-memory",
        "web-none-healthy",
        "web-out-of-memory",
        "web-start-failure",
        "web-unhealthy",
    ]


def test_an_api_without_any_task_rings_and_its_first_rollout_doesnt(web: Recording) -> None:
    alarm = web.only(t.ALARM, "web-none-healthy")

    assert (alarm.inputs["metricName"], alarm.inputs["treatMissingData"]) == ("HealthyHostCount", "breaching")
    assert (alarm.inputs["comparisonOperator"], alarm.inputs["threshold"]) == ("LessThanThreshold", 1)
    assert web.only(t.SERVICE).urn in alarm.dependencies


def test_the_load_balancers_own_errors_are_counted_where_no_target_group_is_named(web: Recording) -> None:
    alarm = web.only(t.ALARM, "web-load-balancer-errors").inputs

    assert alarm["metricName"] == "HTTPCode_ELB_5XX_Count"
    assert alarm["dimensions"] == {"LoadBalancer": BALANCER_SUFFIX}


def test_ecs_exec_is_on_only_where_it_is_asked_for(web: Recording, optioned: Recording) -> None:
    assert optioned.only(t.SERVICE).inputs["enableExecuteCommand"] is True
    assert web.only(t.SERVICE).inputs["enableExecuteCommand"] is False


@pytest.fixture(scope="module")
def pair() -> Recording:
    """A run with a web API that the office reaches too, and another one below a platform of the caller's."""

    def program() -> None:
        WebApiService("web", web_args(ingress=[OFFICE]))
        other = web_args(
            service_name="other",
            family="other",
            container_name="other",
            log_group_name="/aws/ecs/other",
            load_balancing=load_balancing(name="other-alb", target_group_name="other-group"),
        )
        parent = pulumi.ComponentResource("example:index:Platform", "platform")
        options = pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name="api")])
        WebApiService("other", other, options)

    return record(program)


def test_two_web_apis_live_side_by_side(web: Recording, pair: Recording) -> None:
    added = Counter({"example:index:Platform": 1, t.INGRESS: 1})
    assert pair.counts() == web.counts() + web.counts() + added
    groups = [each.inputs["loadBalancers"][0]["targetGroupArn"] for each in pair.of_type(t.SERVICE)]
    assert groups == [TARGET_GROUP_ARN, f"{ELB}:targetgroup/other-group/0011223344556677"]


def test_a_further_way_in_never_renames_the_others(optioned: Recording, pair: Recording) -> None:
    before = {name for name in pair.names(t.INGRESS) if name.startswith("web-")}

    assert len(before) == 4
    assert before < set(optioned.names(t.INGRESS))


def test_a_callers_parent_and_aliases_reach_the_component(pair: Recording) -> None:
    component = pair.only(WEB, "other")

    assert component.parent == pair.only("example:index:Platform").urn
    assert component.alias_names == ("api",)
    assert pair.only(t.SERVICE, "other-service").parent == component.urn
    assert pair.only(t.LOAD_BALANCER, "other").parent == component.urn


@pytest.fixture(scope="module")
def previewed() -> Recording:
    """A first preview, in which neither the image nor the cluster nor the subnets are known."""

    def program() -> None:
        balancer = load_balancing(public_subnet_ids=unknown())
        WebApiService("web", web_args(image=unknown(), load_balancing=balancer, cluster_arn=unknown()))

    return record(program, preview=True)


def test_a_preview_registers_the_same_resources_as_an_update(web: Recording, previewed: Recording) -> None:
    assert previewed.counts() == web.counts()
    assert previewed.only(t.SERVICE).inputs["loadBalancers"][0]["targetGroupArn"] is UNKNOWN


def test_a_preview_with_unknown_inputs_still_shows_all_that_is_known(previewed: Recording) -> None:
    assert previewed.only(t.LOAD_BALANCER).inputs["subnets"] is UNKNOWN
    assert previewed.only(t.TASK_DEFINITION).inputs["containerDefinitions"] is UNKNOWN
    assert previewed.only(t.SERVICE).inputs["cluster"] is UNKNOWN
    assert previewed.only(t.SERVICE).inputs["deploymentMinimumHealthyPercent"] == 100
    assert previewed.only(t.SCALING_TARGET).inputs["minCapacity"] == 1


def test_the_component_registers_its_typed_attributes_as_outputs(web: Recording) -> None:
    outputs = web.registered_outputs[web.only(WEB).urn]

    assert set(outputs) == set(WebApiService.__annotations__)
    assert outputs["load_balancer_dns_name"] == f"fileflow-prod-alb-123456789.{REGION}.elb.amazonaws.com"
    assert outputs["load_balancer_arn_suffix"] == BALANCER_SUFFIX
    assert outputs["target_group_arn_suffix"] == TARGET_GROUP_SUFFIX


@pytest.mark.parametrize(
    ("stop", "delay", "allowed"), [(31, 30, True), (30, 30, False), (2, 0, True), (2, 2, False)]
)
def test_a_task_outlives_its_deregistration(stop: int, delay: int, allowed: bool) -> None:
    balancer = load_balancing(deregistration_delay_seconds=delay)
    if allowed:
        web_args(stop_timeout_seconds=stop, load_balancing=balancer)
        return
    with pytest.raises(InvalidArgumentError, match=f"which is {delay}"):
        web_args(stop_timeout_seconds=stop, load_balancing=balancer)


def test_the_target_health_check_reaches_the_target_group() -> None:
    check = TargetHealthCheck(
        path="/health",
        matcher="200-299",
        interval_seconds=20,
        timeout_seconds=6,
        healthy_threshold=3,
        unhealthy_threshold=4,
    )
    recording = record_balancer(health_check=check)

    assert recording.only(t.TARGET_GROUP).inputs["healthCheck"] == {
        "healthyThreshold": 3,
        "interval": 20,
        "matcher": "200-299",
        "path": "/health",
        "protocol": "HTTP",
        "timeout": 6,
        "unhealthyThreshold": 4,
    }
