"""Every service that doesn't run what was asked for is told, whichever of them is judged first."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.verdicts import RolledBackError, Verdict, judged, outcome
from tests.unit.recorder import record


def run(shown: list[str], **errors: Exception | None) -> None:
    """A run whose services are judged so, each later than the one before; `shown` gets the errors."""

    def program() -> None:
        for number, (name, error) in enumerate(errors.items()):
            judge_one(name, error, 0.02 * number)

    with mock.patch("pulumi.log.error", side_effect=lambda text, _: shown.append(text)):
        record(program)


def judge_one(name: str, error: Exception | None, after_seconds: float) -> Verdict:
    async def judge(known: dict[str, Any]) -> None:
        assert known == {"service": name}
        await asyncio.sleep(after_seconds)
        if error is not None:
            raise error

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(service=name)
    return judged(known, judge, mock.Mock())


def test_each_failed_service_is_shown_before_the_run_fails() -> None:
    shown: list[str] = []
    errors = {name: RolledBackError(f"{name}: back") for name in ("download", "pipeline")}
    with pytest.raises(RolledBackError) as failed:
        run(shown, download=errors["download"], web_api=None, pipeline=errors["pipeline"])
    assert shown == ["download: back", "pipeline: back"]
    assert str(failed.value) == "This run has failed, by what is said above of download, pipeline."


def test_what_was_no_verdict_fails_the_run_as_it_is() -> None:
    with pytest.raises(ValueError, match="unexpected"):
        run([], download=ValueError("unexpected"), pipeline=None)


def test_a_run_of_services_that_run_what_was_asked_for_passes() -> None:
    shown: list[str] = []
    run(shown, download=None, pipeline=None)
    assert shown == []


def test_an_outcome_is_of_the_services_that_were_judged_since_the_one_before() -> None:
    passed: list[str] = []

    def program() -> None:
        judge_one("download", RolledBackError("download: back"), 0.02)
        outcome().apply(lambda _: passed.append("with download"))
        outcome().apply(lambda _: passed.append("without"))

    with mock.patch("pulumi.log.error"), pytest.raises(RolledBackError, match=r"said above of download\."):
        record(program)
    assert passed == ["without"]
