"""`restart`: what it does where somebody else meddles while a scheduler's task stops."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

import pytest

from operate.errors import OperateError
from operate.verbs.restart import restart_scheduler
from tests.operate.test_pause import DOWNLOAD, service, session


def test_a_count_that_somebody_sets_meanwhile_is_told_at_once_and_one_is_wanted() -> None:
    counts: list[int] = []
    ecs = mock.Mock()
    ecs.update_service = lambda desiredCount, **_: counts.append(desiredCount)  # noqa: N803 AWS's name
    ecs.describe_services.return_value = {"services": [{"desiredCount": 2}]}
    aws: Any = mock.Mock(ecs=ecs)

    with pytest.raises(OperateError, match="somebody set its count to 2"):
        restart_scheduler(dataclasses.replace(session(), aws=aws), service(DOWNLOAD), 600)

    assert counts == [0, 1]
