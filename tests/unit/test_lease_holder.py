"""A rollout is done when the scheduler's own task holds the lease: what is asked, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from unittest import mock

import pytest

from components import lease_holder
from components.aws_session import SessionSettings
from components.lease_holder import verify_holder
from components.rollout import RolledBackError
from tests.unit.builders import CLUSTER_ARN, LEASE
from tests.unit.providers import ACCOUNT, REGION

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/fileflow-prod/fileflow-scheduler-download"
OWN, OTHER = (f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/fileflow-prod/{name}" for name in ("own", "other"))


class Aws:
    """What DynamoDB and ECS are asked, in order, and what they answer; anything else fails."""

    def __init__(self) -> None:
        import boto3
        from botocore.stub import Stubber

        self.clients = {
            name: boto3.client(name, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
            for name in ("ecs", "dynamodb")
        }
        self.ecs, self.dynamodb = (Stubber(self.clients[name]) for name in ("ecs", "dynamodb"))

    def client(self, name: str) -> object:
        return self.clients[name]

    def holder(self, holder: str | None, *, held: bool = True) -> None:
        """What the table says."""
        item = {"Holder": {"S": holder}, "Held": {"BOOL": held}} if holder else {}
        asked = {
            "TableName": LEASE.table_name,
            "Key": {"LeaseKey": {"S": LEASE.key}},
            "ConsistentRead": True,
        }
        self.dynamodb.add_response("get_item", {"Item": item} if item else {}, asked)

    def tasks(self, *arns: str) -> None:
        """The tasks that the service has."""
        asked = {"cluster": CLUSTER_ARN, "serviceName": "fileflow-scheduler-download"}
        self.ecs.add_response("list_tasks", {"taskArns": list(arns)}, asked)


@pytest.fixture
def aws() -> Iterator[Aws]:
    found = Aws()
    with (
        mock.patch.object(SessionSettings, "open", lambda *_: found),
        mock.patch.object(lease_holder, "_POLL_SECONDS", 0),
        found.ecs,
        found.dynamodb,
    ):
        yield found
        found.ecs.assert_no_pending_responses()
        found.dynamodb.assert_no_pending_responses()


def check(patience_seconds: float = 0.0) -> None:
    asyncio.run(verify_holder(None, ARN, CLUSTER_ARN, LEASE, patience_seconds))


def test_a_service_whose_task_holds_the_lease_passes(aws: Aws) -> None:
    aws.holder(OWN)
    aws.tasks(OWN)

    check()


@pytest.mark.parametrize(("holder", "held"), [(None, True), (OTHER, False)], ids=["nobody", "released"])
def test_a_lease_that_nobody_holds_fails_the_run_and_says_what_is_amiss(
    aws: Aws, holder: str | None, held: bool
) -> None:
    aws.holder(holder, held=held)
    aws.tasks(OWN)

    with pytest.raises(RolledBackError, match=f"nobody holds the lease {LEASE.key} .* no way to DynamoDB"):
        check()


def test_a_holder_that_is_no_task_compares_with_nothing(aws: Aws) -> None:
    aws.holder("host/12")
    aws.tasks(OWN)

    check()


def test_a_task_that_takes_its_lease_late_is_waited_for(aws: Aws) -> None:
    aws.holder(None)
    aws.tasks(OWN)
    aws.holder(OWN)
    aws.tasks(OWN)

    check(patience_seconds=60)


def test_the_predecessor_is_waited_for(aws: Aws) -> None:
    aws.holder(OTHER)
    aws.tasks(OWN)
    aws.holder(OWN)
    aws.tasks(OWN)

    check(patience_seconds=60)


def test_a_task_that_another_one_blocks_fails_the_run_and_names_it(aws: Aws) -> None:
    aws.holder(OTHER)
    aws.tasks(OWN)

    with pytest.raises(RolledBackError, match=f"lease {LEASE.key} of the table {LEASE.table_name}: {OTHER}"):
        check()


def test_credentials_that_may_not_read_the_table_only_warn(aws: Aws) -> None:
    aws.dynamodb.add_client_error("get_item", "AccessDeniedException")

    with mock.patch("pulumi.log.warn") as warn:
        check()

    assert "who holds its lease can't be asked" in warn.call_args.args[0]
