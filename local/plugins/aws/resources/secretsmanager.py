"""Secrets Manager: secrets and their values."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..naming import AutoName
from ..resource import Call, Inputs, Resource, State, name_of, tag_changes, tag_list, tag_map
from .calls import added_and_removed, given, retried, touched, unless_absent

_ABSENT: Final = "ResourceNotFoundException"
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_LONGEST_WAIT_DAYS: Final = 30
# A secret that is being deleted keeps its name for a while.
_NAME_HELD: Final = "InvalidRequestException"


def find_secret(client: Any, secret_id: str) -> dict[str, Any] | None:
    """The secret's description; None for one that is going to be deleted."""
    found = unless_absent(lambda: client.describe_secret(SecretId=secret_id), _ABSENT)
    return None if found is None or found.get("DeletedDate") else dict(found)


class Secret(Resource):
    token = "aws:secretsmanager/secret:Secret"
    auto_name = AutoName(max_length=512)
    defaults = MappingProxyType(
        {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": _LONGEST_WAIT_DAYS}
    )
    exclusive = (("name", "namePrefix"),)
    policies = frozenset({"policy"})
    sets = frozenset({"replicas"})
    kept = frozenset({"forceOverwriteReplicaSecret", "recoveryWindowInDays", "type"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        client = call.client("secretsmanager")
        name = name_of(inputs)
        parameters = {
            "ClientRequestToken": uuid.uuid4().hex,
            "ForceOverwriteReplicaSecret": bool(inputs.get("forceOverwriteReplicaSecret")),
            "Name": name,
            **given(inputs, Description="description", KmsKeyId="kmsKeyId", Type="type"),
            **self._replicas(inputs),
            **({"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}),
        }
        made = retried(
            call,
            f"the name {name} is free",
            lambda: client.create_secret(**parameters),
            _NAME_HELD,
            default_timeout_seconds=60,
        )
        arn = str(made["ARN"])
        if inputs.get("policy"):
            self._put_policy(call, arn, inputs["policy"])
        return arn

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        client = call.client("secretsmanager")
        found = find_secret(client, resource_id)
        if found is None:
            return None
        return {
            "arn": found["ARN"],
            "description": found.get("Description", ""),
            "kmsKeyId": found.get("KmsKeyId", ""),
            "name": found["Name"],
            "namePrefix": state.get("namePrefix") or "",
            "policy": client.get_resource_policy(SecretId=resource_id).get("ResourcePolicy") or "",
            "replicas": [
                {
                    "kmsKeyId": replica.get("KmsKeyId", ""),
                    "lastAccessedDate": str(replica.get("LastAccessedDate") or ""),
                    "region": replica["Region"],
                    "status": replica.get("Status", ""),
                    "statusMessage": replica.get("StatusMessage", ""),
                }
                for replica in found.get("ReplicationStatus", [])
            ],
            "tagsAll": tag_map(found.get("Tags")),
            "id": found["ARN"],
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        client = call.client("secretsmanager")
        if touched(changed, "replicas"):
            self._change_replicas(client, resource_id, old, new)
        if touched(changed, "description", "kmsKeyId"):
            client.update_secret(
                SecretId=resource_id,
                ClientRequestToken=uuid.uuid4().hex,
                Description=new.get("description") or "",
                **given(new, KmsKeyId="kmsKeyId"),
            )
        if "policy" in changed:
            if new.get("policy"):
                self._put_policy(call, resource_id, new["policy"])
            else:
                client.delete_resource_policy(SecretId=resource_id)
        wanted, gone = tag_changes(old, new)
        if gone:
            client.untag_resource(SecretId=resource_id, TagKeys=gone)
        if wanted:
            client.tag_resource(SecretId=resource_id, Tags=tag_list(wanted))
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        client = call.client("secretsmanager")
        if find_secret(client, resource_id) is None:
            return
        regions = [replica["region"] for replica in state.get("replicas") or ()]
        if regions:
            client.remove_regions_from_replication(SecretId=resource_id, RemoveReplicaRegions=regions)
        window = state.get("recoveryWindowInDays", _LONGEST_WAIT_DAYS)
        if window is None:
            window = _LONGEST_WAIT_DAYS
        how = {"RecoveryWindowInDays": window} if window else {"ForceDeleteWithoutRecovery": True}
        client.delete_secret(SecretId=resource_id, **how)
        call.wait_until(
            f"secret {resource_id} is deleted", lambda: find_secret(client, resource_id) is None, 120
        )

    @staticmethod
    def _replicas(inputs: Inputs) -> dict[str, Any]:
        replicas = [
            given(replica, KmsKeyId="kmsKeyId", Region="region") for replica in inputs.get("replicas") or ()
        ]
        return {"AddReplicaRegions": replicas} if replicas else {}

    def _change_replicas(self, client: Any, arn: str, old: State, new: Inputs) -> None:
        def keys(inputs: Inputs) -> list[tuple[str, str]]:
            return [(r["region"], r.get("kmsKeyId") or "") for r in inputs.get("replicas") or ()]

        added, removed = added_and_removed(keys(old), keys(new))
        if removed:
            client.remove_regions_from_replication(
                SecretId=arn, RemoveReplicaRegions=[region for region, _ in removed]
            )
        if added:
            client.replicate_secret_to_regions(
                SecretId=arn,
                ForceOverwriteReplicaSecret=bool(new.get("forceOverwriteReplicaSecret")),
                AddReplicaRegions=[
                    {"Region": region, **({"KmsKeyId": key} if key else {})} for region, key in added
                ],
            )

    @staticmethod
    def _put_policy(call: Call, arn: str, policy: str) -> None:
        retried(
            call,
            f"the principals in the policy of {arn} are known",
            lambda: call.client("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=policy),
            "MalformedPolicyDocumentException",
            default_timeout_seconds=120,
        )


class SecretVersion(Resource):
    """A value; its id joins the secret's ARN and the version's id by a bar."""

    token = "aws:secretsmanager/secretVersion:SecretVersion"
    exclusive = (("secretBinary", "secretString", "secretStringWo"),)
    sets = frozenset({"versionStages"})
    kept = frozenset({"secretStringWo", "secretStringWoVersion"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        value: dict[str, Any] = {}
        if inputs.get("secretBinary"):
            value["SecretBinary"] = base64.b64decode(inputs["secretBinary"])
        else:
            text = inputs.get("secretString")
            value["SecretString"] = inputs.get("secretStringWo") if text is None else text
        made = call.client("secretsmanager").put_secret_value(
            SecretId=inputs["secretId"],
            ClientRequestToken=uuid.uuid4().hex,
            **{name: content for name, content in value.items() if content is not None},
            **given(inputs, VersionStages="versionStages"),
        )
        return f"{inputs['secretId']}|{made['VersionId']}"

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        client = call.client("secretsmanager")
        secret_id, _, version_id = resource_id.rpartition("|")
        if find_secret(client, secret_id) is None:
            return None
        found = unless_absent(
            lambda: client.get_secret_value(SecretId=secret_id, VersionId=version_id), _ABSENT
        )
        if found is None:
            return None
        binary = found.get("SecretBinary")
        write_only = state.get("secretStringWo") is not None or bool(state.get("hasSecretStringWo"))
        return {
            "arn": found["ARN"],
            "hasSecretStringWo": write_only or None,
            "secretArn": found["ARN"],
            "secretBinary": base64.b64encode(binary).decode() if binary else None,
            "secretId": state.get("secretId") or secret_id,
            "secretString": None if write_only else found.get("SecretString"),
            "versionId": found["VersionId"],
            "versionStages": sorted(found.get("VersionStages", [])),
        }

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del changed
        if new.get("versionStages") is None:
            return None
        client = call.client("secretsmanager")
        secret_id, _, version_id = resource_id.rpartition("|")
        added, removed = added_and_removed(old.get("versionStages"), new["versionStages"])
        for stage in added:
            holder = self._holder(client, secret_id, stage) if stage == _CURRENT else None
            client.update_secret_version_stage(
                SecretId=secret_id,
                MoveToVersionId=version_id,
                VersionStage=stage,
                **({"RemoveFromVersionId": holder} if holder else {}),
            )
        for stage in removed:
            # AWSCURRENT only moves, and AWSPREVIOUS follows it.
            if stage != _CURRENT and not (stage == _PREVIOUS and _CURRENT in added):
                self._remove_stage(client, secret_id, version_id, stage)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        client = call.client("secretsmanager")
        secret_id, _, version_id = resource_id.rpartition("|")
        if find_secret(client, secret_id) is None:
            return
        for stage in state.get("versionStages") or ():
            if stage != _CURRENT:
                unless_absent(
                    lambda stage=stage: self._remove_stage(  # type: ignore[misc]  # binds the loop's value
                        client, secret_id, version_id, stage
                    ),
                    _ABSENT,
                    "InvalidParameterException",
                )

    @staticmethod
    def _holder(client: Any, secret_id: str, stage: str) -> str | None:
        for page in client.get_paginator("list_secret_version_ids").paginate(SecretId=secret_id):
            for version in page["Versions"]:
                if stage in version.get("VersionStages", []):
                    return str(version["VersionId"])
        return None

    @staticmethod
    def _remove_stage(client: Any, secret_id: str, version_id: str, stage: str) -> None:
        client.update_secret_version_stage(
            SecretId=secret_id, RemoveFromVersionId=version_id, VersionStage=stage
        )


class SecretPolicy(Resource):
    """The resource policy of a secret."""

    token = "aws:secretsmanager/secretPolicy:SecretPolicy"
    policies = frozenset({"policy"})
    kept = frozenset({"blockPublicPolicy"})
    missing = frozenset({_ABSENT})

    def create(self, call: Call, inputs: Inputs) -> str:
        self._put(call, inputs)
        return str(inputs["secretArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        del state
        client = call.client("secretsmanager")
        if find_secret(client, resource_id) is None:
            return None
        policy = client.get_resource_policy(SecretId=resource_id).get("ResourcePolicy")
        return {"policy": policy, "secretArn": resource_id} if policy else None

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        del resource_id, old, changed
        self._put(call, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        del state
        client = call.client("secretsmanager")
        unless_absent(lambda: client.delete_resource_policy(SecretId=resource_id), _ABSENT)

    @staticmethod
    def _put(call: Call, inputs: Inputs) -> None:
        retried(
            call,
            f"the principals in the policy of {inputs['secretArn']} are known",
            lambda: call.client("secretsmanager").put_resource_policy(
                SecretId=inputs["secretArn"],
                ResourcePolicy=inputs["policy"],
                BlockPublicPolicy=bool(inputs.get("blockPublicPolicy")),
            ),
            "MalformedPolicyDocumentException",
            default_timeout_seconds=120,
        )


RESOURCES: tuple[Resource, ...] = (Secret(), SecretPolicy(), SecretVersion())
