"""The tags by which a service says what it is; the policy pack reads them."""

ROLE_TAG = "fileflow:role"
"""`scheduler`, `web-api`, or another role that an operator has given a service."""

SPOT_TAG = "fileflow:spot-opt-in"
"""`true` on a scheduler that was put on Fargate Spot on purpose."""
