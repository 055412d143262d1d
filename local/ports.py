"""Ports of this machine: the one that the user asks for, and whether one is free."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from local.errors import LocalError

HOST = "127.0.0.1"
VARIABLE = "FILEFLOW_PORT"


def wanted(environment: Mapping[str, str]) -> int | None:
    """Read the port that the emulated AWS is to listen on; None where the user asks for none.

    Raises LocalError when it isn't a port that a process may listen on.
    """
    text = environment.get(VARIABLE) or ""
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise LocalError(
            f"{VARIABLE} is {text!r}; a port is a whole number from 1 to 65535.",
            "correct it, or leave it out.",
        )
    return int(text)


def is_free(port: int) -> bool:
    """Say whether a process could listen on a port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
