"""Default runs that several tests look at, and a quiet collector: a run makes many short-lived objects.

The SDK and hypothesis are imported where they are needed: the process that hands the tests out to workers
reads this too.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.unit.recorder import Recording

HERE: Final = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """pulumi_aws warns of deprecated types of its own when it imports them; nobody here uses those.

    Properties are tried with the same examples in every run, and with no limit of time.
    """
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pulumi_aws.*")
    hands_the_tests_out = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if hands_the_tests_out:
        return
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "unit",
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=40,
        # How long an example takes to draw is the machine's affair.
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("unit")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share runs, so one worker gets them all (where `--dist loadgroup` is on)."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="package", autouse=True)
def _no_collections() -> Iterator[None]:
    """Each run leaves a megabyte of cycles; to look for them takes a third of the suite's time."""
    from hypothesis import given
    from hypothesis import strategies as st

    # Whoever draws first pays for a collection of all garbage, in the middle of the suite for seconds.
    given(st.none())(lambda nothing: nothing)()
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def scheduler() -> Recording:
    """A run with the guide's download scheduler and nothing else."""
    from tests.unit.builders import record_scheduler

    return record_scheduler()


@pytest.fixture(scope="session")
def web() -> Recording:
    """A run with the guide's web API, behind plain HTTP, and nothing else."""
    from tests.unit.builders import record_web

    return record_web()
