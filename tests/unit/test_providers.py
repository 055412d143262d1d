"""What these tests take for the remote components' answer is held against recordings of the real plugin."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx
import pytest

from tests.golden.programs import RECORDED, alb_redirect_https, ecr_default, vpc_two_az_single_nat
from tests.unit import type_tokens as t
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import UNKNOWN, Recorded, record


def children(program: Callable[[], None]) -> list[Recorded]:
    """What the remote component registers."""
    return [each for each in record(program).resources if each.by_provider]


def with_marks(child: Recorded, others: list[Recorded]) -> dict[str, Any]:
    """A child's inputs with ARNs as the recordings write them: by whose they are."""
    text = json.dumps(child.inputs)
    for other in others:
        kind = {t.LOAD_BALANCER: "loadbalancer/app", t.TARGET_GROUP: "targetgroup"}.get(other.type)
        suffix = {t.LOAD_BALANCER: "0a1b2c3d4e5f6071", t.TARGET_GROUP: "0011223344556677"}.get(other.type)
        arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{kind}/{other.inputs.get('name')}/{suffix}"
        text = text.replace(arn, f"{{arn of {other.type}::{other.name}}}")
    marked: dict[str, Any] = json.loads(text)
    return marked


def test_a_load_balancers_children_are_the_recorded_ones() -> None:
    made = children(alb_redirect_https)

    recorded = [each for each in RECORDED["alb_redirect_https"] if each["type"].startswith("aws:")]
    assert {(each.type, each.name): with_marks(each, made) for each in made} == {
        (each["type"], each["name"]): each["inputs"] for each in recorded
    }


@pytest.mark.parametrize("program", [ecr_default, vpc_two_az_single_nat])
def test_every_child_is_one_that_the_plugin_registers_under_that_name(program: Callable[[], None]) -> None:
    recorded = {(each["type"], each["name"]) for each in RECORDED[program.__name__]}
    made = {(each.type, each.name) for each in children(program)}

    assert made
    assert made <= recorded


def test_references_to_children_carry_their_outputs_into_the_program() -> None:
    def program() -> None:
        balancer = awsx.lb.ApplicationLoadBalancer("web", name="web-alb", subnet_ids=["subnet-0a"])
        pulumi.export("dns", balancer.load_balancer.dns_name)
        pulumi.export("group", balancer.default_target_group.arn_suffix)

    update, preview = record(program), record(program, preview=True)

    assert update.exports == {
        "dns": f"web-alb-123456789.{REGION}.elb.amazonaws.com",
        "group": "targetgroup/web/0011223344556677",
    }
    assert preview.exports == {"dns": UNKNOWN, "group": UNKNOWN}


def test_a_function_without_an_answer_is_refused_by_name() -> None:
    with pytest.raises(Exception, match="aws:ec2/getAmi:getAmi"):
        record(lambda: pulumi.export("ami", aws.ec2.get_ami_output(owners=["self"]).id))


def test_an_error_in_an_apply_fails_the_run() -> None:
    def program() -> None:
        bucket = aws.s3.Bucket("bucket")
        pulumi.export("broken", bucket.arn.apply(lambda _: 1 / 0))

    with pytest.raises(ZeroDivisionError):
        record(program)


def test_two_resources_of_one_name_fail_the_run() -> None:
    def program() -> None:
        aws.s3.Bucket("bucket")
        aws.s3.Bucket("bucket")

    with pytest.raises(AssertionError, match="Duplicate resource URN"):
        record(program)


def test_one_run_never_sees_the_configuration_or_the_resources_of_another() -> None:
    first = record(lambda: aws.s3.Bucket("a"), stack="first", config={"fileflow:x": "1"})
    second = record(lambda: pulumi.export("x", pulumi.Config("fileflow").get("x")), stack="second")

    assert [each.name for each in first.resources] == ["a"]
    assert second.resources == []
    assert second.exports.get("x") is None
