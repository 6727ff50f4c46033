"""The names under which this server is reached.

DNS rebinding: someone else's name is made to point at this machine, and a page from there then reads in a visitor's
browser what this server answers. Its requests carry that other name, so they can be told.
"""

import ipaddress
import os
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

VARIABLE = "SEGDEMO_HOSTS"
"""The environment variable with more names, separated by commas; `*` takes any."""
ANY = "*"


def own_names(more: Iterable[str | None] = ()) -> frozenset[str]:
    """Gather the names of this server: the machine's, a Space's, the configured ones, and what else is given."""
    machine = socket.gethostname()
    names = ["localhost", machine, f"{machine}.local", os.environ.get("GRADIO_SERVER_NAME"), *more]
    for variable in ("SPACE_HOST", VARIABLE):
        names += os.environ.get(variable, "").split(",")
    return frozenset(_normal(name) for name in names if name and name.strip())


def is_own(host: str, names: frozenset[str]) -> bool:
    """Say whether a request's Host header, such as `localhost:7860` or `[::1]`, names this server.

    Nobody can point an address at another machine, so any IP address passes, and with it a class that reaches the page
    by the teacher's.
    """
    if ANY in names:
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    name = _normal(name)
    return name in names or name.endswith(".localhost") or _is_address(name)


def _normal(name: str) -> str:
    return name.strip().lower().removesuffix(".").strip("[]")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
