"""KMS: keys and their aliases.

Doesn't own keys that are asymmetric, of several regions or in a key store.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in key.go and alias.go of
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/kms
"""

from __future__ import annotations

from typing import Any, Final

from ..modelled import Ask, Modelled
from ..resource import Answer, Inputs, Outputs, State, facts, names, pairs

_ONLY_POLICY: Final = facts(PolicyName="default")


class Key(Modelled):
    """KMS never deletes a key at once: it waits `deletionWindowInDays`, and so long it can be taken back."""

    token = "aws:kms/key:Key"
    key = "keyId"
    made_by = Ask("CreateKey", "KeyMetadata")
    read_by = (
        Ask("DescribeKey", "KeyMetadata"),
        Ask("GetKeyPolicy", fixed=_ONLY_POLICY),
        Ask("GetKeyRotationStatus"),
    )
    changed_by = (
        Ask("EnableKey", only=("isEnabled",), without="DisableKey"),
        Ask("EnableKeyRotation", only=("enableKeyRotation",), without="DisableKeyRotation"),
        Ask("UpdateKeyDescription"),
        Ask("PutKeyPolicy", fixed=_ONLY_POLICY),
    )
    deleted_by = Ask("ScheduleKeyDeletion")
    # A principal that was made a moment ago isn't known everywhere yet.
    passing = names("MalformedPolicyDocumentException")
    named = pairs("""customerMasterKeySpec=KeySpec deletionWindowInDays=PendingWindowInDays
        enableKeyRotation=KeyRotationEnabled isEnabled=Enabled""")
    replacing = names("customerMasterKeySpec customKeyStoreId keyUsage multiRegion xksKeyId")
    lacking = names("""bypassPolicyLockoutSafetyCheck customKeyStoreId customerMasterKeySpec keyUsage
        multiRegion rotationPeriodInDays xksKeyId""")
    defaults = facts(
        bypassPolicyLockoutSafetyCheck=False,
        customerMasterKeySpec="SYMMETRIC_DEFAULT",
        isEnabled=True,
        keyUsage="ENCRYPT_DECRYPT",
    )
    policies = names("policy")
    missing = names("KMSInvalidStateException")

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        return None if found["KeyState"].startswith("Pending") else outputs


def _same_key(there: Any, argument: Any) -> bool:
    """Whether two names are the same key's: AWS says its id, the program may say its ARN."""
    return str(there).rpartition("/")[2] == str(argument).rpartition("/")[2]


class Alias(Modelled):
    token = "aws:kms/alias:Alias"
    made_by = Ask("CreateAlias")
    read_by = (Ask("ListAliases", "Aliases", same=("name",)),)
    changed_by = (Ask("UpdateAlias"),)
    deleted_by = Ask("DeleteAlias")
    noun = "Alias"
    replacing = names("name")
    lacking = names("namePrefix")
    same = facts(targetKeyId=_same_key)
    by_hand = names("targetKeyArn")

    def check(self, inputs: Inputs) -> list[tuple[str, str]]:
        name = inputs.get("name")
        if isinstance(name, str) and not name.startswith("alias/"):
            return [("name", f"`name` must begin with alias/, not {name!r}")]
        return []

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs:
        key = f"{outputs['arn'].rpartition(':')[0]}:key/{outputs['targetKeyId']}"
        return {**outputs, "targetKeyArn": key}
