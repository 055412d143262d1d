"""A given certificate: refused with its key where no listener could take it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.aws_session import SessionSettings
from components.certificate import refuse_elsewhere, refuse_missing
from tests.unit.builders import CERTIFICATE_ARN
from tests.unit.providers import ACCOUNT, REGION


def test_a_certificate_of_another_region_is_refused_with_its_key() -> None:
    refuse_elsewhere(CERTIFICATE_ARN, REGION)
    with pytest.raises(pulumi.RunError) as refused:
        refuse_elsewhere(CERTIFICATE_ARN, "eu-west-1")
    told = f"it lies in {REGION}, and the load balancer in eu-west-1"
    assert f"load_balancer.certificate_arn is '{CERTIFICATE_ARN}', but {told}. Request" in str(refused.value)


def ask(account: str = ACCOUNT, error: str | None = None) -> None:
    """Looks for the certificate in ACM, which answers with that error's code."""
    import boto3
    from botocore.stub import Stubber

    clients: dict[str, Any] = {
        name: boto3.client(name, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
        for name in ("sts", "acm")
    }
    session = mock.Mock(client=clients.__getitem__)
    with (
        Stubber(clients["sts"]) as sts,
        Stubber(clients["acm"]) as acm,
        mock.patch.object(SessionSettings, "open", return_value=session),
    ):
        sts.add_response("get_caller_identity", {"Account": account})
        if error is not None:
            acm.add_client_error("describe_certificate", error)
        elif account == ACCOUNT:
            acm.add_response(
                "describe_certificate",
                {"Certificate": {"CertificateArn": CERTIFICATE_ARN}},
                {"CertificateArn": CERTIFICATE_ARN},
            )
        asyncio.run(refuse_missing(SessionSettings(arguments={}), CERTIFICATE_ARN, ACCOUNT))
        acm.assert_no_pending_responses()


def test_a_certificate_that_acm_does_not_have_is_refused_with_its_key() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        ask(error="ResourceNotFoundException")
    assert str(refused.value).startswith(
        f"load_balancer.certificate_arn is '{CERTIFICATE_ARN}', but ACM has no such certificate in the "
        f"account {ACCOUNT}. Name one"
    )


def test_where_acm_has_the_certificate_or_cannot_be_asked_nothing_is_refused() -> None:
    ask()
    ask(account="999999999999")
    ask(error="AccessDeniedException")
