"""What an account answers of which nobody has set anything, for those who audit it.

Owns the account's own settings that this project's resources are judged by (EC2, ECR, IAM, SSM), and that of
some services there is nothing at all. Deliberately lets nobody change any of it: a call that would is refused
by ministack, as an unknown action.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import get_account_id, json_response

from local.emulator.completions.inside import ask
from local.emulator.completions.patching import AwsError, Request, Response
from local.emulator.completions.protocols import Action, serve

Answer = dict[str, Any]

EC2: dict[str, Answer] = {
    # https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html: off until switched on.
    "GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": False},
    # https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html
    "GetSnapshotBlockPublicAccessState": {"State": "unblocked", "ManagedBy": "account"},
    # On for accounts without public images since 2023:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
    "GetImageBlockPublicAccessState": {
        "ImageBlockPublicAccessState": "block-new-sharing",
        "ManagedBy": "account",
    },
    "GetInstanceMetadataDefaults": {"AccountLevel": {}},
    "DescribeClientVpnEndpoints": {"ClientVpnEndpoints": []},
    "DescribeTransitGateways": {"TransitGateways": []},
    "DescribeVpnConnections": {"VpnConnections": []},
}
IAM: dict[str, Answer] = {
    "ListServerCertificates": {"ServerCertificateMetadataList": [], "IsTruncated": False},
    "ListOrganizationsFeatures": {"EnabledFeatures": []},
}
SSM: dict[str, Answer] = {
    "ListDocuments": {"DocumentIdentifiers": []},
    "ListResourceComplianceSummaries": {"ResourceComplianceSummaryItems": []},
}
ACCOUNTS_PUBLIC_ACCESS_BLOCK = "/v20180820/configuration/publicAccessBlock"
CLASSIC_LOAD_BALANCERS = "2012-06-01"
"""The version that a caller names who asks for classic load balancers, by the same service as the others."""

NOTHING: dict[tuple[str, str], Answer] = {
    ("dax", "DescribeClusters"): {"Clusters": []},
    ("network-firewall", "ListFirewalls"): {"Firewalls": []},
    ("route53domains", "ListDomains"): {"Domains": []},
    ("schemas", "/v1/registries"): {"Registries": []},
}
"""By service and action, or path, of services that aren't emulated: nothing can have been made in them."""


def install() -> None:
    """Answers what an account says of itself."""
    serve("ec2", {action: _always(answer) for action, answer in EC2.items()})
    serve("ecr", {"GetRegistryScanningConfiguration": _scanning})
    serve("ssm", {action: _always(answer) for action, answer in SSM.items()})
    actions: dict[str, Action] = {action: _always(answer) for action, answer in IAM.items()}
    actions |= {
        "ListEntitiesForPolicy": _list_entities_for_policy,
        "GetCredentialReport": _get_credential_report,
    }
    serve("iam", actions)
    ministack_app.SERVICE_HANDLERS["elasticloadbalancing"] = partial(
        _without_classic_ones, ministack_app.SERVICE_HANDLERS["elasticloadbalancing"]
    )


def nothing_there(scope: Any) -> Response | None:
    """The answer of a service that isn't emulated, and in which an account has nothing; None otherwise."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    signed = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    if len(signed) != 5:
        return None
    asked = headers.get("x-amz-target", "").rpartition(".")[2] or scope["path"]
    if (signed[3], scope["method"], asked) == ("s3", "GET", ACCOUNTS_PUBLIC_ACCESS_BLOCK):
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
        return _no_public_access_block()
    answer = NOTHING.get((signed[3], asked))
    return None if answer is None else json_response(answer)


def _no_public_access_block() -> Response:
    document = (
        "<ErrorResponse><Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>The public access "
        "block configuration was not found</Message></Error></ErrorResponse>"
    )
    return 404, {"Content-Type": "text/xml"}, document.encode()


def _always(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _request: answer


def _scanning(_request: Request) -> Answer:
    """Basic scanning by no rule of the registry's: each repository says whether a push is scanned.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryScanningConfiguration.html
    """
    return {"registryId": get_account_id(), "scanningConfiguration": {"scanType": "BASIC", "rules": []}}


def _list_entities_for_policy(request: Request) -> Answer:
    """Of AWS's own policies ministack knows some; the others are attached to nobody."""
    try:
        return ask("iam", "ListEntitiesForPolicy", request)
    except AwsError:
        if not request["PolicyArn"].startswith("arn:aws:iam::aws:policy/"):
            raise
        return {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": [], "IsTruncated": False}


def _get_credential_report(request: Request) -> Answer:
    """The root user, who never signed in: `no_information`, where ministack says that it isn't supported.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """
    answer = ask("iam", "GetCredentialReport", request)
    told = answer["Content"].replace(b",not_supported,not_supported,", b",not_supported,no_information,", 1)
    return answer | {"Content": told}


async def _without_classic_ones(
    original: Any, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
) -> Response:
    text = body.decode("utf-8", errors="replace")
    if f"Version={CLASSIC_LOAD_BALANCERS}" in text and "Action=DescribeLoadBalancers" in text:
        document = (
            '<DescribeLoadBalancersResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/'
            f'{CLASSIC_LOAD_BALANCERS}/"><DescribeLoadBalancersResult><LoadBalancerDescriptions/>'
            "</DescribeLoadBalancersResult></DescribeLoadBalancersResponse>"
        )
        return 200, {"Content-Type": "text/xml"}, document.encode()
    response: Response = await original(method, path, headers, body, query)
    return response
