"""Starts the policy pack. The rules are in the package `fileflow_policies`, importable without this."""

from fileflow_policies import analyzer
from fileflow_policies.pack import pack_arguments
from pulumi_policy import PolicyPack

analyzer.install()
PolicyPack(**pack_arguments())
