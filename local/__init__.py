"""The embedded default: everything `make up` needs on a machine without an AWS account or a Pulumi CLI."""
