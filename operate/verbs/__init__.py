"""The verbs, a module each. Importing this package puts them into the command line."""

from __future__ import annotations

from operate.verbs import (
    cost,
    endpoints,
    fix_count,
    logs,
    metrics,
    migrate,
    pause,
    promote,
    restart,
    rollback,
    scrape_config,
    shell,
    status,
    verify,
    versions,
    why,
)

__all__ = [
    "cost",
    "endpoints",
    "fix_count",
    "logs",
    "metrics",
    "migrate",
    "pause",
    "promote",
    "restart",
    "rollback",
    "scrape_config",
    "shell",
    "status",
    "verify",
    "versions",
    "why",
]
