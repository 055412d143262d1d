"""What deriving a type leaves behind in the SDK's packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
