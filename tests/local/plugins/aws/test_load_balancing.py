"""Load balancers, target groups, listeners and rules through the stand-in, on the emulated AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.plugins.aws.resources.lb import actions
from local.plugins.common.values import UNKNOWN
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

Client = Callable[[str], Any]


@pytest.fixture
def vpc(plugin: Plugin) -> Life:
    return Life(plugin, "ec2/vpc:Vpc", cidrBlock="10.20.0.0/16")


@pytest.fixture
def subnets(plugin: Plugin, vpc: Life) -> list[str]:
    return [
        Life(
            plugin,
            "ec2/subnet:Subnet",
            vpcId=vpc.id,
            cidrBlock=f"10.20.{index}.0/24",
            availabilityZone=f"ap-northeast-2{zone}",
        ).id
        for index, zone in enumerate("abc")
    ]


@pytest.fixture
def group(plugin: Plugin, vpc: Life) -> str:
    return Life(plugin, "ec2/securityGroup:SecurityGroup", "front", vpcId=vpc.id).id


@pytest.fixture
def balancer(plugin: Plugin, subnets: list[str], group: str) -> Life:
    return Life(plugin, "lb/loadBalancer:LoadBalancer", "front", securityGroups=[group], subnets=subnets[:2])


@pytest.fixture
def targets(plugin: Plugin, vpc: Life) -> Life:
    return Life(
        plugin,
        "lb/targetGroup:TargetGroup",
        "web",
        port=8083,
        protocol="HTTP",
        targetType="ip",
        vpcId=vpc.id,
        deregistrationDelay=30,
        healthCheck={"path": "/actuator/health", "matcher": "200-299", "healthyThreshold": 2},
    )


def test_a_load_balancer_changes_every_attribute_in_place(
    plugin: Plugin, vpc: Life, balancer: Life, subnets: list[str]
) -> None:
    other = Life(plugin, "ec2/securityGroup:SecurityGroup", "other", vpcId=vpc.id)
    assert balancer.outputs["idleTimeout"] == 60
    changes: dict[str, Any] = {
        "clientKeepAlive": 600,
        "desyncMitigationMode": "strictest",
        "dropInvalidHeaderFields": True,
        "enableDeletionProtection": True,
        "enableHttp2": False,
        "enableTlsVersionAndCipherSuiteHeaders": True,
        "enableWafFailOpen": True,
        "enableXffClientPort": True,
        "enableZonalShift": True,
        "idleTimeout": 75,
        "preserveHostHeader": True,
        "securityGroups": [other.id],
        "subnets": sorted(subnets[1:]),
        "tags": {"Name": "front"},
        "xffHeaderProcessingMode": "remove",
    }
    for argument, value in changes.items():
        assert balancer.change(**{argument: value})[argument] == value
    balancer.imported()
    assert balancer.replaced_by(internal=True) == ["internal"]
    with pytest.raises(RefusedError, match="deletion protection"):
        plugin.delete(balancer.token, balancer.outputs)
    balancer.change(enableDeletionProtection=False)
    balancer.delete()


def test_access_logs_are_switched_on_and_off_and_a_left_out_block_keeps_them(
    balancer: Life, aws: Client, account: str
) -> None:
    bucket = f"access-logs-of-front-{account}"
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    aws("s3").put_bucket_policy(
        Bucket=bucket,
        Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject",'
        '"Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},'
        f'"Resource":"arn:aws:s3:::{bucket}/*"}}]}}',
    )
    on = balancer.change(accessLogs={"bucket": bucket, "enabled": True})
    assert on["accessLogs"]["enabled"] is True
    assert balancer.replaced_by(accessLogs=None) == []
    off = balancer.change(accessLogs={"bucket": bucket, "enabled": False})
    assert off["accessLogs"]["enabled"] is False


def test_a_second_load_balancer_of_one_name_is_refused_not_adopted(
    plugin: Plugin, subnets: list[str]
) -> None:
    Life(plugin, "lb/loadBalancer:LoadBalancer", name="web", subnets=subnets[:2])
    with pytest.raises(RefusedError, match="a load balancer named web exists already: import it"):
        Life(plugin, "lb/loadBalancer:LoadBalancer", name="web", subnets=subnets[:2])


def test_a_health_check_changes_in_place_and_forgets_what_is_left_out(targets: Life) -> None:
    assert targets.change(healthCheck={"path": "/h", "interval": 10})["healthCheck"]["interval"] == 10
    back = targets.change(healthCheck={"path": "/h"})["healthCheck"]
    assert (back["interval"], back["healthyThreshold"], back["unhealthyThreshold"]) == (30, 3, 3)


def test_a_target_group_changes_every_attribute_in_place(targets: Life) -> None:
    assert targets.change(deregistrationDelay=10)["deregistrationDelay"] == 10
    assert targets.change(stickiness={"type": "lb_cookie", "cookieDuration": 60})["stickiness"]["enabled"]
    off = targets.change(stickiness={"type": "lb_cookie", "cookieDuration": 60, "enabled": False})
    assert off["stickiness"]["enabled"] is False
    targets.change(loadBalancingAlgorithmType="least_outstanding_requests")
    assert targets.change(slowStart=30)["slowStart"] == 30
    assert targets.change(slowStart=None)["slowStart"] == 0
    targets.change(tags={"Name": "web"})
    assert targets.replaced_by(port=9091, protocol="HTTPS") == ["port", "protocol"]
    targets.imported(
        unknowable=[
            "lambdaMultiValueHeadersEnabled",
            "proxyProtocolV2",
            "stickiness",
            "targetFailovers",
            "targetHealthStates",
        ]
    )
    targets.delete()


def test_an_attribute_that_somebody_changes_is_seen_and_put_back(targets: Life, aws: Client) -> None:
    aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=targets.id,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3000"}],
    )
    assert targets.put_back() == ["deregistrationDelay"]


def test_a_listener_changes_its_actions_port_and_headers_in_place(
    plugin: Plugin, balancer: Life, targets: Life
) -> None:
    redirect = {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}
    listener = Life(
        plugin,
        "lb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=80,
        defaultActions=[{"type": "redirect", "redirect": redirect}],
    )
    assert listener.outputs["protocol"] == "HTTP"
    assert listener.outputs["defaultActions"][0]["redirect"]["host"] == "#{host}"
    listener.imported()
    listener.change(port=8080)
    forward = [{"type": "forward", "targetGroupArn": targets.id}]
    listener.change(defaultActions=forward)
    listener.imported()
    no = {"contentType": "text/plain", "messageBody": "no", "statusCode": "404"}
    listener.change(defaultActions=[{"type": "fixed-response", "fixedResponse": no}])
    assert (
        listener.change(routingHttpResponseServerEnabled=False)["routingHttpResponseServerEnabled"] is False
    )
    listener.change(tags={"Name": "http"})
    listener.delete()


def test_a_rule_changes_its_priority_conditions_and_actions_in_place(
    plugin: Plugin, balancer: Life, targets: Life
) -> None:
    listener = Life(
        plugin,
        "lb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=80,
        defaultActions=[{"type": "forward", "targetGroupArn": targets.id}],
    )
    no = {"contentType": "text/plain", "messageBody": "no", "statusCode": "403"}
    rule = Life(
        plugin,
        "lb/listenerRule:ListenerRule",
        listenerArn=listener.id,
        priority=10,
        actions=[{"type": "fixed-response", "fixedResponse": no}],
        conditions=[{"pathPattern": {"values": ["/admin/*", "/actuator/*"]}}],
    )
    rule.imported()
    assert rule.change(priority=20)["priority"] == 20
    rule.change(
        conditions=[
            {"pathPattern": {"values": ["/admin/*"]}},
            {"hostHeader": {"values": ["api.example.com"]}},
            {"sourceIp": {"values": ["10.0.0.0/8"]}},
            {"httpHeader": {"httpHeaderName": "X-Origin", "values": ["1"]}},
            {"httpRequestMethod": {"values": ["GET"]}},
        ]
    )
    rule.change(actions=[{"type": "forward", "targetGroupArn": targets.id}])
    rule.imported()
    without_priority = Life(
        plugin,
        "lb/listenerRule:ListenerRule",
        listenerArn=listener.id,
        actions=[{"type": "fixed-response", "fixedResponse": no}],
        conditions=[{"pathPattern": {"values": ["/no"]}}],
    )
    assert without_priority.outputs["priority"] == 21
    for resource in (rule, without_priority, listener, targets, balancer):
        resource.delete()


def test_a_load_balancer_that_exists_is_found(plugin: Plugin, balancer: Life) -> None:
    found = plugin.invoke("aws:lb/getLoadBalancer:getLoadBalancer", {"name": balancer.outputs["name"]})
    assert (found["arn"], found["dnsName"]) == (balancer.id, balancer.outputs["dnsName"])
    assert plugin.invoke("aws:lb/getLbs:getLbs", {"tags": {"Name": "nobody's"}})["arns"] == []
    assert balancer.id in plugin.invoke("aws:lb/getLbs:getLbs", {})["arns"]
    with pytest.raises(RefusedError, match=r"no load balancers match name nobody; exactly one must"):
        plugin.invoke("aws:lb/getLoadBalancer:getLoadBalancer", {"name": "nobody"})


def test_a_single_target_group_comes_back_in_the_form_in_which_it_was_given() -> None:
    in_aws = [
        {
            "Type": "forward",
            "TargetGroupArn": "tg",
            "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "tg", "Weight": 1}]},
        }
    ]
    (alone,) = actions.actions_from_aws(in_aws, [{"type": "forward", "targetGroupArn": "tg"}])
    assert (alone["targetGroupArn"], alone.get("forward")) == ("tg", None)
    given = [{"type": "forward", "forward": {"targetGroups": [{"arn": "tg"}]}}]
    (block,) = actions.actions_from_aws(in_aws, given)
    assert (block["targetGroupArn"], block["forward"]) == ("", {"targetGroups": [{"arn": "tg", "weight": 1}]})
    (imported,) = actions.actions_from_aws(in_aws, None)
    assert imported["targetGroupArn"] == "tg"


def test_several_target_groups_and_a_fixed_response_survive_a_round_trip() -> None:
    forward = {"targetGroups": [{"arn": "a", "weight": 1}, {"arn": "b", "weight": 3}]}
    response = {"contentType": "text/plain", "messageBody": "no", "statusCode": "403"}
    given = [{"type": "fixed-response", "fixedResponse": response}, {"type": "forward", "forward": forward}]
    requested = actions.actions_to_aws(given)
    assert [action["Order"] for action in requested] == [1, 2]
    first, second = actions.actions_from_aws(requested, given)
    assert first["fixedResponse"] == response
    assert second["forward"] == forward


def test_what_is_lacking_of_actions_is_refused_by_name(shared_plugin: Plugin) -> None:
    arguments: dict[str, Any] = {"listenerArn": "arn", "conditions": [{"pathPattern": {"values": ["/a"]}}]}
    token = "aws:lb/listenerRule:ListenerRule"
    forward = {"type": "forward", "targetGroupArn": "arn"}
    assert shared_plugin.check(token, {**arguments, "actions": [forward]}).failures == {}
    assert shared_plugin.check(token, {**arguments, "actions": UNKNOWN}).failures == {}
    oidc = {
        "authorizationEndpoint": "https://a",
        "clientId": "me",
        "clientSecret": "hush",
        "issuer": "https://i",
        "tokenEndpoint": "https://t",
        "userInfoEndpoint": "https://u",
    }
    for given in (oidc, UNKNOWN):
        login = {"type": "authenticate-oidc", "authenticateOidc": given}
        failures = shared_plugin.check(token, {**arguments, "actions": [login, forward]}).failures
        assert failures == {
            "actions.authenticateOidc": f"the aws stand-in has no `actions.authenticateOidc` of {token};"
            " use the real aws plugin (7.x)"
        }


def test_conditions_in_the_old_form_are_read_too() -> None:
    old = [{"Field": "path-pattern", "Values": ["/a"]}]
    assert actions.conditions_from_aws(old) == [{"pathPattern": {"values": ["/a"]}}]
    pairs = [{"queryStrings": [{"key": "k", "value": "v"}]}]
    assert actions.conditions_from_aws(actions.conditions_to_aws(pairs)) == pairs
