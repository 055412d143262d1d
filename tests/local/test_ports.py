"""A port that the user asks for is one that a process may listen on."""

from __future__ import annotations

import pytest

from local import ports
from local.errors import LocalError


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "4566.0", " 80"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(LocalError, match="FILEFLOW_PORT is ") as error:
        ports.wanted({"FILEFLOW_PORT": text})
    assert text in error.value.problem
    assert "1 to 65535" in error.value.problem


@pytest.mark.parametrize(("text", "expected"), [("", None), ("1", 1), ("65535", 65535)])
def test_a_port_is_read(text: str, expected: int | None) -> None:
    assert ports.wanted({"FILEFLOW_PORT": text}) == expected
