"""Functions of the first Elastic Load Balancing that load balancers of today still need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..resource import Call, Function, Inputs

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html: the accounts
# that write access logs in the regions that existed before August 2022.
_ACCOUNTS: Final = {
    "ap-northeast-1": "582318560864",
    "ap-northeast-2": "600734575887",
    "ap-northeast-3": "383597477331",
    "ap-south-1": "718504428378",
    "ap-southeast-1": "114774131450",
    "ap-southeast-2": "783225319266",
    "ca-central-1": "985666609251",
    "eu-central-1": "054676820928",
    "eu-north-1": "897822967062",
    "eu-west-1": "156460612806",
    "eu-west-2": "652711504416",
    "eu-west-3": "009996457667",
    "sa-east-1": "507241528517",
    "us-east-1": "127311923021",
    "us-east-2": "033677994240",
    "us-west-1": "027434742980",
    "us-west-2": "797873946194",
}


def _get_service_account(call: Call, args: Inputs) -> Mapping[str, Any]:
    del args
    account = _ACCOUNTS.get(call.region)
    if account is None:
        raise LookupError(
            f"no account of Elastic Load Balancing writes logs in {call.region}; allow the service"
            " logdelivery.elasticloadbalancing.amazonaws.com instead"
        )
    return {"arn": f"arn:{call.aws.partition}:iam::{account}:root", "id": account}


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:elb/getServiceAccount:getServiceAccount", _get_service_account),
)
