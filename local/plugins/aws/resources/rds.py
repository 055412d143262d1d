"""RDS: database instances.

Doesn't own restores, replicas, Active Directory, secrets that RDS manages and blue/green updates: an
instance that asks for one is refused.
Source of what replaces and of the defaults: `ForceNew` and `Default` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/instance.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modelled import Ask, Modelled, Tags
from ..naming import AutoName
from ..places import Places
from ..resource import Resource, State, facts, names

# Nothing waits for a maintenance window on the emulated AWS.
_AT_ONCE = facts(ApplyImmediately=True)
_DOMAIN = (
    *("domain", "domainAuthSecretArn", "domainDnsIps", "domainFqdn", "domainIamRoleName", "domainOu"),
    "warningEventCategories",
)


def _same_version(there: Any, argument: Any) -> bool:
    """Whether AWS runs the version that is asked for: `15` is whichever 15 there is."""
    return argument in (None, "", there) or str(there).startswith(f"{argument}.")


class Instance(Modelled):
    token = "aws:rds/instance:Instance"
    key = "identifier"
    made_by = Ask("CreateDBInstance", "DBInstance")
    read_by = (Ask("DescribeDBInstances", "DBInstances"),)
    changed_by = (Ask("ModifyDBInstance", fixed=_AT_ONCE),)
    deleted_by = Ask("DeleteDBInstance")
    tags = Tags("ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")
    ready = ("DBInstanceStatus", "available")
    places = Places(
        noun="DBInstance",
        named={
            "address": "Endpoint.Address",
            "backupWindow": "PreferredBackupWindow",
            "caCertIdentifier": "CACertificateIdentifier",
            "customerOwnedIpEnabled": "EnableCustomerOwnedIp|CustomerOwnedIpEnabled",
            "dbSubnetGroupName": "DBSubnetGroupName|DBSubnetGroup.DBSubnetGroupName",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports|EnabledCloudwatchLogsExports",
            "engineVersionActual": "EngineVersion",
            "finalSnapshotIdentifier": "FinalDBSnapshotIdentifier",
            "hostedZoneId": "Endpoint.HostedZoneId",
            "iamDatabaseAuthenticationEnabled": (
                "EnableIAMDatabaseAuthentication|IAMDatabaseAuthenticationEnabled"
            ),
            "instanceClass": "DBInstanceClass",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "optionGroupName": "OptionGroupName|OptionGroupMemberships.OptionGroupName",
            "parameterGroupName": "DBParameterGroupName|DBParameterGroups.DBParameterGroupName",
            "password": "MasterUserPassword",
            "performanceInsightsEnabled": "EnablePerformanceInsights|PerformanceInsightsEnabled",
            "port": "DBPortNumber|Port|Endpoint.Port",
            "replicas": "ReadReplicaDBInstanceIdentifiers",
            "resourceId": "DbiResourceId",
            "username": "MasterUsername",
            "vpcSecurityGroupIds": "VpcSecurityGroupIds|VpcSecurityGroups.VpcSecurityGroupId",
        },
    )
    replacing = names("""availabilityZone backupTarget characterSetName customIamInstanceProfile dbName engine
        kmsKeyId ncharCharacterSetName storageEncrypted timezone username""")
    settled = names("enabledCloudwatchLogsExports engineLifecycleSupport identifier")
    lacking = frozenset(
        {
            *("blueGreenUpdate", "identifierPrefix", "manageMasterUserPassword", "masterUserSecretKmsKeyId"),
            *("passwordWo", "passwordWoVersion", "replicaMode", "replicateSourceDb", "restoreToPointInTime"),
            *("s3Import", "snapshotIdentifier", "upgradeStorageConfig", *_DOMAIN),
        }
    )
    auto_name = AutoName(property="identifier", max_length=63, lower=True)
    defaults = facts(
        {
            **dict.fromkeys(("autoMinorVersionUpgrade", "deleteAutomatedBackups"), True),
            **dict.fromkeys(("applyImmediately", "copyTagsToSnapshot", "dedicatedLogVolume"), False),
            **dict.fromkeys(("performanceInsightsEnabled", "publiclyAccessible", "skipFinalSnapshot"), False),
            "monitoringInterval": 0,
        }
    )
    sets = names("enabledCloudwatchLogsExports vpcSecurityGroupIds")
    same = facts(engineVersion=_same_version)
    kept = names("""allowMajorVersionUpgrade applyImmediately deleteAutomatedBackups password
        finalSnapshotIdentifier skipFinalSnapshot""")
    by_hand = names("endpoint listenerEndpoints masterUserSecrets")

    def told(self, outputs: Mapping[str, Any], found: Mapping[str, Any], state: State) -> Mapping[str, Any]:
        endpoint = f"{outputs['address']}:{outputs['port']}" if outputs["address"] else ""
        return {**outputs, "endpoint": endpoint, "id": outputs["resourceId"]}


RESOURCES: tuple[Resource, ...] = (Instance(),)
