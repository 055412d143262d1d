"""ElastiCache: replication groups.

Doesn't own shards that are given one by one, global groups, user groups and log delivery: a group that asks
for one is refused, and so is a change of how many nodes there are.
Source of what replaces: `ForceNew` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elasticache/replication_group.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modelled import Ask, Modelled, Tags
from ..naming import AutoName
from ..places import Places
from ..resource import Resource, State, facts, names
from .defaulting import if_given

# Nothing waits for a maintenance window on the emulated AWS.
_AT_ONCE = facts(ApplyImmediately=True)


class ReplicationGroup(Modelled):
    token = "aws:elasticache/replicationGroup:ReplicationGroup"
    key = "replicationGroupId"
    made_by = Ask("CreateReplicationGroup", "ReplicationGroup")
    read_by = (
        Ask("DescribeReplicationGroups", "ReplicationGroups"),
        Ask("DescribeCacheClusters", "CacheClusters"),
    )
    changed_by = (Ask("ModifyReplicationGroup", fixed=_AT_ONCE),)
    deleted_by = Ask("DeleteReplicationGroup")
    tags = Tags("ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")
    ready = ("Status", "available")
    places = Places(
        noun="ReplicationGroup",
        named={
            "automaticFailoverEnabled": "AutomaticFailoverEnabled|AutomaticFailover",
            "configurationEndpointAddress": "ConfigurationEndpoint.Address",
            "dataTieringEnabled": "DataTieringEnabled|DataTiering",
            "engineVersionActual": "EngineVersion",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "memberClusters": "MemberClusters|CacheClusterId",
            "multiAzEnabled": "MultiAZEnabled|MultiAZ",
            "nodeType": "CacheNodeType",
            "notificationTopicArn": "NotificationTopicArn|NotificationConfiguration.TopicArn",
            "parameterGroupName": "CacheParameterGroupName|CacheParameterGroup.CacheParameterGroupName",
            "port": "Port|NodeGroups.PrimaryEndpoint.Port",
            "primaryEndpointAddress": "NodeGroups.PrimaryEndpoint.Address",
            "readerEndpointAddress": "NodeGroups.ReaderEndpoint.Address",
            "securityGroupIds": "SecurityGroupIds|SecurityGroups.SecurityGroupId",
            "subnetGroupName": "CacheSubnetGroupName",
        },
    )
    replacing = names("""atRestEncryptionEnabled dataTieringEnabled kmsKeyId networkType port
        replicationGroupId snapshotArns snapshotName subnetGroupName""")
    settled = names("numCacheClusters numNodeGroups replicasPerNodeGroup")
    lacking = names("""authTokenWo authTokenWoVersion globalReplicationGroupId logDeliveryConfigurations
        nodeGroupConfigurations securityGroupNames userGroupIds""")
    auto_name = AutoName(property="replicationGroupId", max_length=40, lower=True)
    defaults = facts(automaticFailoverEnabled=False, multiAzEnabled=False)
    sets = names("securityGroupIds snapshotArns")
    same = facts(port=if_given)
    kept = names("""applyImmediately authToken authTokenUpdateStrategy finalSnapshotIdentifier
        preferredCacheClusterAzs snapshotArns snapshotName""")
    by_hand = names("numCacheClusters numNodeGroups replicasPerNodeGroup")

    def told(self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State) -> Mapping[str, Any]:
        nodes, shards = len(outputs["memberClusters"]), len(found["NodeGroups"])
        replicas = {"numCacheClusters": nodes, "replicasPerNodeGroup": nodes // shards - 1}
        return {**outputs, **replicas, "numNodeGroups": shards}


RESOURCES: tuple[Resource, ...] = (ReplicationGroup(),)
