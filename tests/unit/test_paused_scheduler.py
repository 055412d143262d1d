"""A run that pauses a scheduler ends when nothing of it works any more: what is asked, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from unittest import mock

import pytest

from components import paused_scheduler
from components.aws_session import SessionSettings
from components.paused_scheduler import verify_stopped
from components.verdicts import RolledBackError
from tests.unit.builders import CLUSTER_ARN
from tests.unit.providers import ACCOUNT, REGION

SERVICE = "fileflow-scheduler-download"
ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/fileflow-prod/{SERVICE}"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/fileflow-prod/0a1b2c"


class Ecs:
    """What ECS is asked, in order, and what it answers; anything else fails."""

    def __init__(self) -> None:
        import boto3
        from botocore.stub import Stubber

        self._client = boto3.client(
            "ecs", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stub = Stubber(self._client)

    def client(self, name: str) -> object:
        assert name == "ecs"
        return self._client

    def tasks(self, **last_status: str) -> None:
        """The service's tasks by what they are to become, with what they are."""
        for desired in ("RUNNING", "STOPPED"):
            arns = [TASK] if desired in last_status else []
            asked = {"cluster": CLUSTER_ARN, "serviceName": SERVICE, "desiredStatus": desired}
            self.stub.add_response("list_tasks", {"taskArns": arns}, asked)
        for state in last_status.values():
            described = {"tasks": [{"taskArn": TASK, "lastStatus": state}]}
            self.stub.add_response("describe_tasks", described, {"cluster": CLUSTER_ARN, "tasks": [TASK]})


@pytest.fixture
def ecs() -> Iterator[Ecs]:
    found = Ecs()
    with (
        mock.patch.object(SessionSettings, "open", lambda *_: found),
        mock.patch.object(paused_scheduler, "_POLL_SECONDS", 0),
        found.stub,
    ):
        yield found
        found.stub.assert_no_pending_responses()


def check(patience_seconds: float) -> None:
    asyncio.run(verify_stopped(None, ARN, CLUSTER_ARN, patience_seconds))


def test_a_run_waits_for_a_task_that_is_still_stopping(ecs: Ecs) -> None:
    ecs.tasks(STOPPED="STOPPING")
    ecs.tasks(STOPPED="DEPROVISIONING")

    check(60)


@pytest.mark.parametrize("tasks", [{}, {"STOPPED": "STOPPED"}], ids=["none", "stopped"])
def test_a_service_of_which_nothing_works_passes_at_once(ecs: Ecs, tasks: dict[str, str]) -> None:
    ecs.tasks(**tasks)

    check(60)


@pytest.mark.parametrize("tasks", [{"RUNNING": "RUNNING"}, {"STOPPED": "STOPPING"}], ids=str)
def test_a_task_that_works_on_fails_the_run_by_name(ecs: Ecs, tasks: dict[str, str]) -> None:
    ecs.tasks(**tasks)

    with pytest.raises(RolledBackError, match=f"{SERVICE} is paused, and still has 0a1b2c"):
        check(0)


def test_credentials_that_may_not_ask_do_not_fail_the_run(ecs: Ecs) -> None:
    ecs.stub.add_client_error("list_tasks", "AccessDeniedException")

    with mock.patch("pulumi.log.warn") as warn:
        check(60)
    assert "can't be asked" in warn.call_args.args[0]
