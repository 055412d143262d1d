"""The tags by which a service says what it is; the policy pack reads them."""

ROLE_TAG = "fileflow:role"
"""`scheduler`, `web-api`, or another role that an operator has given a service."""

SPOT_TAG = "fileflow:spot-opt-in"
"""`true` on a scheduler that was put on Fargate Spot on purpose."""

PAUSED_SINCE_TAG = "fileflow:paused-since"
PAUSED_UNTIL_TAG = "fileflow:paused-until"
PAUSED_REASON_TAG = "fileflow:paused-reason"
"""On a scheduler that is paused: since when and until when, as 2026-11-30T09:00Z, and why."""
