"""torchvision's weights: where they lie, and what is said when they cannot be had."""

import errno
import http.server
import socket
import threading
import time
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torchvision.models import ResNet18_Weights

from segdemo import weights
from segdemo.weights import WeightsError, cached_file, fetch, load


@pytest.fixture(autouse=True)
def hub(tmp_path):
    """Use an empty cache folder."""
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path / "hub")
    yield tmp_path / "hub" / "checkpoints"
    torch.hub.set_dir(before)


@pytest.fixture
def host(tmp_path):
    """Serve a small weights file on this machine and give its address; the name carries the start of its hash."""
    folder = tmp_path / "served"
    folder.mkdir()
    torch.save({"fc.bias": torch.ones(3)}, folder / "plain.pth")
    content = (folder / "plain.pth").read_bytes()
    (folder / f"small-{sha256(content).hexdigest()[:8]}.pth").write_bytes(content)
    (folder / "small-00000000.pth").write_bytes(content)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    good = next(path.name for path in folder.glob("small-*") if "00000000" not in path.name)
    yield f"http://127.0.0.1:{server.server_port}", good
    server.shutdown()


def at(url):
    get = lambda **settings: torch.load(cached_file(found), weights_only=settings["weights_only"])  # noqa: E731
    found = SimpleNamespace(url=url, meta={"_file_size": 12.3}, get_state_dict=get)
    return found


def test_a_file_is_fetched_once_and_kept_under_its_name(host, hub):
    address, name = host
    fetch(at(f"{address}/{name}"))
    assert [path.name for path in hub.iterdir()] == [name]
    (hub / name).write_bytes(b"kept")
    fetch(at(f"{address}/{name}"))
    assert (hub / name).read_bytes() == b"kept"


def test_a_fetched_file_is_read(host):
    address, name = host
    assert torch.equal(load(at(f"{address}/{name}"))["fc.bias"], torch.ones(3))


def test_a_file_whose_hash_is_not_that_of_its_name_is_refused_and_not_kept(host, hub):
    address, _ = host
    with pytest.raises(WeightsError, match="gave a damaged file"):
        fetch(at(f"{address}/small-00000000.pth"))
    assert list(hub.iterdir()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/w-0123456789.pth", "http://name.invalid/w-0123456789.pth"])
def test_a_host_that_cannot_be_reached_is_one_sentence_with_the_way_out(url, hub):
    with pytest.raises(WeightsError) as caught:
        fetch(at(url))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert "could not be reached" in message and "(12 MB)" in message
    assert url in message and "by hand" in message
    assert list(hub.iterdir()) == []


def test_a_file_that_is_not_there_is_said_to_be_out_of_reach(host):
    with pytest.raises(WeightsError, match="could not be reached"):
        fetch(at(f"{host[0]}/nothing-12345678.pth"))


def test_a_host_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(weights, "_TIMEOUT", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(WeightsError, match="could not be reached"):
            fetch(at(f"http://127.0.0.1:{silent.getsockname()[1]}/w-0123456789.pth"))
    assert socket.getdefaulttimeout() is None


def test_a_damaged_file_in_the_cache_is_named(hub):
    path = cached_file(ResNet18_Weights.IMAGENET1K_V1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no weights at all")
    with pytest.raises(WeightsError, match=f"{path.name} is damaged: delete it"):
        load(ResNet18_Weights.IMAGENET1K_V1)


def test_a_pickle_that_would_run_code_is_refused(hub):
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    path = cached_file(ResNet18_Weights.IMAGENET1K_V1)
    path.parent.mkdir(parents=True)
    torch.save({"fc.bias": Evil()}, path)
    with pytest.raises(WeightsError, match="is damaged"):
        load(ResNet18_Weights.IMAGENET1K_V1)


def test_two_who_ask_at_once_fetch_one_file(host, hub, monkeypatch):
    address, name = host
    asked, original = [], weights.urlopen

    def slow(request, timeout):
        asked.append(request.full_url)
        time.sleep(0.3)
        return original(request, timeout=timeout)

    monkeypatch.setattr(weights, "urlopen", slow)
    visitors = [threading.Thread(target=fetch, args=(at(f"{address}/{name}"),)) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert asked == [f"{address}/{name}"]
    assert [path.name for path in hub.iterdir()] == [name]


def test_other_connections_of_the_process_keep_their_time_limit(host, monkeypatch):
    address, name = host
    seen, original = [], weights.urlopen

    def watched(request, timeout):
        seen.append(socket.getdefaulttimeout())
        return original(request, timeout=timeout)

    monkeypatch.setattr(weights, "urlopen", watched)
    fetch(at(f"{address}/{name}"))
    assert seen == [None] and socket.getdefaulttimeout() is None


def test_a_download_that_breaks_off_is_not_kept(hub):
    class Short(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Short)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(WeightsError, match="could not be reached"):
        fetch(at(f"http://127.0.0.1:{server.server_port}/plain.pth"))
    server.shutdown()
    assert list(hub.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_sentence_with_the_way_out(host, tmp_path):
    (tmp_path / "file").write_text("")
    torch.hub.set_dir(tmp_path / "file" / "hub")
    with pytest.raises(WeightsError) as caught:
        fetch(at(f"{host[0]}/{host[1]}"))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert str(tmp_path / "file" / "hub" / "checkpoints") in message and "TORCH_HOME" in message


def test_a_full_disk_is_said_and_leaves_nothing(host, hub, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WeightsError, match=r"No space left on device\): free some space there"):
        fetch(at(f"{host[0]}/{host[1]}"))
    assert list(hub.iterdir()) == []


def test_a_file_that_may_not_be_read_is_not_called_damaged(hub):
    path = cached_file(ResNet18_Weights.IMAGENET1K_V1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")

    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    found = SimpleNamespace(url=ResNet18_Weights.IMAGENET1K_V1.url, meta={}, get_state_dict=refuse)
    with pytest.raises(WeightsError, match="may not be read by this user"):
        load(found)
