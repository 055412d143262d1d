"""Whether a variable carries a credential in plain text: by its name, and by its value.

Imports the standard library alone. The components and the policy pack have the same file each, since
each works without the other; a test holds the two equal. No function here hands back a value or a part
of one, so that no message can show it.

A name counts by its last words: `DB_PASSWORD` is a password, `PASSWORD_RESET_PAGE` is a page. What a
name can't tell, the value does: the shapes are those that secret scanners look for.
Source: https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_SECRET_WORD: Final = re.compile(
    r".*(password|passwd|passphrase|passcode|secret|secretkey|token|apikey|accesskey|privatekey|credential)s?"
)
"""A word that names a credential, alone or as the end of a longer one (`dbpassword`)."""

_SECRET_OR_SHORT_WORD: Final = re.compile(rf"{_SECRET_WORD.pattern}|pass|pwd|pw")
"""Behind another word: `PWD` alone is the working directory."""

_KEEPER_OF_CODE: Final = re.compile(r"azure|devops|gh|git|github|gitlab|npm")
"""Who hands out what is called a personal access token, PAT."""

_KIND_OF_KEY: Final = re.compile(
    r"access|account|aes|api|auth|encryption|hmac|licen[cs]e|master|private|secret|shared|signing"
)
"""What makes a key a credential; a partition's key, a bucket's key or a public key is none."""

_QUALIFIER: Final = re.compile(
    r"\d+|v|b|backup|base|current|data|default|dev|encoded|hex|json|live|new|next|old|plain|plaintext|prev|"
    r"previous|primary|prod|production|raw|secondary|staging|str|string|test|text|val|value"
)
"""A word behind a credential's name that leaves it one: `DB_PASSWORD_OLD`, `SECRET_KEY_BASE`, `TOKEN_V2`."""

_QUANTITY: Final = re.compile(
    r"completion|context|count|input|limit|max|maximum|min|minimum|num|number|output|prompt|total"
)
"""Behind one of these words tokens are counted, not kept: `MAX_TOKENS`."""

_HARMLESS_VALUE: Final = re.compile(
    # Nothing, a switch, a placeholder that is filled in later, the name of a key or of a secret, or a path.
    r"\s*|true|false|yes|no|on|off|none|null|\$\{[^{}:]*\}|alias/\S*|"
    r"arn:aws[a-z-]*:(?:kms|secretsmanager|ssm):\S*|\{\{resolve:[^{}]*\}\}|"
    r"(?:file:(?://)?)?/(?:app|certs?|config|etc|home|mnt|opt|root|run|secrets?|srv|tmp|usr|var|v\d)/[\w./-]+",
    re.IGNORECASE,
)

_HELD: Final = (
    r"(?![\s$%{<*&;,\"'\[]|(?:true|false|null|none)(?![A-Za-z0-9])|arn:aws|/run/secrets/)[^\s&;,\"']"
)
"""The first character of a value that isn't a placeholder, a switch or the place of the real one."""

_HELD_AT_ALL: Final = re.compile(_HELD)
_OPTION: Final = re.compile(r"--?[A-Za-z][\w.-]*")
_PASSWORD_OF_USER: Final = re.compile(r"[^\s:$%{<]+:[^\s$%{<:][^\s:]*")
_USER: Final = re.compile(r"-[A-Za-z]{0,9}[uU]|--(?:proxy-)?user")
"""As curl takes them; with other programs a group stands behind the colon."""

_CREDENTIAL_KEY: Final = (
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{0,40}(?:password|passwd|passphrase|secret|secret_?key)|pwd|"
    r"(?:access_?|auth_?|id_?|refresh_?)?token|(?:api|account|private|shared_?access)[_-]?key|sig|x-amz-signature|"
    r"authorization)"
)

