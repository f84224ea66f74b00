"""Which machines a message may be sent to: those of the internet, and private ones where that is allowed.

The address is looked up once, every one that a name has is judged, and the connection goes to the one that was judged:
a name that leads elsewhere a moment later leads nowhere. IPv6 addresses that carry an IPv4 one are judged by that.
"""

from __future__ import annotations

import ipaddress
import socket

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "192.0.0.0/24", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10")
)
"""Addresses that are no machine's, or nobody knows whose."""
_CLOUDS = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:42::42",
        "fd00:c1::a9fe:a9fe",
    )
)
"""Where clouds tell a machine its secrets besides the addresses of the link: Alibaba, Azure, AWS, Google, Scaleway and
Oracle. Messages go there under no setting."""


class AddressRefused(Exception):
    """A name leads to an address that messages may not be sent to, or to none."""


def resolve(host: str, port: int, *, private: bool) -> str:
    """The address to connect to. ``private`` admits this machine and the local network; addresses of the link, such as
    those that clouds tell their secrets at, are never admitted, wherever they lie. OSError if the name is not
    known now."""
    found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        if not usable(str(text), private=private):
            raise AddressRefused(f"{host} leads to {text}, which is no address of the internet")
    if not found:
        raise AddressRefused(f"{host} has no address")
    return str(found[0])


def usable(text: str, *, private: bool) -> bool:
    """Whether messages may be sent to an address."""
    try:
        ip = _inner(ipaddress.ip_address(text))
    except ValueError:  # with a zone
        return False
    if ip.is_loopback:  # among the reserved ones in IPv6
        return private
    if ip in _CLOUDS or ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip.is_reserved:
        return False
    if any(ip in network for network in _NEVER if network.version == ip.version):
        return False
    return ip.is_global or private


def _inner(ip: Ip) -> Ip:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64 or (int(ip) >> 32 == 0 and int(ip) > 1):  # translated, or the old form ::a.b.c.d
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip.sixtofour is not None:
        return ip.sixtofour
    return ip
