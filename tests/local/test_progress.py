"""Long steps say what they do and for how long."""

from __future__ import annotations

import io

import pytest

from local.progress import Progress


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_seconds = 0.0

    def __call__(self) -> float:
        return self.now_seconds


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(stream, clock).step("Building") as step:
        for _ in range(250):
            clock.now_seconds += 0.1
            step.tick("package x")
    assert stream.getvalue().splitlines() == [
        "Building ...",
        "Building ... 10 s (package x)",
        "Building ... 20 s (package x)",
        "Building done in 25.0 s",
    ]


def test_a_terminal_gets_one_line_that_changes() -> None:
    clock, stream = Clock(), Terminal()
    with Progress(stream, clock).step("Building") as step:
        clock.now_seconds += 3
        step.tick()
        step.note("found it,")
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "Building ... 3 s" in text
    assert text.endswith("Building: found it, done in 3.0 s\n")


def test_a_failed_step_says_so() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="no"), Progress(stream, Clock()).step("Building"):
        raise ValueError("no")
    assert stream.getvalue().splitlines()[-1] == "Building stopped in 0.0 s"
