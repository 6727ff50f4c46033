"""What several test files share."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from segdemo import devices

# The same examples on every machine, and no database of them in the repository.
settings.register_profile("segdemo", max_examples=25, deadline=None, derandomize=True, database=None)
settings.load_profile("segdemo")

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes that each take every core would only wait for each other
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])))

# Lines of a split's list: name, class, species (1 cat, 2 dog), breed.
PET_LISTS = {
    "trainval": ("Abyssinian_1 1 1 1", "beagle_2 5 2 4", "Bengal_3 6 1 2", "pug_4 26 2 17"),
    "test": ("pug_5 26 2 17", "Abyssinian_6 1 1 1"),
}


PREFERS_BFLOAT16 = devices.prefers_bfloat16


@pytest.fixture
def native_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passes run as they do outside the tests, for one that compares with other processes."""
    monkeypatch.setattr(devices, "prefers_bfloat16", PREFERS_BFLOAT16)


@pytest.fixture(autouse=True, scope="session")
def _one_precision() -> Iterator[None]:
    """Let passes run in float32 whatever the CPU can do, so that tests see the same numbers on every machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "prefers_bfloat16", lambda device: device.type != "cpu" and PREFERS_BFLOAT16(device))
        yield


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def pet_folder(tmp_path: Path) -> Path:
    """Make a tiny Oxford-IIIT Pet dataset: green photos with a red pet, edged by the border, at the bottom right."""
    root = tmp_path / "oxford-iiit-pet"
    annotations = root / "annotations"
    (root / "images").mkdir(parents=True)
    (annotations / "trimaps").mkdir(parents=True)
    for split, lines in PET_LISTS.items():
        (annotations / f"{split}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        for index, line in enumerate(lines):
            name = line.split()[0]
            height, width = (48, 64) if index % 2 else (64, 48)
            trimap = np.full((height, width), 2, np.uint8)
            trimap[height // 2 :, width // 2 :] = 3
            trimap[height // 2 + 4 :, width // 2 + 4 :] = 1
            photo = np.where((trimap == 2)[..., None], (20, 200, 20), (200, 20, 20)).astype(np.uint8)
            Image.fromarray(trimap).save(annotations / "trimaps" / f"{name}.png")
            Image.fromarray(photo).save(root / "images" / f"{name}.jpg", quality=95, subsampling=0)
    return tmp_path


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """Make a data set of one's own: 20 green photos with a red mug, of which one pixel of each mask is not labelled."""
    root = tmp_path / "mugs"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    (root / "classes.txt").write_text("background\nmug #ff0000\n", encoding="utf-8")
    generator = np.random.default_rng(0)
    for index in range(20):
        width, height = (64, 48) if index % 2 else (48, 64)
        labels = np.zeros((height, width), np.uint8)
        left, top = generator.integers(2, 20, 2)
        labels[top : top + 24, left : left + 24] = 1
        photo = np.where(labels[..., None] == 1, (200, 20, 20), (20, 200, 20)) + generator.integers(
            -20, 20, (height, width, 1)
        )
        labels[0, 0] = 255
        Image.fromarray(photo.astype(np.uint8)).save(root / "images" / f"{index:02}.png")
        Image.fromarray(labels).save(root / "masks" / f"{index:02}.png")
    return root


@pytest.fixture(scope="session")
def demo_url() -> Iterator[str]:
    """Serve the app on a free port of this machine and give its address."""
    import app  # noqa: PLC0415 - it builds the whole page, which most tests do not need

    address = {"server_name": "127.0.0.1", "server_port": _free_port()}
    _, url, _ = app.launch(app.demo, prevent_thread_lock=True, quiet=True, **address)
    yield url
    app.demo.close(verbose=False)


@pytest.fixture
def striped_photo(tmp_path: Path) -> Path:
    """Write a photo that is not square: 300×200, coloured stripes."""
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[:, ::7] = (200, 120, 40)
    pixels[::5] = (30, 90, 180)
    path = tmp_path / "stripes.png"
    Image.fromarray(pixels).save(path)
    return path


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
