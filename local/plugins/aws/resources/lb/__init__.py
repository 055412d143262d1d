"""Elastic Load Balancing: load balancers, target groups, listeners and rules."""

from __future__ import annotations

from ...resource import Resource
from .listeners import Listener, ListenerRule
from .load_balancers import LoadBalancer
from .target_groups import TargetGroup

RESOURCES: tuple[Resource, ...] = (
    Listener(),
    ListenerRule(),
    LoadBalancer(),
    TargetGroup(),
)
