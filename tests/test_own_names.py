"""Which Host headers are this server's."""

import socket

import pytest

from segdemo.ui.own_names import VARIABLE, is_own, own_names

MACHINE = socket.gethostname()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for variable in (VARIABLE, "SPACE_HOST", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:7860",
        "LOCALHOST.:7860",
        "demo.localhost:7860",
        "127.0.0.1:7860",
        "[::1]:7860",
        "192.168.1.20:7860",  # of the teacher's machine, in class
        "0.0.0.0:7860",
        MACHINE,
        f"{MACHINE}.local:7860",
    ],
)
def test_this_machine_s_names_and_any_address_are_its_own(host):
    assert is_own(host, own_names())


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:7860",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "notlocalhost",
        "user@localhost.attacker.example",
        "[::1",
        "",
        "hf.space",
        f"{MACHINE}.attacker.example",
    ],
)
def test_any_other_name_is_not(host):
    assert not is_own(host, own_names())


def test_a_space_knows_its_name(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "user-demo.hf.space")
    assert is_own("user-demo.hf.space", own_names())
    assert not is_own("other-demo.hf.space", own_names())


def test_the_name_that_gradio_is_told_to_listen_on_is_its_own(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "demo.school.example")
    assert is_own("demo.school.example:7860", own_names())
    assert is_own("other.school.example", own_names(["other.school.example", None]))


def test_more_names_come_from_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "demo.school.example, Demo2.School.Example")
    assert is_own("demo.school.example", own_names())
    assert is_own("demo2.school.example:443", own_names())
    assert not is_own("demo3.school.example", own_names())
    monkeypatch.setenv(VARIABLE, "*")
    assert is_own("anything.example", own_names())
