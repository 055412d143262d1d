"""Buckets and secrets through the stand-in, on the emulated AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

Client = Callable[[str], Any]
GET_SECRET = "aws:secretsmanager/getSecret:getSecret"


@pytest.fixture
def bucket(plugin: Plugin, account: str) -> Life:
    """A bucket whose name, which all accounts share, is this test's own."""
    return Life(plugin, "s3/bucket:Bucket", bucket=f"access-logs-{account}", forceDestroy=True)


def test_a_bucket_is_emptied_in_every_version_before_it_is_deleted(bucket: Life, aws: Client) -> None:
    bucket.change(versioning={"enabled": True})
    for body in (b"1", b"2"):
        aws("s3").put_object(Bucket=bucket.id, Key="log", Body=body)
    aws("s3").delete_object(Bucket=bucket.id, Key="log")
    bucket.delete()


def test_a_buckets_own_settings_change_in_place(bucket: Life) -> None:
    assert bucket.outputs["bucketRegionalDomainName"] == f"{bucket.id}.s3.ap-northeast-2.amazonaws.com"
    bucket.change(tags={"Name": "logs"})
    assert bucket.change(tags=None)["tagsAll"] == {}
    bucket.change(lifecycleRules=[{"enabled": True, "expiration": {"days": 30}}])
    bucket.change(corsRules=[{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}])
    bucket.change(versioning={"enabled": True})
    bucket.change(versioning={"enabled": False})
    bucket.imported(unknowable=["forceDestroy", "acl"])
    assert bucket.replaced_by(bucket="other") == ["bucket"]


def test_a_secret_that_exists_is_found_by_its_name_unless_it_is_going(plugin: Plugin, aws: Client) -> None:
    client = aws("secretsmanager")
    arn = client.create_secret(
        Name="fileflow/database", Description="credentials", Tags=[{"Key": "team", "Value": "a"}]
    )["ARN"]
    found = plugin.invoke(GET_SECRET, {"name": "fileflow/database"})
    assert (found["arn"], found["description"], found["tags"]) == (arn, "credentials", {"team": "a"})
    client.delete_secret(SecretId=arn)
    for name in ("fileflow/database", "fileflow/nothing"):
        with pytest.raises(RefusedError, match=f"there is no secret {name}"):
            plugin.invoke(GET_SECRET, {"name": name})
