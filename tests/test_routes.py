"""Every route of the app as it runs, Gradio's own among them."""

import re
from collections.abc import Iterable, Iterator

import httpx
import pytest
from starlette.routing import BaseRoute

import app
from segdemo.ui import gate

FOREIGN = "attacker.example"
STATIC = ("/", "/theme.css", "/static/img/logo.svg", "/nothing/at/all", "/gradio_api/nothing", "/health", "//health")


def walk(routes: Iterable[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    """Give method and path of each route, those inside of others too; an included router has no path of its own."""
    for route in routes:
        path = before + getattr(route, "path", "")
        inner = next(
            (found for name in ("routes", "original_router", "app") if (found := getattr(route, name, None))), None
        )
        inner = getattr(inner, "routes", inner)
        if isinstance(inner, list):
            yield from walk(inner, path)
            yield "GET", path  # such as a mounted app, which answers by itself
        for method in getattr(route, "methods", None) or ():
            yield method, path


@pytest.fixture(scope="module")
def routes(demo_url):
    found = sorted(set(walk(app.demo.app.routes)) | {("GET", path) for path in STATIC})
    return [(method, re.sub(r"{[^}]*}", "x", path) or "/") for method, path in found]


def test_the_walk_finds_gradio_s_routes_and_the_inner_ones(routes):
    wanted = {("GET", "/config"), ("GET", "/gradio_api/info"), ("POST", "/gradio_api/call/x"), ("GET", "/assets/x")}
    wanted |= {("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/file=x"), ("POST", "/gradio_api/upload")}
    assert wanted <= set(routes)
    assert len(routes) > 60


def test_a_name_that_is_not_ours_is_refused_on_every_route(demo_url, routes):
    with httpx.Client(base_url=demo_url, timeout=60, headers={"host": FOREIGN}) as client:
        for method, path in routes:
            answer = client.request(method, path, json={} if method == "POST" else None)
            assert answer.status_code == 421, (method, path)
            if method != "HEAD":
                assert answer.json() == {"detail": gate.FOREIGN_NAME}, (method, path)


def test_under_its_own_name_no_route_takes_itself_for_another_s(demo_url):
    for path in ("config", "gradio_api/info", "health", "theme.css"):
        assert httpx.get(demo_url + path, timeout=60).status_code == 200


def test_what_is_not_served_is_said_in_a_sentence(demo_url, tmp_path):
    there = tmp_path / "private.jpg"
    there.write_bytes(b"secret")
    for path in (there, tmp_path / "nothing.jpg", "a" * 5000, "a%00b"):
        answer = httpx.get(f"{demo_url}gradio_api/file={path}", timeout=60)
        assert (answer.status_code, answer.json()) == (403, {"detail": gate.NOT_SERVED})
    assert httpx.put(f"{demo_url}config", timeout=60).json() == {"detail": gate.OTHER_METHOD}
