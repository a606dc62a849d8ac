"""Where a request comes from, behind proxies too; and what an address is counted by.

Anybody can send `Forwarded` (RFC 7239) and `X-Forwarded-For`. They are read only if the peer itself is a proxy that
the settings name, and from the right: what a named proxy has appended is true, what stood there before is whatever
the sender liked.
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR: Final = re.compile(rf'({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*)")')
_NODE: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?::[0-9]{1,5})?")


def address_of(scope: Scope, proxies: Sequence[Network]) -> str:
    """The address of whoever asks, as far as it is known for sure: where a header cannot be read, that of the last
    proxy before it. Empty for a peer without one."""
    peer = scope.get("client")
    seen = _address(peer[0]) if peer else None
    if seen is None:
        return ""
    for hop in _hops(scope) if proxies else ():
        if not _is_among(seen, proxies) or hop is None:
            break
        seen = hop
    return str(seen)


def neighbourhood(address: str) -> str:
    """The address to count by: of IPv6, the network of 64 bits that one household has."""
    if ":" not in address:
        return address
    return str(IPv6Network((int(IPv6Address(address.partition("%")[0])) >> 64 << 64, 64)))


def _is_among(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _hops(scope: Scope) -> Iterator[Address | None]:
    """What proxies say they were asked by, the last one first; None for what cannot be read."""
    if forwarded := _joined(scope, b"forwarded"):
        yield from (_forwarded_for(element) for element in reversed(_split(forwarded, ",")))
    elif listed := _joined(scope, b"x-forwarded-for"):
        yield from (_node(element.strip()) for element in reversed(listed.split(",")))


def _joined(scope: Scope, name: bytes) -> str:
    """A header that is a list, which goes on where it is given again (RFC 9110, section 5.3)."""
    return ",".join(str(value, "latin-1") for known, value in scope["headers"] if known == name)


def _split(text: str, at: str) -> list[str]:
    """The parts of a header between separators that stand in no quotation marks. A mark that is never closed makes all
    after it one part, which then cannot be read."""
    parts, quoted, escaped = [""], False, False
    for letter in text:
        if letter == at and not quoted:
            parts.append("")
            continue
        parts[-1] += letter
        quoted ^= letter == '"' and not escaped
        escaped = letter == "\\" and quoted and not escaped
    return parts


def _forwarded_for(element: str) -> Address | None:
    """The address in `for=` of one element of Forwarded, if it is one and stands there once."""
    found = []
    for pair in _split(element, ";"):
        if not (read := _PAIR.fullmatch(pair.strip())):
            return None
        name, token, quoted = read.groups()
        if name.lower() == "for":
            found.append(token if token is not None else re.sub(r"\\(.)", r"\1", quoted))
    return _node(found[0]) if len(found) == 1 else None


def _node(text: str) -> Address | None:
    """An address as proxies write it: IPv6 in brackets or bare, with a port or without."""
    read = _NODE.fullmatch(text)
    return _address(read[1].strip("[]") if read else text)


def _address(text: str) -> Address | None:
    """An address; one of IPv4 that is written as one of IPv6 is the former."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
