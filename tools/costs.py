"""What a month of a stack costs, from its settings: the page docs/costs.md.

Owns the prices and the sum. Doesn't own what depends on use: requests, traffic, log volume, metrics
of Container Insights, image storage. Those are named on the page with their prices.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.network import NewVpc
from components.options import TaskSize
from components.vpc_endpoints import INTERFACE_SERVICES
from components.web_acl import MANAGED_RULES
from settings import SchedulerSettings, Settings, parse_settings

ROOT = Path(__file__).parent.parent
HOURS = 730
STACKS = ("prod", "staging", "dev")

REGION = "ap-northeast-2"
PRICES_OF = "2026-10-05"
SOURCE = "https://aws.amazon.com/fargate/pricing/"


@dataclass(frozen=True)
class Prices:
    """US dollars, on demand, Linux, in REGION, from AWS's price list as of PRICES_OF."""

    vcpu_hour: Mapping[str, float]
    gib_hour: Mapping[str, float]
    nat_gateway_hour: float
    interface_endpoint_hour: float
    load_balancer_hour: float
    public_address_hour: float
    alarm_month: float
    table_write: float
    key_month: float
    web_acl_month: float
    web_acl_rule_month: float
    spot_share: float


PRICES = Prices(
    vcpu_hour={"X86_64": 0.04656, "ARM64": 0.03725},
    gib_hour={"X86_64": 0.00511, "ARM64": 0.00409},
    nat_gateway_hour=0.059,
    interface_endpoint_hour=0.013,
    load_balancer_hour=0.0225,
    public_address_hour=0.005,
    alarm_month=0.10,
    # DynamoDB on demand, a million.
    table_write=0.678 / 1e6,
    # The first and the second rotation of a key add a dollar a month each.
    key_month=1.00,
    web_acl_month=5.00,
    web_acl_rule_month=1.00,
    # Spot's price moves; AWS names up to 70 % off.
    spot_share=0.3,
)
ALARMS_OF_WEB_API = 9
ALARMS_OF_SCHEDULER = 6
ALARMS_OF_LEASE = 2
RULES_OF_WEB_ACL = len(MANAGED_RULES) + 1
RENEWALS_OF_LEASE = 6
"""How often a lease is renewed in its duration."""


@dataclass(frozen=True)
class Month:
    """A month's fixed costs in US dollars."""

    web_api: float
    schedulers: float
    network: float
    load_balancer: float
    alarms: float
    security: float

    @property
    def total(self) -> float:
        return float(sum(dataclasses.astuple(self)))


def task_month(size: TaskSize, spot: bool = False) -> float:
    """One task that runs all month."""
    hour = size.cpu / 1024 * PRICES.vcpu_hour[size.cpu_architecture]
    hour += size.memory_mib / 1024 * PRICES.gib_hour[size.cpu_architecture]
    return hour * HOURS * (PRICES.spot_share if spot else 1)


def lease_month(scheduler: SchedulerSettings) -> float:
    """One lease that is held all month: a write for each renewal; nothing without a lease."""
    if scheduler.lease is None:
        return 0.0
    return HOURS * 3600 / (scheduler.lease.duration_seconds / RENEWALS_OF_LEASE) * PRICES.table_write


def month(settings: Settings) -> Month:
    """What a stack costs with the web API at its minimum."""
    web = settings.web_api
    zones, gateways, endpoints = 2, 0, 0
    vpc = settings.network.value()
    if isinstance(vpc, NewVpc):
        zones = vpc.number_of_availability_zones
        gateways = {"NONE": 0, "SINGLE": 1, "ONE_PER_AZ": zones}[vpc.nat_gateway_strategy]
        # Each interface endpoint costs by the zone; the gateways are free.
        endpoints = len(INTERFACE_SERVICES) * zones if vpc.has_vpc_endpoints else 0
    alarms = ALARMS_OF_WEB_API + ALARMS_OF_SCHEDULER * len(settings.schedulers)
    alarms += ALARMS_OF_LEASE * sum(each.lease is not None for each in settings.schedulers)
    return Month(
        web_api=web.autoscaling.minimum_count * task_month(web.size),
        schedulers=sum(
            task_month(each.size, each.spot_opt_in) + lease_month(each) for each in settings.schedulers
        ),
        network=HOURS
        * (
            gateways * (PRICES.nat_gateway_hour + PRICES.public_address_hour)
            + endpoints * PRICES.interface_endpoint_hour
        ),
        load_balancer=(PRICES.load_balancer_hour + zones * PRICES.public_address_hour) * HOURS,
        alarms=alarms * PRICES.alarm_month,
        security=(PRICES.key_month if settings.encryption.create else 0)
        + (
            0
            if web.load_balancer.web_acl is None
            else PRICES.web_acl_month + RULES_OF_WEB_ACL * PRICES.web_acl_rule_month
        ),
    )


