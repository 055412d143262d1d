"""Long steps say what they do and for how long."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from local import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, moved by the test."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_every_ten_seconds(clock: list[float], said: Callable[[], str]) -> None:
    with progress.step("Building") as step:
        for _ in range(250):
            clock[0] += 0.1
            step.tick("package x")
    assert said().splitlines() == [
        "Building ...",
        "Building ... 10 s (package x)",
        "Building ... 20 s (package x)",
        "Building done in 25.0 s",
    ]


def test_a_terminal_gets_one_line_that_changes(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.step("Building") as step:
        clock[0] += 3
        step.tick()
        step.note("found it,")
    text = terminal.getvalue()
    assert text.count("\n") == 1
    assert "Building ... 3 s" in text
    assert text.endswith("Building: found it, done in 3.0 s\n")


@pytest.mark.usefixtures("clock")
def test_a_failed_step_says_so(said: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match="no"), progress.step("Building"):
        raise ValueError("no")
    assert said().splitlines()[-1] == "Building stopped in 0.0 s"
