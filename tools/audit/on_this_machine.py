"""Runs Prowler where AWS is on this machine: by the interpreter of Prowler's environment, not the project's.

S3's control plane puts the account's number before the endpoint's name, and no resolver knows such a name of
127.0.0.1. Owns that one answer; nothing else is changed.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html (its Host)
"""

from __future__ import annotations

import importlib
import socket
import sys
from typing import Any

LOOPBACK = "127.0.0.1"
_resolve = socket.getaddrinfo


def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
    """What a name resolves to; one that ends in the loopback address is that address."""
    return _resolve(LOOPBACK if str(host).endswith(f".{LOOPBACK}") else host, *arguments, **options)


if __name__ == "__main__":
    socket.getaddrinfo = resolve
    # By name: the project's own environment, in which types are checked, has no Prowler.
    sys.exit(importlib.import_module("prowler.__main__").prowler())
