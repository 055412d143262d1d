"""ECS: clusters, their capacity providers, task definitions, services."""

from __future__ import annotations

from ...resource import Resource
from .cluster import Cluster, ClusterCapacityProviders
from .service import Service
from .task_definition import TaskDefinition

RESOURCES: tuple[Resource, ...] = (Cluster(), ClusterCapacityProviders(), Service(), TaskDefinition())
