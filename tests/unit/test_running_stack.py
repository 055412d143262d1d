"""One stack is one environment, for as long as it runs."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pulumi
import pytest

from settings import SettingsError, running_stack
from settings.running_stack import refuse_another_environment


class Engine:
    """An engine whose stack has these outputs; an exception is what it answers instead."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str]]] = []

    def invoke(self, token: str, arguments: dict[str, str]) -> Any:
        self.asked.append((token, arguments))
        if isinstance(self.answer, Exception):
            raise self.answer
        return mock.Mock(value=self.answer)

    def check(self, environment: str) -> None:
        with (
            mock.patch.object(running_stack, "mocked", return_value=False),
            mock.patch.object(pulumi.runtime, "invoke", self.invoke),
        ):
            refuse_another_environment("organization/fileflow/local", environment)


def outputs(log_group: str) -> dict[str, Any]:
    return {"name": "local", "outputs": {"cloudwatch_log_group_name": log_group}}


@pytest.mark.parametrize(
    "answer", [{}, {"outputs": {}}, outputs("/aws/ecs/fileflow")], ids=["nothing", "no outputs", "this one"]
)
def test_a_new_stack_and_the_environment_that_runs_go_in(answer: dict[str, Any]) -> None:
    engine = Engine(answer)
    engine.check("prod")
    assert engine.asked == [
        ("pulumi:pulumi:readStackOutputs", {"name": "organization/fileflow/local"}),
    ]


def test_another_environment_than_the_one_that_runs_is_refused() -> None:
    with pytest.raises(SettingsError) as error:
        Engine(outputs("/aws/ecs/fileflow")).check("other")
    assert str(error.value) == (
        "fileflow:environment is 'other', but this stack runs another environment, whose web API logs to "
        "/aws/ecs/fileflow, and with every name another everything would be made anew. Make a stack of its "
        "own for it, with: pulumi stack init"
    )


def test_an_engine_that_doesnt_tell_is_no_reason_to_refuse() -> None:
    with mock.patch.object(pulumi.log, "warn") as warned:
        Engine(RuntimeError("no backend")).check("other")
    assert "no backend" in warned.call_args.args[0]
