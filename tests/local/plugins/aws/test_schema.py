"""Types derived from the SDK: what they leave behind in its packages, and what of them is lacking."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.plugins.aws.resource import Resource
from tests.local.plugins.aws.plugin import served

ROOT = Path(__file__).parents[4]


def test_a_derived_type_leaves_the_sdk_package_whole_for_others_of_the_process() -> None:
    # In a process of its own: the packages of this one have been looked into long ago.
    program = """
import pulumi_aws as aws
from local.plugins.aws.schema import sdk_module
module = sdk_module("pulumi_aws.s3", "bucket_lifecycle_configuration")
assert aws.s3.BucketLifecycleConfiguration is module.BucketLifecycleConfiguration
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("kind", served(), ids=lambda kind: str(kind.token))
def test_a_type_speaks_only_of_what_the_sdk_has(kind: Resource) -> None:
    lists = (kind.replacing, kind.all_lacking(), kind.required, kind.sets, kind.off, kind.defaults)
    compared = (kind.all_same(), kind.when_absent, *kind.exclusive)
    for path in {path for each in (*lists, *compared) for path in each}:
        members = kind.described.inputs
        for name in path.split("."):
            assert name in members, path
            found = members[name].type
            members = (found.element or found).properties or {}