def with_choice(settings: Settings, **choice: Any) -> Settings:
    """The same settings with another architecture, Spot, NAT strategy, scheduler size, or leases."""
    # What something saves is told of what an audited stack may not leave out as well.
    values = settings.model_dump(mode="python", exclude_none=True) | {"audited": False}
    if architecture := choice.get("architecture"):
        for service in (values["web_api"], *values["schedulers"]):
            service["size"] = {**_plain(service["size"]), "cpu_architecture": architecture}
    if choice.get("spot"):
        for scheduler in values["schedulers"]:
            scheduler["spot_opt_in"] = True
    if choice.get("lease"):
        for scheduler in values["schedulers"]:
            scheduler["lease"] = {}
    if "encryption" in choice:
        values["encryption"] = choice["encryption"]
    if "web_acl" in choice:
        values["web_api"]["load_balancer"]["web_acl"] = choice["web_acl"]
    network = {name: choice[name] for name in ("nat_gateway_strategy", "vpc_endpoints") if name in choice}
    if network:
        values["network"]["create"] = _plain(values["network"]["create"]) | network
    if size := choice.get("scheduler_size"):
        for scheduler in values["schedulers"]:
            scheduler["size"] = size
    return Settings.model_validate(values)


def _plain(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else dataclasses.asdict(value)


CHOICES: dict[str, dict[str, Any]] = {
    "as configured": {},
    "ARM64": {"architecture": "ARM64"},
    "schedulers on Spot": {"spot": True},
    "schedulers at 256 CPU units, 512 MiB": {"scheduler_size": {"cpu": 256, "memory_mib": 512}},
    "a lease for each scheduler": {"lease": True},
    "one NAT gateway": {"nat_gateway_strategy": "SINGLE"},
    "endpoints beside the NAT gateways": {"vpc_endpoints": True},
    "no key of its own": {"encryption": {}},
    "no web ACL": {"web_acl": None},
    "endpoints instead of NAT gateways": {"nat_gateway_strategy": "NONE"},
}


def page() -> str:
    """The whole page."""
    lines = [
        "# What a month costs",
        "",
        "<!-- Written by `make docs` from the stacks' files and tools/costs.py; change those. -->",
        "",
        f"Fixed costs in US dollars a month ({HOURS} hours) in `{REGION}`, on demand, web API at its",
        f"minimum, by AWS's price list as of {PRICES_OF} ([Fargate]({SOURCE}), VPC, Elastic Load",
        "Balancing, CloudWatch, DynamoDB, KMS, WAF). A lease is a write every ten seconds and two alarms; a",
        "key is one of the stack's own (`encryption.create`).",
        f"Spot is counted at {PRICES.spot_share:.0%} of the price, the best that AWS names; it moves.",
        "",
        "| stack | web API | schedulers | NAT gateways, endpoints | load balancer | alarms | key, web ACL "
        "| month |",
        "|---|---|---|---|---|---|---|---|",
    ]
    stacks = {stack: load(stack) for stack in STACKS}
    for stack, settings in stacks.items():
        each = month(settings)
        parts = (each.web_api, each.schedulers, each.network, each.load_balancer, each.alarms, each.security)
        lines.append(f"| `{stack}` | {' | '.join(f'{part:.2f}' for part in parts)} | **{each.total:.2f}** |")
    lines += ["", "| by choice | " + " | ".join(f"`{stack}`" for stack in STACKS) + " |", "|---|---|---|---|"]
    for name, choice in CHOICES.items():
        totals = [month(with_choice(settings, **choice)).total for settings in stacks.values()]
        lines.append(f"| {name} | {' | '.join(f'{total:.2f}' for total in totals)} |")
    lines += [
        "",
        "Not counted, because it depends on use: load balancer capacity units (0.008 an hour each), traffic",
        "through a NAT gateway (0.059 a GB) or an endpoint (0.01 a GB), log volume (0.76 a GB taken in),",
        "which flow logs are a part of, metrics of Container Insights, images in ECR (0.10 a GB), requests",
        "that a web ACL inspects (0.60 a million), uses of a key (0.03 for ten thousand).",
        "",
    ]
    return "\n".join(lines)


def load(stack: str) -> Settings:
    """The settings in a stack's file, as the engine would hand them over."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    return parse_settings(
        stack,
        {
            key.removeprefix("fileflow:"): value if isinstance(value, str) else json.dumps(value)
            for key, value in config.items()
            if key.startswith("fileflow:")
        },
    )
