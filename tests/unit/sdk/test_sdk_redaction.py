"""Secrets of known forms vanish, other text stays, and no text takes long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.sdk.recording.redaction import HIDDEN, Redactor, names_secret

KEY = "x7" * 20
SECRETS = [
    "AKIA" + "A1B2" * 4,
    "ASIA" + "Z9Y8" * 4,
    "ghp_" + "a1" * 18,
    "ghs_" + "a1" * 18,
    "github_pat_" + "a1" * 30,
    "glpat-" + "a1b2c3d4e5" * 2,
    "hf_" + "aB" * 17,
    "sk-proj-" + "a1" * 20,
    "sk-ant-api03-" + "a1_-" * 12,
    "sk_live_" + "a1" * 12,
    "xoxb-1234567890-abcdefghij",
    "AIza" + "b" * 35,
    "npm_" + "a1" * 18,
    "pypi-" + "A1" * 40,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.abcdefgh",
]


@pytest.fixture
def redactor() -> Redactor:
    return Redactor({})


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", ["{}", "the key is {}.", "x={}&y=1", '"{}"', "\x1b[31m{}\x1b[0m"])
def test_tokens_of_known_forms(redactor: Redactor, secret: str, form: str) -> None:
    for found in (redactor.line(form.format(secret)), redactor.text(form.format(secret))):
        assert secret not in found
        assert HIDDEN in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abcdef.123", "Authorization: Bearer ***"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "{'authorization': 'Basic ***'}"),
        ("curl -H 'bearer abcdefgh12'", "curl -H 'bearer ***'"),
        ("https://me:hunter2@host/r.git", "https://***@host/r.git"),
        ("postgresql://u:p%40ss@db:5432/x and more", "postgresql://***@db:5432/x and more"),
        ("password=hunter2 next", "password=*** next"),
        ("DB_PASSWORD: 'a b c'", "DB_PASSWORD: ***"),
        ('{"api_key": "abcdefgh", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=***"),
        ("https://h/x?sig=1&access_token=abcdef&b=2", "https://h/x?sig=1&access_token=***&b=2"),
        ("HF_TOKEN=whatever1", "HF_TOKEN=***"),
        ("token=abcdef123456789", "token=***"),
        ("https://hooks.slack.com/services/T00/B00/abcdefgh", "https://hooks.slack.com/services/***"),
    ],
)
def test_assignments_headers_and_addresses(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.text(text) == redactor.line(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "loss=0.25 tokens=512 max_tokens: 2048 token: 17",
        "eos_token='<|endoftext|>' pad_token=[PAD]",
        "tokenizer = AutoTokenizer.from_pretrained(name)",
        "password = getpass.getpass()",
        'api_key = os.environ["KEY"]',
        "see https://example.org/a:b and user@example.org",
        "sk-learn and hf_hub",
        "KeyError: 'key'",
        "monkey=banana",
    ],
)
def test_ordinary_text_stays(redactor: Redactor, text: str) -> None:
    assert redactor.text(text) == text


def test_what_was_hidden_once_is_not_hidden_again(redactor: Redactor) -> None:
    once = redactor.text("password=hunter2 Authorization: Bearer abcdef https://a:b@c/")
    assert redactor.text(once) == once


def test_a_private_key_in_a_text_and_line_by_line(redactor: Redactor) -> None:
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY}\n{KEY}\n-----END RSA PRIVATE KEY-----"
    assert redactor.text(f"a\n{key}\nb") == "a\n-----BEGIN RSA PRIVATE KEY----- ***\nb"
    assert KEY not in redactor.text(key[:90])
    lines = [redactor.line(line) for line in f"a\n{key}\nb".split("\n")]
    assert lines == ["a", "-----BEGIN RSA PRIVATE KEY-----***", "***", "***", "***", "b"]


def test_a_key_without_an_end_hides_no_more_than_a_key_has(redactor: Redactor) -> None:
    redactor.line("-----BEGIN PRIVATE KEY-----")
    found = [redactor.line("x") for _ in range(300)]
    assert (found[0], found[-1]) == (HIDDEN, "x")


def test_values_of_secret_variables_are_hidden_wherever_they_stand() -> None:
    redactor = Redactor(
        {"MY_TOKEN": "correcthorse", "TOKEN_COUNT": "12345678", "PASSWORD": "short", "HOME": "batterystaple"}
    )
    assert redactor.line("correcthorse batterystaple 12345678 short") == f"{HIDDEN} batterystaple 12345678 short"


def test_content_in_any_encoding(redactor: Redactor) -> None:
    assert redactor.content(b"\xff\xfe password=hunter2\n") == b"\xff\xfe password=***\n"


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_REDACT", "false")
    text = "password=hunter2 -----BEGIN PRIVATE KEY-----"
    redactor = Redactor()
    assert redactor.text(text) == redactor.line(text) == redactor.line(text) == text


@pytest.mark.parametrize("name", ["HF_TOKEN", "--api-key", "db_password", "AWS_SECRET_ACCESS_KEY", "credentials"])
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)
    assert not names_secret("HOME")


@pytest.mark.parametrize(
    "unit",
    [
        "://",
        "a://b:",
        "password=",
        "authorization: ",
        "bearer ",
        "eyJaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "token=a",
        "_",
        "sk-",
    ],
)
def test_hostile_texts_take_linear_time(redactor: Redactor, unit: str) -> None:
    """A pattern that grew with the square would not be done before the test's time is over."""
    text = unit * (1_000_000 // len(unit))
    assert len(redactor.text(text)) <= len(text) + len(HIDDEN) * len(text)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    redactor = Redactor({})
    redactor.text(text)
    redactor.line(text)
