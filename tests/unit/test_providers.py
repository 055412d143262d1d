"""What these tests take for the remote components' answer is held against recordings of the real plugin."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx
import pytest

from tests.golden.recordings import recorded
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.recorder import UNKNOWN, record

RECORDED: dict[str, Any] = recorded("awsx")


@pytest.mark.parametrize("case", ["ecr_lifecycle", "vpc_two_az_single_nat"])
def test_every_child_is_one_that_the_plugin_registers_under_that_name(case: str) -> None:
    known = RECORDED[case]

    def program() -> None:
        pulumi.ComponentResource(known["type"], known["name"], known["given"], remote=True)

    made = {(each.type, each.name) for each in record(program).resources if each.by_provider}

    assert made
    assert made <= {(each["type"], each["name"]) for each in known["children"]}


def test_references_to_children_carry_their_outputs_into_the_program() -> None:
    def program() -> None:
        repository = awsx.ecr.Repository("images", name="images")
        pulumi.export("arn", repository.repository.arn)

    update, preview = record(program), record(program, preview=True)

    assert update.exports == {"arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/images"}
    assert preview.exports == {"arn": UNKNOWN}


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
