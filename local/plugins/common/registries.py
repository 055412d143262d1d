"""Where images of an ECR address really are on this machine. Standard library only: the emulator uses it too.

Owns the one mapping between the addresses that programs and task definitions name and a local registry.
"""

from __future__ import annotations

import os
import re

REGISTRY_VARIABLE = "FILEFLOW_REGISTRY"
"""Names a local registry (HOST:PORT) that takes the place of ECR's address in pushes and pulls."""

_ECR_HOST = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


def ecr_account_and_region(host: str | None) -> tuple[str, str] | None:
    """Return the account and the region of an ECR address, or None for another registry's."""
    match = _ECR_HOST.fullmatch(host or "")
    return (match[1], match[2]) if match else None


def registry_address(host: str | None) -> str | None:
    """Return the registry that holds a host's images: FILEFLOW_REGISTRY for ECR's, else the host itself."""
    local = os.environ.get(REGISTRY_VARIABLE)
    return local if local and ecr_account_and_region(host) else host