_VALUES: Final = tuple(
    (re.compile(pattern), found)
    for pattern, found in (
        (r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY", "a private key"),
        (r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", "an AWS access key"),
        # What follows the colon is a password unless it is a port and the path behind it.
        (
            r"://[^\s:@/?#]{0,200}:(?!\d{0,5}(?:[/?#,]|$))(?![\[{<*]|\$\{[^{}:]{0,99}\}@)[^\s@/?#]{1,200}@",
            "a password in a URL",
        ),
        (
            r"://[^\s:@/?#]{1,200}:(?!\d{0,5}(?:[/?#,]|$))(?![$\[{<*])[^\s@]{1,200}@[A-Za-z0-9.\[-]",
            "a password in a URL",
        ),
        (r"(?i)\bjdbc:oracle:[a-z]{1,9}:[^\s/@:]{1,200}/[^\s/@$]{1,200}@", "a password in a URL"),
        (
            r"(?i)//hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|"
            r"//(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d|"
            r"\.webhook\.office\.com/webhookb2/|//api\.telegram\.org/bot\d",
            "the address of a webhook, which is its own password",
        ),
        (
            r"(?<![A-Za-z0-9_-])(?:gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
            r"xox[a-z]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|"
            r"sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|"
            r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|hv[bs]\.[\w-]{20,}|pul-[0-9a-f]{40}|dckr_pat_[\w-]{20,}|"
            r"NRAK-[A-Z0-9]{27})",
            "an access token",
        ),
        (r"^\s*base64:[A-Za-z0-9+/]{43}=\s*$", "an application key"),
        (r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}", "a JSON web token"),
        (
            r"(?i)^\s*(?:authorization:\s*)?(?:basic|bearer)\s+(?=[^\s]*[0-9=])[A-Za-z0-9+/=._~-]{12,}\s*$",
            "a header that authenticates",
        ),
        (rf"(?i){_CREDENTIAL_KEY}\s*=\s*\\?[\"']?{_HELD}", "a credential behind an equals sign"),
        (rf"(?i){_CREDENTIAL_KEY}\\?[\"']\s*:\s*\\?[\"']{_HELD}", "a credential inside JSON"),
    )
)


def sounds_secret(name: str) -> bool:
    """Whether a variable of this name holds a credential, as far as its name tells.

    >>> [sounds_secret(name) for name in ("DB_PASSWORD", "spring.mail.password", "OAUTH_TOKEN_URI")]
    [True, True, False]
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if words[-3:] == ["access", "key", "id"]:
        # No secret by itself, but one half of a pair that a task's role makes needless.
        return True
    while len(words) > 1 and _QUALIFIER.fullmatch(words[-1]):
        words.pop()
    if not words:
        return False
    *before, last = words
    if last in ("token", "tokens") and any(map(_QUANTITY.fullmatch, before)):
        return False
    if last in ("key", "keys"):
        # APP_KEY alone is Laravel's encryption key; behind a vendor's name it may be a public one.
        return before == ["app"] or bool(before and _KIND_OF_KEY.fullmatch(before[-1]))
    if last == "pat":
        return bool(before and _KEEPER_OF_CODE.fullmatch(before[-1]))
    return (_SECRET_WORD if not before else _SECRET_OR_SHORT_WORD).fullmatch(last) is not None


def credential_in(value: str) -> str | None:
    """What credential a value holds whatever its name, for example `a password in a URL`; None for none."""
    for pattern, found in _VALUES:
        if pattern.search(value):
            return found
    return None


def credential_in_command(words: Sequence[str]) -> str | None:
    """What credential a command line holds, as `a credential behind --db-password`; None for none."""
    parts = [part for word in words for part in word.split()]
    authenticates = any(part.rsplit("/", 1)[-1] == "curl" for part in parts)
    for option, value in pairwise(parts):
        plain = value.strip("'\"")
        if authenticates and _USER.fullmatch(option) and _PASSWORD_OF_USER.fullmatch(plain):
            return f"a password behind {option}"
        if (
            _OPTION.fullmatch(option)
            and sounds_secret(option.lstrip("-"))
            and _HELD_AT_ALL.match(plain)
            and not _HARMLESS_VALUE.fullmatch(plain)
            and not plain.startswith("-")
        ):
            return f"a credential behind {option}"
    return next((found for word in words if (found := credential_in(word)) is not None), None)


def exposed_credential(name: str, value: object) -> str | None:
    """Why the plain variable `name` exposes a credential, in words behind "it"; None where it doesn't.

    A value that isn't a text isn't known yet, and its name alone decides; numbers and switches of YAML are
    known and harmless.
    """
    if isinstance(value, bool | int | float):
        return None
    if isinstance(value, str):
        if _HARMLESS_VALUE.fullmatch(value):
            return None
        held = credential_in(value)
        if held is not None:
            return f"holds {held}"
    return "has the name of a credential" if sounds_secret(name) else None
