"""A stack that says that it is audited is refused for what an auditor would find, before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from settings import SettingsError
from tests.unit.builders import KEY_ARN, WEB_ACL_ARN
from tests.unit.stacks import parse, stack_values
from tools import compliance

Values = dict[str, Any]


def balancer(values: Values) -> Values:
    """The settings of the load balancer."""
    found: Values = values["web_api"]["load_balancer"]
    return found


def without_https(values: Values) -> None:
    """Calls it by plain HTTP."""
    del balancer(values)["certificate_arn"]
    balancer(values)["plain_http"] = True


WRONGS: dict[str, tuple[str, Callable[[Values], Any]]] = {
    "no key": ("encryption.create is false", lambda values: values.pop("encryption")),
    "a key that goes": (
        "encryption.retain_on_delete is false",
        lambda values: values["encryption"].update(retain_on_delete=False),
    ),
    "logs of three months": (
        "logging.retention_days is 90",
        lambda values: values["logging"].update(retention_days=90),
    ),
    "no flow logs": (
        "network.create.flow_logs is null",
        lambda values: values["network"]["create"].pop("flow_logs"),
    ),
    "flow logs of a month": (
        "network.create.flow_logs.retention_days is 30",
        lambda values: values["network"]["create"]["flow_logs"].update(retention_days=30),
    ),
    "no web ACL": (
        "web_api.load_balancer.web_acl is null",
        lambda values: balancer(values).pop("web_acl"),
    ),
    "plain HTTP": ("web_api.load_balancer.plain_http is true", without_https),
    "no post-quantum key exchange": (
        "web_api.load_balancer.ssl_policy is 'ELBSecurityPolicy-TLS13-1-3-2021-06'",
        lambda values: balancer(values).update(ssl_policy="ELBSecurityPolicy-TLS13-1-3-2021-06"),
    ),
}


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_prod_and_staging_are_audited_as_committed(stack: str) -> None:
    assert parse(stack, stack_values(stack)).audited


@pytest.mark.parametrize("stack", ["dev", "local"])
def test_dev_and_local_are_not(stack: str) -> None:
    assert not parse(stack, stack_values(stack)).audited


@pytest.mark.parametrize("wrong", WRONGS)
def test_each_wrong_alone_is_refused_by_its_key_and_goes_through_where_nobody_audits(wrong: str) -> None:
    said, change = WRONGS[wrong]
    values = stack_values("prod")
    change(values)

    with pytest.raises(SettingsError) as caught:
        parse("prod", values)
    [line] = str(caught.value).splitlines()
    assert said in line
    assert ", but an audited stack" in line

    assert not parse("prod", {**values, "audited": False}).audited


def test_each_check_that_a_setting_holds_is_refused_by_that_setting() -> None:
    held = {name: check["setting"] for name, check in compliance.checks().items() if "setting" in check}

    assert held
    for name, setting in held.items():
        assert any(said.startswith(f"{setting} is ") for said, _ in WRONGS.values()), name


def test_all_wrongs_are_told_at_once() -> None:
    values = stack_values("prod")
    for name in ("a key that goes", "logs of three months", "no flow logs", "no web ACL"):
        WRONGS[name][1](values)

    with pytest.raises(SettingsError) as caught:
        parse("prod", values)
    assert len(str(caught.value).splitlines()) == 4


def test_a_key_and_a_web_acl_of_others_do_as_well() -> None:
    values = stack_values("prod")
    values["encryption"] = {"kms_key_arn": KEY_ARN}
    del balancer(values)["web_acl"]
    balancer(values)["web_acl_arn"] = WEB_ACL_ARN

    assert parse("prod", values).audited
