"""How many examples the pack's property tests draw, and which.

Those of every run are the same each time: what is drawn anew may fail nobody's change, and is the nightly
tests' affair.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def every_run(max_examples: int) -> settings:
    """The same examples each time."""
    return settings(nightly(max_examples), derandomize=True, database=None)


def nightly(max_examples: int) -> settings:
    """New examples each time, with no limit of time."""
    return settings(max_examples=max_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
