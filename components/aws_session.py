"""The AWS session of a resource's own provider, for what no function of the provider can be asked.

Owns how the provider's settings become a session. Where it can't know them (a role that only an explicit
provider assumes), the session is another account's or nobody's; who asks must find out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

_CREDENTIALS = {
    "profile": "profile_name",
    "access_key": "aws_access_key_id",
    "secret_key": "aws_secret_access_key",
    "token": "aws_session_token",
}
"""The provider's settings that a session takes as they are, by the SDK's names for both."""

_ROLE = {
    "roleArn": "RoleArn",
    "sessionName": "RoleSessionName",
    "externalId": "ExternalId",
    "policy": "Policy",
}
"""The members of `aws:assumeRoles` that say who becomes whom.

Source: https://www.pulumi.com/registry/packages/aws/installation-configuration/
"""


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """What a provider says of its credentials: the session's arguments, and the roles assumed one by one."""

    arguments: Mapping[str, str]
    roles: tuple[Mapping[str, str], ...] = ()

    @classmethod
    async def of(cls, provider: pulumi.ProviderResource | None) -> SessionSettings:
        """The settings of `provider`, or of the stack's default one (`aws:profile`, `aws:assumeRoles`, …)."""
        if provider is None:
            # By name, since the SDK's stubs spell some of them otherwise than the module.
            found = {name: getattr(aws.config, name) for name in (*_CREDENTIALS, "assume_roles")}
            roles = tuple(json.loads(found.pop("assume_roles") or "[]"))
            return cls(arguments=_given(found), roles=roles)
        outputs = {name: getattr(provider, name, None) for name in _CREDENTIALS}
        # An explicit provider has no output that tells its roles.
        return cls(
            arguments=_given(
                {name: await each.future() for name, each in outputs.items() if each is not None}
            )
        )

    def open(self, region: str) -> Any:
        """A session in `region`; boto3 and botocore raise what they can't do."""
        # Only a rollout needs it: a preview starts without loading it.
        import boto3

        session = boto3.Session(**self.arguments, region_name=region)
        for role in self.roles:
            asked = {theirs: role[ours] for ours, theirs in _ROLE.items() if role.get(ours)}
            credentials = session.client("sts").assume_role(**{"RoleSessionName": "pulumi", **asked})[
                "Credentials"
            ]
            session = boto3.Session(
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials["SessionToken"],
                region_name=region,
            )
        return session


def _given(found: Mapping[str, object]) -> dict[str, str]:
    return {_CREDENTIALS[name]: str(value) for name, value in found.items() if value}
