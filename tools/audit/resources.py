"""What belongs to a stack: by its state, never by a word in a name.

Owns reading an exported state, and whether a finding's resource is one of them. What AWS makes along with a
resource and the state doesn't have, as a VPC's default network ACL, isn't the stack's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

EC2_ID: Final = re.compile(r"[a-z]+-[0-9a-f]{8,17}")
"""An id that names one thing in all of an account, whatever else it is called."""

PROWLER_SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudwatch": ("cloudwatch", "eventbridge"),
    "ec2": ("ec2", "vpc", "networkfirewall"),
    "vpc": ("ec2", "vpc"),
    "lb": ("elbv2",),
    "appautoscaling": (),
}
"""What Prowler calls the services of pulumi-aws's modules, where it isn't the same."""


@dataclass(frozen=True)
class OwnResource:
    """One resource of the state."""

    type: str
    """Pulumi's type token, for example `aws:s3/bucket:Bucket`."""
    name: str
    """The logical name."""
    arn: str | None
    id: str


@dataclass(frozen=True)
class OwnResources:
    """The resources of a stack that AWS knows."""

    resources: tuple[OwnResource, ...]

    @classmethod
    def of_state(cls, exported: Mapping[str, Any]) -> OwnResources:
        """Those of what `pulumi stack export` says, without components, providers and look-ups."""
        return cls(tuple(_own(exported.get("deployment", {}).get("resources") or ())))

    def find(self, uid: str) -> OwnResource | None:
        """The resource that a finding is about, by its ARN or the id at its end; None for another's."""
        wanted = uid.removesuffix(":*")
        last = re.split(r"[/:]", wanted)[-1]
        for each in self.resources:
            if each.arn == wanted or (each.id == last and EC2_ID.fullmatch(last)):
                return each
        return None

    def services(self) -> frozenset[str]:
        """What Prowler calls the services that the stack uses."""
        modules = {each.type.split(":")[1].partition("/")[0] for each in self.resources}
        return frozenset(name for module in modules for name in PROWLER_SERVICES.get(module, (module,)))

    def regions(self) -> frozenset[str]:
        """The regions that they lie in."""
        named = {each.arn.split(":")[3] for each in self.resources if each.arn is not None}
        return frozenset(named - {""})


def _own(resources: Iterable[Mapping[str, Any]]) -> Iterable[OwnResource]:
    for each in resources:
        kind = str(each["type"])
        if (
            not each.get("custom")
            or each.get("delete")
            or each.get("external")
            or not kind.startswith("aws:")
        ):
            continue
        arn = (each.get("outputs") or {}).get("arn")
        yield OwnResource(
            type=kind,
            name=str(each["urn"]).rpartition("::")[2],
            arn=str(arn).removesuffix(":*") if isinstance(arn, str) else None,
            id=str(each.get("id") or ""),
        )
