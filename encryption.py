"""Creates or names the key that a stack's logs, sessions, alarms and images are encrypted with.

Doesn't own what is encrypted with it.
"""

from __future__ import annotations

import pulumi

from components.encryption_key import EncryptionKey
from components.names import Names
from composition import encryption_key_args
from settings import Settings


def encryption_key_arn(settings: Settings, names: Names) -> pulumi.Input[str] | None:
    """The ARN of the key: the stack's own, an existing one, or None where AWS's own keys do."""
    if settings.encryption.create:
        return EncryptionKey(names.base, encryption_key_args(settings, names)).key_arn
    return settings.encryption.kms_key_arn
