"""Elastic Load Balancing functions: load balancers that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Inputs, function, tag_map
from ..resources.calls import told_of, unless_absent
from ..resources.lb.load_balancers import LoadBalancer


def _by_tags(elbv2: Any, arns: list[str], args: Inputs) -> list[str]:
    def tags(arn: str) -> dict[str, str]:
        return tag_map(elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])

    wanted = (args.get("tags") or {}).items()
    return [arn for arn in arns if not wanted or wanted <= tags(arn).items()]


@function("aws:lb/getLoadBalancer:getLoadBalancer")
def _get_load_balancer(call: Call, args: Inputs) -> Mapping[str, Any]:
    elbv2 = call.client("elbv2")
    wanted = {"LoadBalancerArns": args.get("arn"), "Names": args.get("name")}
    parameters = {name: [value] for name, value in wanted.items() if value}
    found = unless_absent(
        lambda: elbv2.describe_load_balancers(**parameters)["LoadBalancers"], "LoadBalancerNotFound"
    )
    arns = _by_tags(elbv2, [balancer["LoadBalancerArn"] for balancer in found or ()], args)
    if len(arns) != 1:
        asked = ", ".join(f"{name} {value}" for name, value in sorted(args.items()) if name != "region")
        raise LookupError(
            f"{len(arns) or 'no'} load balancers match {asked or 'nothing in particular'}; exactly one must"
        )
    outputs = told_of(LoadBalancer(), call, arns[0])
    listed = ("connectionLogs", "healthCheckLogs", "ipamPools")
    return {**outputs, **{name: [outputs[name]] if outputs[name] else [] for name in listed}}


@function("aws:lb/getLbs:getLbs")
def _get_lbs(call: Call, args: Inputs) -> Mapping[str, Any]:
    elbv2 = call.client("elbv2")
    pages = elbv2.get_paginator("describe_load_balancers").paginate()
    arns = [balancer["LoadBalancerArn"] for page in pages for balancer in page["LoadBalancers"]]
    return {"id": call.region, "arns": sorted(_by_tags(elbv2, arns, args)), "tags": args.get("tags")}
