"""Load balancers, target groups, listeners and rules through the stand-in, on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError


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
    assert balancer.change(**changes).items() >= changes.items()
    balancer.imported()
    assert balancer.replaced_by(internal=True) == ["internal"]
    with pytest.raises(RefusedError, match="deletion protection"):
        plugin.delete(balancer.token, balancer.outputs)
    balancer.change(enableDeletionProtection=False)
    balancer.delete()


def test_access_logs_are_switched_on_and_off_and_a_left_out_block_keeps_them(
    balancer: Life, aws: Aws, account: str
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


def test_a_target_groups_stickiness_and_slow_start_are_switched_on_and_off(targets: Life) -> None:
    assert targets.change(stickiness={"type": "lb_cookie", "cookieDuration": 60})["stickiness"]["enabled"]
    off = targets.change(stickiness={"type": "lb_cookie", "cookieDuration": 60, "enabled": False})
    assert off["stickiness"]["enabled"] is False
    assert targets.change(slowStart=30)["slowStart"] == 30
    assert targets.change(slowStart=None)["slowStart"] == 0
    targets.imported(unknowable=["lambdaMultiValueHeadersEnabled", "proxyProtocolV2", "stickiness"])
    targets.delete()


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
            {"hostHeader": {"values": ["a.example.com"]}},
        ]
    )
    rule.change(actions=[{"type": "forward", "targetGroupArn": targets.id}])
    rule.imported()
    for resource in (rule, listener, targets, balancer):
        resource.delete()


def test_a_load_balancer_that_exists_is_found(plugin: Plugin, balancer: Life) -> None:
    found = plugin.invoke("aws:lb/getLoadBalancer:getLoadBalancer", {"name": balancer.outputs["name"]})
    assert (found["arn"], found["dnsName"]) == (balancer.id, balancer.outputs["dnsName"])
    assert plugin.invoke("aws:lb/getLbs:getLbs", {"tags": {"Name": "nobody's"}})["arns"] == []
    assert balancer.id in plugin.invoke("aws:lb/getLbs:getLbs", {})["arns"]
    with pytest.raises(RefusedError, match=r"no load balancers match name nobody; exactly one must"):
        plugin.invoke("aws:lb/getLoadBalancer:getLoadBalancer", {"name": "nobody"})
