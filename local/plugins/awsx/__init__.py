"""A stand-in for the awsx 3.11.0 provider plugin: components made of `pulumi_aws` resources.

Owns which children a component registers: their types, names, parents, inputs and options are the real
provider's. Deliberately not here: what an AWS resource does with its inputs (the aws plugin's work) and the
components that FileFlow doesn't use, which are refused by name.
"""
