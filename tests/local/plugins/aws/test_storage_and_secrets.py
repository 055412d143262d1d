"""Buckets and secrets through the stand-in, on the emulated AWS."""

from __future__ import annotations

import pytest

from tests.local.plugins.aws.case import Aws
from tests.local.plugins.aws.life import Life
from tests.local.plugins.aws.plugin import Plugin, RefusedError

GET_SECRET = "aws:secretsmanager/getSecret:getSecret"


def test_a_bucket_and_an_object_go_in_every_version(plugin: Plugin, aws: Aws) -> None:
    bucket = Life(plugin, "s3/bucket:Bucket", forceDestroy=True)
    assert bucket.outputs["bucketRegionalDomainName"] == f"{bucket.id}.s3.ap-northeast-2.amazonaws.com"
    s3 = aws("s3")
    s3.put_bucket_versioning(Bucket=bucket.id, VersioningConfiguration={"Status": "Enabled"})
    stored = Life(plugin, "s3/bucketObjectv2:BucketObjectv2", bucket=bucket.id, key="log", content="1")
    stored.change(content="2")
    s3.put_object(Bucket=bucket.id, Key="log-of-others", Body=b"1")
    s3.delete_object(Bucket=bucket.id, Key="log-of-others")
    stored.delete()
    left = s3.list_object_versions(Bucket=bucket.id)
    assert [each["Key"] for each in left["Versions"] + left["DeleteMarkers"]] == ["log-of-others"] * 2
    bucket.delete()


def test_a_secret_that_exists_is_found_by_its_name_unless_it_is_going(plugin: Plugin, aws: Aws) -> None:
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
