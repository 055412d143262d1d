"""The stack's configuration: read, checked as a whole, and every mistake told in one message.

`sections` says what the settings are, `messages` how a mistake is worded, `reading` where values come from.
"""

from settings.messages import SettingsError
from settings.reading import parse_settings, read_settings
from settings.sections import (
    AccessLogSettings,
    AlarmSettings,
    ImageSettings,
    LoadBalancerSettings,
    LoggingSettings,
    NetworkSettings,
    RepositorySettings,
    SchedulerSettings,
    ServiceSettings,
    Settings,
    WebApiSettings,
)

__all__ = [
    "AccessLogSettings",
    "AlarmSettings",
    "ImageSettings",
    "LoadBalancerSettings",
    "LoggingSettings",
    "NetworkSettings",
    "RepositorySettings",
    "SchedulerSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "WebApiSettings",
    "parse_settings",
    "read_settings",
]
