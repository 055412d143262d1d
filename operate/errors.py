"""What an operator is told when a command can't do its work.

Owns the error's form, and the words for what AWS and the network answer. Doesn't own what a healthy
command finds: that is a result, with an exit code of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

SETTLED = 0
"""All is as it must be."""
WRONG = 1
"""The command did its work and found something that isn't as it must be."""
FAILED = 2
"""The command couldn't do its work."""


class OperateError(Exception):
    """Why a command couldn't do its work, and what helps."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem} {fix}")
        self.problem = problem
        self.fix = fix


_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_UNKNOWN_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


@contextlib.contextmanager
def explained(region: str) -> Iterator[None]:
    """Turns what boto3 raises into an error that an operator can act on."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise OperateError(
            "There are no AWS credentials in the environment.",
            "Log in (aws sso login, or AWS_PROFILE), or for the AWS on this machine: source .local/env",
        ) from error
    except ProfileNotFound as error:
        raise OperateError(f"{error}.", "Correct AWS_PROFILE, or `aws configure list-profiles`.") from error
    except (TokenRetrievalError, UnauthorizedSSOTokenError) as error:
        raise OperateError("The AWS session has ended.", "Log in again: aws sso login") from error
    except NoRegionError as error:
        raise OperateError("No AWS region is known.", "Set AWS_REGION.") from error
    except (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError) as error:
        raise OperateError(
            f"AWS doesn't answer in {region}: {error}",
            "Check the network and AWS_ENDPOINT_URL; for the AWS on this machine: make up",
        ) from error
    except ClientError as error:
        raise _of_client_error(error) from error
    except BotoCoreError as error:
        raise OperateError(f"The AWS SDK failed: {error}", "Check the environment's AWS settings.") from error


def _of_client_error(error: ClientError) -> OperateError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    operation = error.operation_name
    if code in _EXPIRED:
        return OperateError("The AWS credentials have expired.", "Log in again, for example: aws sso login")
    if code in _UNKNOWN_CREDENTIALS:
        return OperateError(
            f"AWS doesn't know these credentials ({code}).",
            "Take those of the account that the stack is in: aws sts get-caller-identity",
        )
    if code in _DENIED:
        return OperateError(
            f"{operation} is not allowed to you: {message}",
            "Take a role that may, or let this one: the action's name is that of the call.",
        )
    return OperateError(
        f"{operation} failed with {code}: {message}",
        "Compare the stack with the account: pulumi preview --refresh",
    )
