"""RDS: database instances.

Doesn't own restores, replicas, Active Directory, secrets that RDS manages and blue/green updates: an
instance that asks for one is refused.
Source of what replaces and of the defaults: `ForceNew` and `Default` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/instance.go
"""

from __future__ import annotations

from ..modelled import Ask, Modelled
from ..naming import AutoName
from ..resource import Answer, Outputs, State, facts, names, pairs
from .defaulting import AT_ONCE, same_version


class Instance(Modelled):
    token = "aws:rds/instance:Instance"
    made_by = Ask("CreateDBInstance", "DBInstance")
    read_by = (Ask("DescribeDBInstances", "DBInstances"),)
    changed_by = (Ask("ModifyDBInstance", fixed=AT_ONCE),)
    deleted_by = Ask("DeleteDBInstance")
    ready = ("DBInstanceStatus", "available")
    noun = "DBInstance DB Dbi Preferred Master MasterUser"
    within = "Endpoint DBSubnetGroup DBParameterGroups OptionGroupMemberships VpcSecurityGroups"
    named = pairs("""caCertIdentifier=CACertificateIdentifier port=DBPortNumber|Port
        finalSnapshotIdentifier=FinalDBSnapshotIdentifier replicas=ReadReplicaDBInstanceIdentifiers""")
    replacing = names("""availabilityZone backupTarget characterSetName customIamInstanceProfile dbName engine
        kmsKeyId ncharCharacterSetName storageEncrypted timezone username""")
    settled = names("enabledCloudwatchLogsExports engineLifecycleSupport identifier")
    lacking = names("""blueGreenUpdate domain* identifierPrefix manage* masterUserSecretKmsKeyId passwordWo*
        replica* restore* s3Import snapshotIdentifier upgradeStorageConfig warningEventCategories""")
    auto_name = AutoName(property="identifier", max_length=63, lower=True)
    off = names("""applyImmediately copyTagsToSnapshot dedicatedLogVolume monitoringInterval
        performanceInsightsEnabled skipFinalSnapshot""")
    defaults = facts(autoMinorVersionUpgrade=True, deleteAutomatedBackups=True, publiclyAccessible=False)
    sets = names("enabledCloudwatchLogsExports vpcSecurityGroupIds")
    same = facts(engineVersion=same_version)

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        endpoint = f"{outputs['address']}:{outputs['port']}" if outputs["address"] else ""
        return {**outputs, "endpoint": endpoint, "id": outputs["resourceId"]}
