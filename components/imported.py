"""What a resource keeps that was imported: names that the program would generate, and what AWS can't change.

Owns the arguments for `ignore_changes`. A resource that the program makes has the generated value from the
start, so nothing of it is ignored. Doesn't own the import: see docs/migration.md.
Source: https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/
"""

from __future__ import annotations

KEPT_OF_ROLE = ["name", "path"]
"""Policies of buckets, keys and queues name a role's ARN, which holds both; IAM changes neither.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
"""
KEPT_OF_SECURITY_GROUP = ["name", "description"]
"""Databases let a group in by its id, which goes with either; EC2 changes neither.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""
