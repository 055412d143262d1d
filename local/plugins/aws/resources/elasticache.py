"""ElastiCache: replication groups.

Doesn't own shards that are given one by one, how many replicas each has, global groups, user groups and log
delivery: a group that asks for one is refused, and so is a change of how many nodes there are.
Source of what replaces: `ForceNew` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elasticache/replication_group.go
"""

from __future__ import annotations

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import facts, names, pairs
from .defaulting import AT_ONCE, if_given


class ReplicationGroup(Modelled):
    token = "aws:elasticache/replicationGroup:ReplicationGroup"
    made_by = Ask("CreateReplicationGroup", "ReplicationGroup")
    read_by = (
        Ask("DescribeReplicationGroups", "ReplicationGroups"),
        Ask("DescribeCacheClusters", "CacheClusters"),
    )
    changed_by = (Ask("ModifyReplicationGroup", fixed=AT_ONCE),)
    deleted_by = Ask("DeleteReplicationGroup")
    ready = ("Status", "available")
    noun = "ReplicationGroup Cache Preferred"
    within = "NodeGroups CacheParameterGroup SecurityGroups"
    named = pairs("""memberClusters=MemberClusters|CacheClusterId
        notificationTopicArn=NotificationTopicArn|NotificationConfiguration.TopicArn
        numCacheClusters=NumCacheClusters|MemberClusters numNodeGroups=NumNodeGroups|NodeGroups
        port=Port|PrimaryEndpoint.Port""")
    replacing = names("""atRestEncryptionEnabled dataTieringEnabled kmsKeyId networkType port
        replicationGroupId snapshotArns snapshotName subnetGroupName""")
    settled = names("numCacheClusters numNodeGroups preferredCacheClusterAzs")
    lacking = names("""authTokenWo* globalReplicationGroupId logDeliveryConfigurations nodeGroupConfigurations
        replicasPerNodeGroup securityGroupNames userGroupIds""")
    auto_name = AutoName(property="replicationGroupId", max_length=40, lower=True)
    off = names("automaticFailoverEnabled multiAzEnabled")
    sets = names("securityGroupIds snapshotArns")
    same = facts(port=if_given)
