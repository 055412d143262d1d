"""What exposes a credential in a plain variable, and what only sounds as if it did."""

from __future__ import annotations

import ast
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.credentials import credential_in, exposed_credential, sounds_secret
from tests.unit.stacks import ROOT

COMPONENTS_COPY = ROOT / "components" / "credentials.py"
PACKS_COPY = ROOT / "policies" / "fileflow_policies" / "credentials.py"

SECRET_NAMES = [
    "DB_PASSWORD", "db_password", "dbPassword", "DBPASSWORD", "PGPASSWORD", "PASSWD",
    "SPRING_DATASOURCE_PASSWORD", "spring.datasource.password", "spring.rabbitmq.password", "REDIS_PASS",
    "SMTP_PWD", "DB_PWD", "DB_PW", "KEY_PASSPHRASE", "API_KEY", "APIKEY", "api-key", "STRIPE_API_KEYS",
    "DD_API_KEY", "PRIVATE_KEY", "JWT_SECRET", "JWT_SECRET_KEY", "SECRET_KEY_BASE", "CLIENT_SECRET",
    "clientSecret", "OAUTH2_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN", "TOKEN", "GITHUB_TOKEN", "SLACK_BOT_TOKEN", "ACCESSTOKEN", "TOKEN_2",
    "DB_PASSWORD_OLD", "DB_PASSWORD_V2", "PASSWORDS", "CREDENTIALS", "GOOGLE_CREDENTIALS", "ENCRYPTION_KEY",
    "SIGNING_KEY", "STORAGE_ACCOUNT_KEY", "ADMIN_PASSWORD_BASE64", "APP_TOKENS",
]  # fmt: skip

ONLY_SOUNDING = [
    "OAUTH_TOKEN_URI", "JWT_ACCESS_TOKEN_VALIDITY_SECONDS", "MAX_TOKENS", "PASSWORD_RESET_PAGE",
    "TOKEN_ENDPOINT", "TOKEN_TTL", "PASSWORD_MIN_LENGTH", "PASSWORD_POLICY", "PASSWORD_ENCODER",
    "API_KEY_HEADER", "API_KEY_HEADER_NAME", "SECRET_NAME", "DB_SECRET_ARN", "DB_PASSWORD_FILE",
    "CREDENTIALS_PATH", "PRIVATE_KEY_PATH", "TOKENIZERS_PARALLELISM", "TOKENIZER", "SECRETARY_EMAIL",
    "MAX_OUTPUT_TOKENS", "OPENAI_MAX_TOKENS", "TOKENS_PER_MINUTE", "PARTITION_KEY", "S3_BUCKET_KEY",
    "KMS_KEY_ID", "CACHE_KEY", "PUBLIC_KEY", "PWD", "COMPASS", "BYPASS", "PASSWORDLESS_LOGIN",
    "CSRF_TOKEN_HEADER", "spring.jpa.hibernate.ddl-auto", "SECRETS_MANAGER_REGION",
    "ACCESS_KEY_ROTATION_DAYS", "SPRING_PROFILES_ACTIVE", "KEYS", "VALUE", "COUNT",
]  # fmt: skip

CREDENTIALS = [
    "postgresql://shop:hunter2@db:5432/shop",
    "jdbc:postgresql://shop:hunter2@db:5432/shop",
    "mongodb+srv://shop:hunter2@cluster0.example.net,other.example.net/shop",
    "redis://:hunter2@cache:6379",
    "amqp://shop:hun/ter2@queue:5672",
    "https://shop:hunter2@example.com/path",
    "https://shop:4711@example.com/path",
    "jdbc:oracle:thin:scott/hunter2@//db:1521/shop",
    "jdbc:mysql://db/shop?user=shop&password=hunter2",
    "jdbc:sqlserver://db;user=shop;password=hunter2;encrypt=true",
    "Server=db;User Id=shop;Pwd=hunter2",
    "AccountName=shop;AccountKey=aHVudGVyMg==;EndpointSuffix=core.windows.net",
    "Endpoint=sb://shop.example.net/;SharedAccessKeyName=all;SharedAccessKey=aHVudGVyMg=",
    "-Xmx512m -Dspring.datasource.password=hunter2",
    "https://shop.example.com/file?sig=aHVudGVyMg%3D",
    "https://api.example.com/v1?access_token=hunter2",
    '{"spring": {"datasource": {"password": "hunter2"}}}',
    '{\\"spring.datasource.password\\": \\"hunter2\\"}',
    "https://hooks.slack.com/services/T0/B0/x",
    "https://hooks.slack.com/workflows/T0/A0/1/x",
    "https://discord.com/api/webhooks/123/abc",
    "https://shop.webhook.office.com/webhookb2/abc",
    "https://api.telegram.org/bot123:abc/sendMessage",
    "AKIAIOSFODNN7EXAMPLE",
    "key ASIAIOSFODNN7EXAMPLE here",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "ghp_" + "a1" * 18,
    "xoxb-1234567890-abcdef",
    "sk_" + "live_" + "a1" * 12,
    "glpat-" + "a1" * 10,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "Bearer a1b2c3d4e5f6a7b8",
    "Basic c2hvcDpodW50ZXIy",
    "Authorization: Basic c2hvcDpodW50ZXIy",
]

