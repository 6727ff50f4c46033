"""The package: what it needs, and what it brings."""

import ast
import json
import re
from pathlib import Path

import gradio as gr
import pytest
import torch

import hubconf
import segdemo
from segdemo import catalog, checkpoints, commands
from segdemo.__main__ import main
from segdemo.segmenter import Segmenter
from segdemo.ui import about_tab
from segdemo.ui.i18n import I18N

ROOT = Path(__file__).parent.parent


def requirements(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line and not line.startswith("#")]


def test_the_package_needs_what_a_space_installs():
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dependencies = { file = ["requirements.txt"] }' in settings
    for path in ROOT.glob("requirements-*.txt"):
        extra = path.stem.removeprefix("requirements-")
        assert f'{extra} = {{ file = ["{path.name}"] }}' in settings
        assert all(re.match(r"[a-z]", line) for line in requirements(path.name)), "pip options are not for a package"


def test_every_bound_has_two_ends_and_extras_agree_with_the_tests():
    every = {line for path in ROOT.glob("requirements*.txt") for line in requirements(path.name)}
    assert all("==" in line or (">=" in line and ",<" in line) for line in every)
    assert set(requirements("requirements-export.txt")) <= set(requirements("requirements-dev.txt"))
    names = [re.match(r"[\w.-]+", line)[0] for line in every if not line.startswith(("ray", "gradio"))]
    assert len(names) == len(set(names)), "one package, two bounds"


def test_gradio_is_of_one_version_everywhere():
    (pin,) = (line for line in requirements("requirements.txt") if line.startswith("gradio=="))
    version = pin.removeprefix("gradio==")
    assert requirements("requirements-mcp.txt") == [f"gradio[mcp]=={version}"]
    assert f"\nsdk_version: {version}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_version_is_in_the_changelog_and_is_a_plain_string():
    (line,) = (
        n
        for n in ast.parse((ROOT / "segdemo/__init__.py").read_text()).body
        if isinstance(n, ast.Assign) and n.targets[0].id == "__version__"
    )
    assert ast.literal_eval(line.value) == segdemo.__version__
    assert f"\n## {segdemo.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_segmenter_is_there_by_the_packages_name():
    assert segdemo.Segmenter is Segmenter
    with pytest.raises(AttributeError, match="no attribute 'Net'"):
        segdemo.Net  # noqa: B018


@torch.no_grad()
def test_a_checkpoint_file_makes_a_segmenter_and_a_hub_network():
    path = catalog.find("conv1x1_vgg11").path
    segmenter = segdemo.Segmenter.load(str(path), "cpu")
    assert segmenter.name == "conv1x1_vgg11"
    assert segmenter.metadata == checkpoints.load_metadata(path)
    network = torch.hub.load(str(ROOT), "network", source="local", name=str(path))
    images = torch.randn(1, 3, 40, 50)
    torch.testing.assert_close(network(images), hubconf.network("conv1x1_vgg11")(images))


def test_the_command_opens_the_app(monkeypatch):
    opened = []
    monkeypatch.setattr(commands.runpy, "run_path", lambda path, run_name: opened.append((Path(path), run_name)))
    assert main(["app"]) == 0
    assert opened == [(ROOT / "app.py", "__main__")]


def test_the_page_says_the_version():
    with gr.Blocks() as page:
        about_tab.build()
    *_, text = (str(block.value) for block in page.blocks.values() if isinstance(block, gr.Markdown))
    key = json.loads(text.removeprefix("__i18n__"))["key"]
    for written in I18N.translations.values():
        assert f"segdemo {segdemo.__version__}" in written[key]
