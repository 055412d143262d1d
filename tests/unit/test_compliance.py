"""The table of an auditor's checks: each is held by something that exists, and the pages say by what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.unit.stacks import parse, stack_values
from tools import compliance
from tools.audit import accepted, own_checks
from tools.setting_paths import settings_of

ROOT = Path(__file__).parent.parent.parent
CHECKS = compliance.checks()
ACCEPTED = {each.check for each in accepted.read()}


def rules() -> dict[str, list[str]]:
    """The pack's rules with their tags, as they are pinned."""
    pinned = json.loads((ROOT / "tests/policies/contents.json").read_text(encoding="utf-8"))
    return {name: each["tags"] for name, each in pinned.items()}


def test_each_check_is_held_by_one_thing_or_accepted() -> None:
    for name, check in CHECKS.items():
        held = [kind for kind in ("rule", "component", "setting") if kind in check]
        assert len(held) == 1 or (not held and name in ACCEPTED), name
        assert ("because" in check) == ("component" in check), name


def test_nothing_is_accepted_that_the_table_doesnt_have() -> None:
    assert set(CHECKS) >= ACCEPTED | set(own_checks.ASKED_BY)


def test_each_rule_that_holds_a_check_is_there_and_says_which_check_and_which_requirements() -> None:
    tags = rules()
    for name, check in CHECKS.items():
        if "rule" in check:
            assert f"prowler:{name}" in tags[check["rule"]], name
            for requirement in check.get("isms_p", ()):
                assert f"isms-p:{requirement}" in tags[check["rule"]], name


def test_no_rule_says_that_it_holds_a_check_of_which_the_table_says_otherwise() -> None:
    for rule, tags in rules().items():
        for tag in tags:
            if tag.startswith("prowler:"):
                assert CHECKS[tag.removeprefix("prowler:")]["rule"] == rule


def test_each_component_that_holds_a_check_is_there_and_each_setting_is_one() -> None:
    known = {each.path for each in settings_of(Settings)}
    for name, check in CHECKS.items():
        if "component" in check:
            assert (ROOT / check["component"]).is_file(), name
        if "setting" in check:
            assert check["setting"] in known, name


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_prod_and_staging_set_what_the_table_says_that_they_set(stack: str) -> None:
    settings = parse(stack, stack_values(stack))

    assert settings.encryption.create
    assert settings.logging.retention_days >= 365
    assert settings.network.create is not None
    flow_logs = settings.network.create.flow_logs
    assert flow_logs is not None
    assert flow_logs.retention_days >= 365
    assert settings.web_api.load_balancer.web_acl is not None
    https = settings.web_api.load_balancer.https()
    assert https is not None
    assert "-PQ-" in https.ssl_policy


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_has_every_check_every_requirement_and_every_acceptance(
    language: compliance.Language,
) -> None:
    page = compliance.page(language)

    for name in CHECKS:
        assert f"| `{name}` |" in page
    for requirement in compliance.requirements():
        assert f"| {requirement['id']} {requirement['name'][language]} |" in page
    for each in accepted.read():
        assert " ".join(each.reason.split()) in page


def test_both_pages_say_of_each_requirement_what_fulfils_it_what_shows_it_and_what_stays_with_people() -> (
    None
):
    texts: list[Any] = [
        each[part][language]
        for each in compliance.requirements()
        for part in ("name", "fulfilled", "organisation")
        for language in ("en", "ko")
    ]
    assert all(isinstance(text, str) and len(text) > 3 for text in texts)
    assert all(each["evidence"] for each in compliance.requirements())


def test_a_requirement_with_a_check_that_applies_is_on_the_page() -> None:
    told = {each["id"] for each in compliance.requirements()}
    asked = {requirement for check in CHECKS.values() for requirement in check.get("isms_p", ())}

    assert asked <= told | {"2.6.4"}, "2.6.4 is about databases, of which a stack has none"
