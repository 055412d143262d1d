"""ECS clusters and the capacity providers that they may use.

Sources of what replaces: `ForceNew` in cluster.go and cluster_capacity_providers.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecs
"""

from __future__ import annotations

from typing import Final

from ...modelled import Ask, Modelled, Tags
from ...naming import AutoName
from ...resource import Answer, Call, Outputs, State, facts, names, pairs

_ALL: Final = facts(include=["TAGS", "SETTINGS", "CONFIGURATIONS"])


_LOG: Final = "configuration.executeCommandConfiguration.logConfiguration"


class _OfACluster(Modelled):
    read_by = (Ask("DescribeClusters", "clusters", _ALL),)

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        return None if found.get("status") == "INACTIVE" else outputs


class Cluster(_OfACluster):
    token = "aws:ecs/cluster:Cluster"
    key = "arn"
    identity = "arn"
    made_by = Ask("CreateCluster", "cluster")
    changed_by = (Ask("UpdateCluster"),)
    deleted_by = Ask("DeleteCluster")
    tags = Tags(reading="")
    # Services and tasks that were deleted just now are still draining.
    passing = names("""ClusterContainsCapacityProviderException ClusterContainsContainerInstancesException
        ClusterContainsServicesException ClusterContainsTasksException UpdateInProgressException""")
    passing_timeout_seconds = 600
    noun = "cluster"
    named = facts(
        {
            "arn": "clusterArn|clusters|cluster",
            f"{_LOG}.s3BucketEncryptionEnabled": "s3EncryptionEnabled",
            "tagsAll": "tags",
        }
    )
    replacing = names("name")
    lacking = names("serviceConnectDefaults")
    auto_name = AutoName(max_length=255)
    sets = names("settings")


class ClusterCapacityProviders(_OfACluster):
    token = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
    key = "clusterName"
    made_by = Ask("PutClusterCapacityProviders", whole=True)
    deleted_by = made_by
    passing = names("ResourceInUseException UpdateInProgressException")
    passing_timeout_seconds = 600
    named = pairs("clusterName=clusterName|clusters|cluster")
    replacing = names("clusterName")
    sets = names("capacityProviders defaultCapacityProviderStrategies")

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        super().delete(call, resource_id, {"clusterName": state["clusterName"]})
