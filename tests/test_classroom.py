"""A class in a room: the address, its QR code, and who may ask by it."""

import os
import re
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import segno

from segdemo.ui import classroom
from segdemo.ui.own_names import is_own, own_names


@pytest.fixture(autouse=True)
def _not_on(monkeypatch):
    for variable in ("SEGDEMO_CLASS", "GRADIO_SERVER_NAME"):
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)


@pytest.fixture
def room(monkeypatch):
    """Put this machine into two networks, of which one leads out."""

    def part(address, family=socket.AF_INET):
        return SimpleNamespace(family=family, address=address)

    networks = {
        "lo": [part("127.0.0.1"), part("::1", socket.AF_INET6)],
        "docker0": [part("172.17.0.1")],
        "wlan0": [part("192.168.7.20"), part("fe80::1", socket.AF_INET6)],
        "old": [part("169.254.3.4")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: networks)
    monkeypatch.setattr(classroom, "_way_out", lambda: "192.168.7.20")


def test_only_the_option_turns_it_on():
    assert not classroom.turn_on(["test"]) and not classroom.is_on()
    assert classroom.turn_on(["--class"]) and classroom.is_on()
    assert classroom.server_name() == "0.0.0.0"


def test_the_address_is_that_of_the_way_out(room):
    assert classroom.own_addresses() == ["192.168.7.20", "172.17.0.1"]
    assert classroom.address(7861) == "http://192.168.7.20:7861/"


def test_a_configured_name_is_the_address(room, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "172.17.0.1")
    assert classroom.address(80) == "http://172.17.0.1:80/"
    assert classroom.server_name() == "172.17.0.1"


def test_without_a_network_there_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(psutil, "net_if_addrs", dict)
    with pytest.raises(ValueError, match="in no network"):
        classroom.address(7860)
    classroom.announce(7860)
    assert "in no network" in capsys.readouterr().out
    html = classroom.card_for(SimpleNamespace(headers={"host": "localhost:7860"}))
    assert "in no network" in html and "어떤" not in html and "<svg" not in html


def test_own_addresses_are_real_and_pass_the_check_of_names():
    for address in classroom.own_addresses():
        with socket.socket() as listener:
            listener.bind((address, 0))  # an address of this machine, or it would fail
        assert is_own(f"{address}:7860", own_names(["0.0.0.0"]))


def squares(code):
    return np.array([[bool(square) for square in row] for row in code.matrix])


def test_the_terminal_shows_the_address_and_its_code(room, capsys):
    classroom.announce(7860)
    shown = capsys.readouterr().out
    assert shown.startswith("A class opens http://192.168.7.20:7860/")
    rows = [line for line in shown.splitlines() if set(line) & set("█▀▄")]
    code = squares(segno.make("http://192.168.7.20:7860/", error="l"))
    assert len(rows) >= len(code) // 2


def test_the_card_holds_the_address_and_a_code_that_scales(room):
    html = classroom.card_for(SimpleNamespace(headers={"host": "localhost:7862"}))
    url = "http://192.168.7.20:7862/"
    assert f"<b>{url}</b>" in html
    assert (
        re.search(r"<svg[^>]*viewBox", html)
        and segno.make(url, error="m").svg_inline(scale=8, omitsize=True, border=3, light="#fff") in html
    )


def test_a_program_that_is_told_so_serves_the_room():
    """The very command: the terminal has the address, the page answers at it, and shows it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "app.py", "--class"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as app:
        try:
            lines = []
            for line in app.stdout:
                lines.append(line)
                if "A class opens" in line or "in no network" in line:
                    break
            said = "".join(lines)
            if not classroom.own_addresses():
                assert "in no network" in said
                return
            import httpx  # noqa: PLC0415 - this test alone

            url = re.search(r"http://\S+", lines[-1])[0]
            assert url == classroom.address(port)
            assert httpx.get(f"{url}health", timeout=60, trust_env=False).json() == {"status": "ok"}
            assert "class-card" in httpx.get(f"{url}config", timeout=60, trust_env=False).text
            refused = httpx.get(f"{url}health", timeout=60, trust_env=False, headers={"host": "attacker.example"})
            assert refused.status_code == 421
        finally:
            app.terminate()
            app.wait(120)
