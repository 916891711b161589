"""Which network addresses a program may connect to that follows addresses other people wrote.

The rule is an allow-list: what is globally routable by IANA's registries (IPv4 and IPv6 special-purpose address space),
after the IPv4 address inside an IPv6 one is unwrapped. A notation is no concern of it: it sees addresses as the
resolver gave them, which is where `0x7f.1`, `2130706433` and `localhost.` have become 127.0.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HOST_NAME = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*")

NOT_PUBLIC_V4 = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"), ip_network("168.63.129.16/32"))
"""Special, whatever `is_global` says: IETF protocol assignments, the relays of 6to4, and Azure's own host."""

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has assigned for global use; what is outside is local, reserved, multicast or a translation."""

NOT_PUBLIC_V6 = (IPv6Network("2001::/23"), IPv6Network("3fff::/20"))
"""IETF protocol assignments (Teredo among them), and documentation (RFC 9637)."""

NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are the IPv4 address that the network's translator connects to."""

ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""RFC 5214: interface identifiers that end in an IPv4 address."""

TRANSLATED = (NAT64, IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"))
"""Where a network may take the last four bytes for an IPv4 address: also RFC 8215, IPv4-compatible, and RFC 2765."""

METADATA = tuple(
    map(
        ip_network,
        (
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",  # AWS, of a pod
            "fd00:42::42",  # Scaleway
            "fd20:ce::254",  # Google
        ),
    )
)
"""Where cloud machines get their keys, by the vendors' documentation, besides link-local ones (169.254.169.254)."""


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could connect to `address`, wherever this program runs."""
    if isinstance(address, IPv4Address):
        special = address.is_multicast or address.is_reserved or any(address in network for network in NOT_PUBLIC_V4)
        return address.is_global and not special
    if address.scope_id is not None:
        return False
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address in GLOBAL_UNICAST and address.is_global and not any(address in network for network in NOT_PUBLIC_V6)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to `address` end at, where there is one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64 or (int(address) >> 32) & 0xFFFFFFFF in ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _ends(address: Address) -> Iterator[Address]:
    """`address`, and each address that packets to it may end at in some network."""
    yield address
    if isinstance(address, IPv4Address):
        return
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if (inner := _inner(address)) is not None:
        yield inner
    if any(address in network for network in TRANSLATED):
        yield last
    if address.teredo is not None:
        yield from address.teredo


def _is_key_place(address: Address) -> bool:
    """Whether there is no host of a company's own at `address`, but what a machine is told its keys by."""
    special = address.is_link_local or address.is_multicast or address.is_unspecified
    return special or any(address in network for network in METADATA)


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be connected to: the public internet, and the private places that the configuration names."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allow_private: Iterable[str]) -> Self:
        """From names, addresses and networks (`10.0.0.0/8`). Raises `ValueError` for what is none of them."""
        names, networks = set(), []
        for entry in allow_private:
            place = _place(entry)
            if isinstance(place, str):
                names.add(place)
            else:
                networks.append(place)
        return cls(frozenset(names), tuple(networks))

    def permits(self, host: str, address: Address) -> bool:
        """Whether `host` may be connected to at `address`, one of those that it resolves to.

        A name that is allowed to be private may not lead to where cloud machines get their keys (link-local addresses
        and `METADATA`), in whatever wrapping: only that address or its network, named as such, allows it.
        """
        if is_public(address):
            return True
        plain = (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
        if any(plain in network for network in self.networks):
            return True
        return self.names_host(host) and not any(map(_is_key_place, _ends(address)))

    def names_host(self, host: str) -> bool:
        """Whether `host` is named as one that need not be public."""
        return name_of(host) in self.names


def name_of(host: str) -> str:
    """One spelling for one host: lower case, ASCII, without the dot of the root."""
    try:
        return host.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.rstrip(".").lower()


def _place(entry: str) -> str | Network:
    text = entry.strip()
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        if HOST_NAME.fullmatch(text.rstrip(".")) and not _is_number(text):
            return name_of(text)
    raise ValueError(
        f"{entry!r} is no host: write a name (wiki.example.org), an address (10.1.2.3) or a network (10.0.0.0/8)"
    )


def _is_number(text: str) -> bool:
    """Whether resolvers take `text` for an address, in one of the notations of `inet_aton`."""
    return re.fullmatch(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", text, re.I) is not None


def parsed(text: str) -> Address | None:
    """The address that a resolver wrote, with its zone where it has one."""
    try:
        return ip_address(text)
    except ValueError:
        return None
