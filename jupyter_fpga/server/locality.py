"""Whether a request comes from a program on this very machine, with nobody in between."""

import ipaddress
from functools import lru_cache

from tornado.httputil import HTTPServerRequest

__all__ = ("is_local",)

_FORWARDED = frozenset({"Forwarded", "X-Real-Ip", "X-Scheme", "Via"})
"""Headers, besides all X-Forwarded-…, by which proxies and the Hub say that a request came through them."""


def is_local(request: HTTPServerRequest) -> bool:
    """Whether ``request`` came over the loopback interface, and no proxy or Hub passed it on.

    A proxy that says nothing of itself still leaves the name by which the browser knows it in the Host header.
    """
    if any(name in _FORWARDED or name.startswith("X-Forwarded-") for name in request.headers):
        return False
    return _is_loopback(request.remote_ip or "") and _is_loopback(request.host_name.strip("[]"))


@lru_cache(maxsize=1024)
def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
