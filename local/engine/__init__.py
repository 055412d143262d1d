"""The Pulumi engine of the local stack: how the CLI gets here and how it runs Python."""
