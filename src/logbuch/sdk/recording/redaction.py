"""Secrets of known forms, taken out of what is recorded: console text, diffs, command lines, addresses.

Patterns know the usual forms and no others: this is a safety net, no guarantee. All of them are bounded, so the time
grows with the text's length and not faster.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from logbuch import settings

HIDDEN = "***"
KNOWN_LENGTH = 8
"""Values of the environment that are shorter are not looked for: they would occur by chance."""
_KEY_LINES = 200
_SECRET_NAME = re.compile(r"(?i)(token|secret|passw|api[-_]?key|access[-_]?key|credential|private[-_]?key)")
_WORDS = (
    "://", "token", "secret", "passw", "pwd", "key", "credential", "bearer", "authorization", "akia", "asia", "ghp_",
    "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "hf_", "sk-", "sk_",
    "rk_", "xox", "xapp-", "aiza", "eyj", "npm_", "pypi-", "dckr_pat_", "slack.com/",
)  # fmt: skip
"""One of these is in every text that holds a secret that the patterns know: most texts are done after a look."""

_EDGE = r"(?:\b|(?<=[0-9\[]m))"
"""A word begins here, perhaps behind a colour."""
_TOKENS = re.compile(
    _EDGE + r"(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"  # GitHub
    r"|gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.\-]{20,255}"  # GitLab
    r"|hf_[A-Za-z0-9]{20,255}"  # Hugging Face
    r"|sk-[A-Za-z0-9_\-]{20,255}|[sr]k_live_[A-Za-z0-9]{16,255}"  # OpenAI, Anthropic, Stripe
    r"|xox[abeoprs]-[A-Za-z0-9\-]{10,255}|xapp-[A-Za-z0-9\-]{10,255}"  # Slack
    r"|AIza[A-Za-z0-9_\-]{35}"  # Google
    r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_\-]{50,255}|dckr_pat_[A-Za-z0-9_\-]{20,255}"  # registries
    r"|eyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{8,4000}(?:\.[A-Za-z0-9_\-]{0,2000})?"  # JSON Web Tokens
    r")"
)
_HOOKS = re.compile(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_\-]{10,255}")
_HEADER = re.compile(
    r"(?i)\b(authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:(?:bearer|basic|token)\s{1,4})?+)"
    r"(?!\*\*\*)[^\s\"',]{4,4000}"
)
_BEARER = re.compile(r"(?i)\b(bearer\s{1,4})[A-Za-z0-9._~+/=\-]{8,4000}")
_IN_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.\-]{1,20}://)[^/\s:@\"'<>]{0,200}:[^/\s@\"'<>]{1,400}@")
_VALUE = r"(?:\"[^\"\n]{3,1000}\"|'[^'\n]{3,1000}'|[^\s\"'(),;&\[\]{}<>]{4,1000}+(?![(\[]))"
_ASSIGNED = re.compile(
    r"(?i)((?:\b|_|(?<=[0-9\[]m))(?:password|passwd|passphrase|secret|client_secret|secret_?access_?key|aws_session_token|api_?-?key"
    r"|access_?key|account_?key|private_?key|credentials?"
    r"|(?:auth|access|api|refresh|secret|bearer|hub|hf|github|gitlab|wandb|tracking|deploy|private|x-amz-security)[_-]?token"
    r"|x-amz-signature)[\"']?\s{0,4}(?:=|:)\s{0,4})(?!\*\*\*)" + _VALUE
)
# A bare token may be a word of a text as well: only what looks random, with a digit and of some length, is one.
_BARE_TOKEN = re.compile(
    r"(?i)(\b(?:token|pwd)[\"']?\s{0,4}[=:]\s{0,4}[\"']?)(?=[a-z_\-]{0,100}[0-9])[a-z0-9_\-+/=.]{12,1000}"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----")


def names_secret(name: str) -> bool:
    """Whether the name of an option or variable says that its value is a secret."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Takes secrets out of texts. ``environment`` gives further ones: the values of variables with such names."""

    def __init__(self, environment: Mapping[str, str] | None = None, *, on: bool | None = None) -> None:
        self._on = settings.REDACT.flag() if on is None else on
        values = sorted(_secrets(os.environ if environment is None else environment), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None
        self._key_lines = 0

    @property
    def hiding(self) -> bool:
        """Whether the next line is one of a private key."""
        return self._key_lines > 0

    def text(self, text: str) -> str:
        """A whole text."""
        if self._on and "PRIVATE KEY-----" in text:
            text = _PRIVATE_KEY.sub(rf"-----BEGIN \1PRIVATE KEY----- {HIDDEN}", text)
        return self._replaced(text)

    def line(self, line: str) -> str:
        """The next line of a text that comes line by line; of a private key all lines are hidden."""
        if not self._on:
            return line
        if self._key_lines:
            self._key_lines = 0 if _KEY_ENDS.search(line) else self._key_lines - 1
            return HIDDEN
        if "PRIVATE KEY-----" in line and (begun := _KEY_BEGINS.search(line)):
            if not _KEY_ENDS.search(line):
                self._key_lines = _KEY_LINES
            return self._replaced(line[: begun.end()]) + HIDDEN
        return self._replaced(line)

    def content(self, content: bytes) -> bytes:
        """The content of a text file, in whatever encoding."""
        return self.text(content.decode("latin-1")).encode("latin-1")

    def _replaced(self, text: str) -> str:
        if not self._on:
            return text
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        lower = text.lower()
        if not any(word in lower for word in _WORDS):
            return text
        text = _TOKENS.sub(HIDDEN, text)
        text = _HOOKS.sub(rf"\1{HIDDEN}", text)
        text = _HEADER.sub(rf"\1{HIDDEN}", text)
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
        text = _IN_ADDRESS.sub(rf"\1{HIDDEN}@", text)
        text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
        return _BARE_TOKEN.sub(rf"\1{HIDDEN}", text)


def _secrets(environment: Mapping[str, str]) -> Iterable[str]:
    for name, value in environment.items():
        plain = value.isdigit() or "/" in value[:1] or os.sep in value or value.lower() in ("true", "false")
        if names_secret(name) and len(value) >= KNOWN_LENGTH and not plain:
            yield value
