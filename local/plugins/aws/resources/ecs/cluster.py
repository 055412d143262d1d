"""ECS clusters and the capacity providers that they may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...naming import AutoName
from ...resource import Call, Inputs, Resource, State, without_none
from ..calls import retried, touched
from ..spelling import without_absent
from . import tags

_DELETION_SECONDS: Final = 600
_CHANGE_SECONDS: Final = 600


def find(call: Call, name_or_arn: str) -> Mapping[str, Any] | None:
    """The active cluster, or None."""
    answer = call.client("ecs").describe_clusters(
        clusters=[name_or_arn], include=["TAGS", "SETTINGS", "CONFIGURATIONS"]
    )
    return next((c for c in answer["clusters"] if c.get("status") != "INACTIVE"), None)


class Cluster(Resource):
    token = "aws:ecs/cluster:Cluster"
    auto_name = AutoName(max_length=255)
    sets = frozenset({"settings"})
    missing = frozenset({"ClusterNotFoundException"})

    def create(self, call: Call, inputs: Inputs) -> str:
        answer = call.client("ecs").create_cluster(
            clusterName=inputs["name"],
            tags=tags.to_ecs(inputs),
            **self._parameters(inputs),
        )
        return str(answer["cluster"]["clusterArn"])

    def _parameters(self, inputs: Inputs) -> dict[str, Any]:
        return without_none(
            settings=inputs.get("settings"),
            configuration=without_absent(inputs.get("configuration")),
            serviceConnectDefaults=without_absent(inputs.get("serviceConnectDefaults")),
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        cluster = find(call, resource_id)
        if cluster is None:
            return None
        return {
            "id": cluster["clusterArn"],
            "arn": cluster["clusterArn"],
            "name": cluster["clusterName"],
            "configuration": cluster.get("configuration") or None,
            "serviceConnectDefaults": cluster.get("serviceConnectDefaults") or None,
            "settings": [{"name": s["name"], "value": s["value"]} for s in cluster.get("settings") or []],
            "tagsAll": tags.from_ecs(cluster.get("tags")),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        ecs = call.client("ecs")
        if touched(changed, "settings", "configuration", "serviceConnectDefaults"):
            parameters = self._parameters(new)
            if old.get("serviceConnectDefaults") and not new.get("serviceConnectDefaults"):
                parameters["serviceConnectDefaults"] = {"namespace": ""}
            if parameters:
                ecs.update_cluster(cluster=resource_id, **parameters)
        tags.change(ecs, resource_id, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        # Services and tasks that were deleted just now are still draining.
        retried(
            call,
            f"cluster {resource_id} has become empty",
            lambda: call.client("ecs").delete_cluster(cluster=resource_id),
            "ClusterContainsServicesException",
            "ClusterContainsTasksException",
            "ClusterContainsContainerInstancesException",
            "ClusterContainsCapacityProviderException",
            "UpdateInProgressException",
            default_timeout_seconds=_DELETION_SECONDS,
        )


class ClusterCapacityProviders(Resource):
    token = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
    sets = frozenset({"capacityProviders", "defaultCapacityProviderStrategies"})
    missing = frozenset({"ClusterNotFoundException"})

    def create(self, call: Call, inputs: Inputs) -> str:
        name = str(inputs["clusterName"])
        self._put(call, name, inputs)
        return name

    def _put(self, call: Call, cluster: str, inputs: Inputs) -> None:
        retried(
            call,
            f"cluster {cluster} has finished its earlier change",
            lambda: call.client("ecs").put_cluster_capacity_providers(
                cluster=cluster,
                capacityProviders=inputs.get("capacityProviders") or [],
                defaultCapacityProviderStrategy=without_absent(
                    inputs.get("defaultCapacityProviderStrategies") or []
                ),
            ),
            "ResourceInUseException",
            "UpdateInProgressException",
            default_timeout_seconds=_CHANGE_SECONDS,
        )

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        cluster = find(call, resource_id)
        if cluster is None:
            return None
        return {
            "clusterName": cluster["clusterName"],
            "capacityProviders": list(cluster.get("capacityProviders") or []),
            "defaultCapacityProviderStrategies": list(cluster.get("defaultCapacityProviderStrategy") or []),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        self._put(call, resource_id, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        self._put(call, resource_id, {})
