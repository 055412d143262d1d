"""The stack's configuration: read, checked as a whole, and every mistake told in one message.

`sections`, `services` and `values` say what the settings are, `messages` how a mistake is worded,
`reading` where values come from, `stack_file` what the file says of them.
"""

from settings.lease_sections import LeaseSettings, LeasesSettings
from settings.messages import SettingsError
from settings.reading import parse_settings, read_settings
from settings.sections import (
    AccessLogSettings,
    AlarmSettings,
    EncryptionSettings,
    ImageSettings,
    LoadBalancerSettings,
    LoggingSettings,
    NetworkSettings,
    RepositorySettings,
    Settings,
    WebAclSettings,
    WebApiSettings,
)
from settings.services import SchedulerSettings, ServiceSettings, SidecarSettings, StatementSettings
from settings.stack_file import StackFile, read_stack_file

__all__ = [
    "AccessLogSettings",
    "AlarmSettings",
    "EncryptionSettings",
    "ImageSettings",
    "LeaseSettings",
    "LeasesSettings",
    "LoadBalancerSettings",
    "LoggingSettings",
    "NetworkSettings",
    "RepositorySettings",
    "SchedulerSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "SidecarSettings",
    "StackFile",
    "StatementSettings",
    "WebAclSettings",
    "WebApiSettings",
    "parse_settings",
    "read_settings",
    "read_stack_file",
]
