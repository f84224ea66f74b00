"""Where messages may go: hostile addresses lead nowhere."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from logbuch.errors import FeatureDisabled, InvalidInput
from logbuch.server.delivery.addresses import AddressRefused, resolve, usable
from logbuch.webhooks import Address, address


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_the_internet_is_usable(text: str) -> None:
    assert usable(text, private=False)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.5",
        "172.16.3.4",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fd00:ec2::255",
        "::ffff:10.0.0.5",
        "::ffff:100.64.0.1",
        "64:ff9b::a00:5",
        "2002:a00:5::1",
    ],
)
def test_private_ones_only_where_allowed(text: str) -> None:
    assert not usable(text, private=False)
    assert usable(text, private=True)


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "fe80::1%eth0",
        "0.0.0.0",
        "0.0.0.1",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "64:ff9b:1::a00:5",
        "fec0::1",
        "100.100.100.200",
        "::ffff:100.100.100.200",
        "168.63.129.16",
        "64:ff9b::a83f:8110",
        "fd00:ec2::254",
        "fd20:ce::254",
        "192.0.0.192",
        "no address",
    ],
)
def test_these_never(text: str) -> None:
    assert not usable(text, private=True)


def test_a_name_with_one_bad_address_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (text, port)) for text in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(AddressRefused, match=r"hooks\.test leads to 127\.0\.0\.1"):
        resolve("hooks.test", 443, private=False)


def test_addresses_of_allowed_hosts_are_taken_apart() -> None:
    allowed = "hooks.example.com, other.example.com:8443,[::1]:9000"
    assert address("https://hooks.example.com/a/b?c=d", allowed) == Address(True, "hooks.example.com", 443, "/a/b?c=d")
    assert address("https://HOOKS.example.com.", allowed) == Address(True, "hooks.example.com", 443, "/")
    assert address("http://other.example.com:8443/", allowed).header == "other.example.com:8443"
    assert address("http://[::1]:9000/x", allowed).header == "[::1]:9000"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com:8443/",
        "https://evil.example/",
        "https://hooks.example.com@evil.example/",
        "https://evil.example#@hooks.example.com/",
        "https://hooks.example.com\\@evil.example/",
        "https://hooks.example.com.evil.example/",
        "https://user:word@hooks.example.com/",
        "https://hooks.example.com/a\r\nX: y",
        "https://hooks.example.com/ä",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://",
        "hooks.example.com",
        "",
        "https://hooks.example.com/" + "a" * 3000,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        address(url, "hooks.example.com")


@pytest.mark.parametrize("allowed", [None, "", "  "])
def test_webhooks_are_off_by_default(allowed: str | None) -> None:
    with pytest.raises(FeatureDisabled, match="webhook_hosts"):
        address("https://hooks.example.com/", allowed)
