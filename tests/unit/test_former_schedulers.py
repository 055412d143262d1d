"""A scheduler that comes up under another name doesn't run beside itself."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.aws_session import SessionSettings
from components.former_schedulers import refuse_doubles, refuse_unsaid_renames
from components.names import Names
from composition import scheduler_services
from tests.unit.builders import CLUSTER_ARN
from tests.unit.providers import ACCOUNT, REGION
from tests.unit.stacks import parse, stack_values

PREFIX = "fileflow-scheduler-"
DOWNLOAD, PIPELINE, ARCHIVE = (f"{PREFIX}{name}" for name in ("download", "pipeline", "archive"))


@pytest.mark.parametrize(
    ("running", "wanted"),
    [
        (set(), {DOWNLOAD: None, PIPELINE: None}),
        ({DOWNLOAD, PIPELINE}, {DOWNLOAD: None, PIPELINE: None}),
        ({DOWNLOAD, PIPELINE}, {PIPELINE: None}),
        ({PIPELINE}, {DOWNLOAD: None, PIPELINE: None}),
        ({DOWNLOAD, PIPELINE}, {ARCHIVE: DOWNLOAD, PIPELINE: None}),
        ({ARCHIVE, PIPELINE}, {ARCHIVE: DOWNLOAD, PIPELINE: None}),
        ({ARCHIVE, PIPELINE}, {DOWNLOAD: ARCHIVE, PIPELINE: None}),
        ({DOWNLOAD}, {ARCHIVE: DOWNLOAD, PIPELINE: None}),
    ],
    ids=[
        "none yet",
        "all run",
        "one less",
        "one more",
        "renamed",
        "was renamed",
        "renamed back",
        "renamed, and one more",
    ],
)
def test_schedulers_that_cant_be_one_twice_go_in(running: set[str], wanted: dict[str, str | None]) -> None:
    refuse_unsaid_renames(running, wanted)


@pytest.mark.parametrize(
    ("wanted", "new", "gone"),
    [
        ({ARCHIVE: None, PIPELINE: None}, ARCHIVE, DOWNLOAD),
        ({ARCHIVE: None}, ARCHIVE, f"{DOWNLOAD}, {PIPELINE}"),
        ({ARCHIVE: f"{PREFIX}downlaod", PIPELINE: None}, ARCHIVE, DOWNLOAD),
    ],
    ids=["renamed without saying so", "for two others", "renamed from what never was"],
)
def test_a_new_scheduler_in_place_of_one_that_runs_is_refused(
    wanted: dict[str, str | None], new: str, gone: str
) -> None:
    with pytest.raises(pulumi.RunError) as error:
        refuse_unsaid_renames({DOWNLOAD, PIPELINE}, wanted)
    assert str(error.value) == (
        f"schedulers.name is {new!r}, but {gone} runs and is no longer asked for, and the new one would "
        "start before that stops, so that a renamed scheduler ran twice. Say renamed_from with its former "
        "name if it is the same one; otherwise remove the old one first, in a run of its own."
    )


class Ecs:
    """ECS with the services of one cluster; a code of an error is what it answers instead."""

    def __init__(self, *services: str, error: str | None = None) -> None:
        import boto3
        from botocore.stub import Stubber

        self.client = boto3.client(
            "ecs", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stub = Stubber(self.client)
        if error is not None:
            self.stub.add_client_error("list_services", error)
            return
        arns = [f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/fileflow-prod/{name}" for name in services]
        self.stub.add_response("list_services", {"serviceArns": arns}, {"cluster": CLUSTER_ARN})

    def check(self, wanted: dict[str, str | None]) -> None:
        session: Any = mock.Mock()
        session.client.return_value = self.client
        with self.stub, mock.patch.object(SessionSettings, "open", return_value=session) as opened:
            asyncio.run(refuse_doubles(SessionSettings(arguments={}), CLUSTER_ARN, PREFIX, wanted))
        opened.assert_called_once_with(REGION)


def test_only_the_programs_own_schedulers_are_looked_at() -> None:
    Ecs("fileflow-web-api", "billing-scheduler-nightly", PIPELINE).check({DOWNLOAD: None, PIPELINE: None})
    with pytest.raises(pulumi.RunError, match="renamed_from"):
        Ecs("fileflow-web-api", ARCHIVE, PIPELINE).check({DOWNLOAD: None, PIPELINE: None})


def test_where_ecs_cant_be_asked_a_warning_says_so() -> None:
    with mock.patch.object(pulumi.log, "warn") as warned:
        Ecs(error="AccessDeniedException").check({DOWNLOAD: None})
    assert "AccessDeniedException" in warned.call_args.args[0]


def test_the_program_asks_for_the_schedulers_of_its_file_with_their_former_names() -> None:
    values = stack_values("local")
    values["schedulers"][0] |= {"name": "archive", "renamed_from": "download", "lease": {"key": "download"}}
    settings = parse("local", values)
    assert scheduler_services(settings, Names(environment="prod")) == {ARCHIVE: DOWNLOAD, PIPELINE: None}