HARMLESS = [
    "",
    "info",
    "https://login.example.com/oauth/token",
    "https://w.example.com/password/reset?next=a@b.example",
    "https://host:8080/path@home",
    "https://host:8080",
    "jdbc:postgresql://db:5432/shop",
    "jdbc:postgresql://db:5432/shop?user=a@b",
    "jdbc:postgresql://${DB_USER}:${DB_PASSWORD}@db:5432/shop",
    "postgresql://shop:${DB_PASSWORD}@db/shop",
    "jdbc:mysql://db/shop?password=${DB_PASSWORD}",
    "jdbc:oracle:thin:@//db:1521/shop",
    "redis://cache-1:6379,cache-2:6379",
    "kafka-1:9092,kafka-2:9092",
    "reset-password=true",
    "grant_type=password",
    "maxTokens=4096",
    '{"password": "${DB_PASSWORD}"}',
    "user@example.com",
    "arn:aws:secretsmanager:ap-northeast-2:646886795421:secret:fileflow/database-AbCdEf",
    "-----BEGIN CERTIFICATE-----\nMIIE",
    "-----BEGIN PUBLIC KEY-----",
    "Basic information",
    "Bearer",
    "classpath:/private-key.pem",
    "-Xms256m -XX:MaxRAMPercentage=75 -Duser.timezone=Asia/Seoul",
    "0123456789abcdef0123456789abcdef",
]


def test_a_name_that_ends_in_a_credential_sounds_secret() -> None:
    assert [name for name in SECRET_NAMES if not sounds_secret(name)] == []


def test_a_name_in_which_a_credential_only_describes_something_else_does_not() -> None:
    assert [name for name in ONLY_SOUNDING if sounds_secret(name)] == []


def test_a_credential_is_found_in_a_value_whatever_its_name() -> None:
    assert [value for value in CREDENTIALS if credential_in(value) is None] == []
    assert [value for value in CREDENTIALS if exposed_credential("SETTING", value) is None] == []


def test_an_ordinary_value_holds_no_credential() -> None:
    assert [value for value in HARMLESS if credential_in(value) is not None] == []


@pytest.mark.parametrize(
    "value", ["", " ", "true", "False", "${DB_PASSWORD}", "alias/shop", "arn:aws:kms:x:1:key/2", 4, True]
)
def test_a_value_that_can_be_no_credential_is_none_whatever_its_name(value: object) -> None:
    assert exposed_credential("ENCRYPTION_KEY", value) is None


def test_a_placeholder_with_a_default_is_a_value() -> None:
    assert exposed_credential("DB_PASSWORD", "${DB_PASSWORD:hunter2}") == "has the name of a credential"


def test_a_value_that_is_not_known_yet_is_judged_by_its_name() -> None:
    assert exposed_credential("DB_PASSWORD", object()) == "has the name of a credential"
    assert exposed_credential("LOG_LEVEL", object()) is None


@given(st.sampled_from(["SETTING", "DB_PASSWORD"]), st.sampled_from(CREDENTIALS))
def test_no_answer_repeats_a_part_of_the_value(name: str, value: str) -> None:
    answer = exposed_credential(name, value)

    assert answer == "has the name of a credential" or (answer or "").startswith("holds ")
    assert "hunter" not in (answer or "")


@given(st.text(), st.text())
def test_any_text_is_judged(name: str, value: str) -> None:
    assert exposed_credential(name, value) is None or exposed_credential(name, value)


def test_the_policy_packs_copy_is_the_components_and_each_needs_the_standard_library_alone() -> None:
    source = COMPONENTS_COPY.read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert PACKS_COPY.read_text(encoding="utf-8") == source
    assert imported <= set(sys.stdlib_module_names)
