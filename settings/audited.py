"""What a stack that is audited sets, beyond what components and the policy pack hold of every stack.

Pure: the checks of an auditor's tool that depend on a choice (docs/compliance.md has all of them). Doesn't
own what each setting may be otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from components.validation import refuse

if TYPE_CHECKING:
    from settings.sections import Settings

YEAR_DAYS: Final = 365
POST_QUANTUM: Final = "-PQ-"
"""In the names of load balancers' security policies with post-quantum key exchange.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""


def check_audited(settings: Settings) -> None:
    """Refuses what `make audit` would find: all of it at once, before anything is made."""
    _check_key(settings)
    _check_logs(settings)
    _check_load_balancer(settings)


def _check_key(settings: Settings) -> None:
    encryption = settings.encryption
    if not encryption.create and encryption.kms_key_arn is None:
        refuse(
            "encryption.create",
            encryption.create,
            "an audited stack encrypts logs and alarms with a customer-managed key",
            "Set it to true, or name a key by encryption.kms_key_arn.",
        )
    if not encryption.retain_on_delete:
        refuse(
            "encryption.retain_on_delete",
            encryption.retain_on_delete,
            "an audited stack's former logs can be read as long as they are kept",
            "Leave it out.",
        )


def _check_logs(settings: Settings) -> None:
    kept = {"logging.retention_days": settings.logging.retention_days}
    created = settings.network.create
    if created is not None and created.flow_logs is None:
        refuse(
            "network.create.flow_logs",
            None,
            "an audited stack logs what its VPC rejects",
            "Set network.create.flow_logs: {traffic_type: REJECT, retention_days: 365}.",
        )
    elif created is not None and created.flow_logs is not None:
        kept["network.create.flow_logs.retention_days"] = created.flow_logs.retention_days
    for field, days in kept.items():
        if days < YEAR_DAYS:
            refuse(field, days, f"an audited stack keeps logs for {YEAR_DAYS} days or more", "Raise it.")


def _check_load_balancer(settings: Settings) -> None:
    balancer = settings.web_api.load_balancer
    if balancer.web_acl is None and balancer.web_acl_arn is None:
        refuse(
            "web_api.load_balancer.web_acl",
            None,
            "an audited stack has a web ACL in front of its load balancer",
            "Set web_acl: {action: count}, or name one by web_acl_arn.",
        )
    https = balancer.https()
    if https is None:
        refuse(
            "web_api.load_balancer.plain_http",
            balancer.plain_http,
            "an audited stack is called by HTTPS",
            "Give a certificate instead.",
        )
    elif POST_QUANTUM not in https.ssl_policy:
        refuse(
            "web_api.load_balancer.ssl_policy",
            https.ssl_policy,
            "an audited stack offers post-quantum key exchange",
            f"Leave it out, or choose one with {POST_QUANTUM} in its name.",
        )
