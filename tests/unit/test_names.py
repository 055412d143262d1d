"""Names: the guide's to the letter for prod, and no two environments that meet."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.names import Names, ServiceNames, shorten
from settings import SettingsError
from tests.unit.stacks import lower_case_names, parse, stack_values

PROD = Names(environment="prod")


def test_prods_names_of_the_web_api_are_the_guides() -> None:
    assert PROD.web_api == ServiceNames(
        service="fileflow-web-api",
        family="fileflow-web-api-prod",
        container="fileflow",
        log_group="/aws/ecs/fileflow",
        image_tag_prefix="web-api-",
        latest_tag="latest",
        source_image="fileflow-web-api:latest",
        gradle_module=":bootstrap:bootstrap-web-api",
    )


@pytest.mark.parametrize("name", ["download", "pipeline"])
def test_prods_names_of_a_scheduler_are_the_guides(name: str) -> None:
    assert PROD.scheduler(name) == ServiceNames(
        service=f"fileflow-scheduler-{name}",
        family=f"fileflow-scheduler-{name}-prod",
        container=f"fileflow-scheduler-{name}",
        log_group=f"/aws/ecs/fileflow-scheduler-{name}",
        image_tag_prefix=f"{name}-scheduler-",
        latest_tag=f"{name}-scheduler-latest",
        source_image=f"fileflow-scheduler-{name}:latest",
        gradle_module=f":bootstrap:bootstrap-scheduler-{name}",
    )


def test_prods_shared_names_are_the_guides() -> None:
    assert (PROD.base, PROD.load_balancer, PROD.repository) == (
        "fileflow-prod",
        "fileflow-prod-alb",
        "fileflow",
    )


def test_another_environment_carries_its_name_wherever_two_would_meet() -> None:
    dev = Names(environment="dev")

    assert (dev.base, dev.load_balancer, dev.repository) == (
        "fileflow-dev",
        "fileflow-dev-alb",
        "fileflow-dev",
    )
    assert dev.web_api.family == "fileflow-web-api-dev"
    assert dev.web_api.log_group == "/aws/ecs/dev/fileflow"
    assert dev.scheduler("download").log_group == "/aws/ecs/dev/fileflow-scheduler-download"
    # A service's name lives inside its cluster, so the guide's commands differ by the cluster alone.
    assert dev.scheduler("download").service == "fileflow-scheduler-download"


def regional(environment: str, schedulers: list[str]) -> list[tuple[str, str]]:
    """Every name of an environment that AWS wants to be unique in an account and region, by kind."""
    names = Names(environment=environment)
    services = [names.web_api, *(names.scheduler(each) for each in schedulers)]
    return [
        ("cluster", names.base),
        ("load balancer", names.load_balancer),
        ("target group", names.target_group),
        ("repository", names.repository),
        *(("family", each.family) for each in services),
        *(("log group", each.log_group) for each in services),
    ]


ALIKE_ENVIRONMENTS = (
    "prod",
    "dev",
    "b",
    "c",
    "b-c",
    "a-b",
    "web-api",
    "scheduler-a",
    "a-dev",
    "exec",
    "a-prod",
)
ALIKE_SCHEDULERS = ("a", "b", "a-b", "b-c", "dev", "a-dev", "prod", "a-prod", "web-api", "scheduler", "c")
"""Names that read alike when they are joined by a dash."""


def accepted(environment: str, schedulers: list[str]) -> bool:
    """Whether the settings let the environment and these schedulers through."""
    values = stack_values("dev")
    values["environment"] = environment
    values["schedulers"] = [{"name": name, "port": 9091 + index} for index, name in enumerate(schedulers)]
    try:
        parse("dev", values)
    except SettingsError:
        return False
    return True


def test_two_environments_never_share_a_name_whatever_their_schedulers_are_called() -> None:
    owners: dict[tuple[str, str], str] = {}
    for environment in ALIKE_ENVIRONMENTS:
        schedulers = [name for name in ALIKE_SCHEDULERS if accepted(environment, [name])]
        if not accepted(environment, []):
            continue
        for name in regional(environment, schedulers):
            assert owners.setdefault(name, environment) == environment, f"{environment}: {name}"


@pytest.mark.parametrize("environment", ["prod", "dev"])
def test_the_services_of_one_environment_never_share_a_name(environment: str) -> None:
    names = regional(environment, list(ALIKE_SCHEDULERS))

    assert len(names) == len(set(names))


@given(lower_case_names(max_size=16))
def test_elb_takes_the_names_of_any_environment(environment: str) -> None:
    assume(accepted(environment, []))
    names = Names(environment=environment)

    for name in (names.load_balancer, names.target_group):
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name)


def test_a_name_within_the_limit_is_left_alone() -> None:
    assert shorten("n" * 32, 32) == "n" * 32


@given(st.text("abc-", min_size=3, max_size=6))
def test_a_name_beyond_the_limit_is_cut_to_it(name: str) -> None:
    assert len(shorten(name * 11, 32)) <= 32


@given(st.sets(st.text("ab", min_size=3, max_size=8), min_size=2, max_size=6))
def test_two_long_names_are_kept_apart_although_both_are_cut(endings: set[str]) -> None:
    same_start = {f"{'x' * 30}{ending}" for ending in endings}

    for one, other in combinations(same_start, 2):
        assert shorten(one, 32) != shorten(other, 32)


def test_a_cut_name_never_doubles_its_dash() -> None:
    assert "--" not in shorten("fileflow-environment-abc-web-api-target", 32)
