"""A class in a room: the page is served to the local network, and shows its address and a QR code of it."""

import os
import socket
from urllib.parse import urlsplit

import gradio as gr
import psutil
import segno
from markupsafe import Markup

from segdemo.ui.i18n import say_made
from segdemo.ui.templates import render

OPTION = "--class"
"""Of `run.py`, `app.py` and `segdemo app`."""
_VARIABLE = "SEGDEMO_CLASS"
_EVERYWHERE = "0.0.0.0"
_LOCAL = ("127.", "169.254.")  # addresses that no other machine reaches this one by
_MODULES = 8  # pixels of a QR code's square


def turn_on(arguments: list[str]) -> bool:
    """Serve a class if a program's arguments ask for it; says whether they do."""
    asked = OPTION in arguments
    if asked:
        os.environ[_VARIABLE] = "1"
    return asked


def is_on() -> bool:
    """Say whether the page is for a class."""
    return bool(os.environ.get(_VARIABLE))


def server_name() -> str:
    """Give the name to listen on: the configured one, else every network's."""
    return os.environ.get("GRADIO_SERVER_NAME", _EVERYWHERE)


def address(port: int) -> str:
    """Give the address by which the room's other machines reach this one.

    Raises:
        ValueError: This machine is in no network.
    """
    name = server_name()
    if name not in (_EVERYWHERE, "::"):
        return f"http://{name}:{port}/"
    found = own_addresses()
    if not found:
        raise ValueError("This machine is in no network: nobody else can open the page.")
    return f"http://{found[0]}:{port}/"


def own_addresses() -> list[str]:
    """Give this machine's IPv4 addresses in local networks, that of the way out first."""
    every = [
        each.address
        for parts in psutil.net_if_addrs().values()
        for each in parts
        if each.family == socket.AF_INET and not each.address.startswith(_LOCAL)
    ]
    return sorted(every, key=lambda each: each != _way_out())


def _way_out() -> str:
    """Give the address from which this machine would send to the internet; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's
        except OSError:
            return ""
        return probe.getsockname()[0]


def announce(port: int) -> None:
    """Print the address and its QR code, or why there is none."""
    try:
        url = address(port)
    except ValueError as error:
        print(error, flush=True)
        return
    print(f"A class opens {url}\n")
    segno.make(url, error="l").terminal(compact=True)
    print(flush=True)


def card_for(request: gr.Request) -> Markup:
    """Write address and QR code as HTML, for a page that was opened at an address such as `localhost:7860`."""
    port = urlsplit(f"//{request.headers.get('host', '')}").port
    try:
        url = address(port or 80)
    except ValueError as error:
        return render("note", text=say_made(error), role="alert")
    code = Markup(segno.make(url, error="m").svg_inline(scale=_MODULES, omitsize=True, border=3, light="#fff"))
    return render("class_card", url=url, code=code)
