"""On a ZeroGPU Space: what runs where a visitor gets no GPU. A stand-in raises what `spaces` raises."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# As `spaces.zero.client.schedule` does; its `error` gives a gr.Error with a title.
SPACES = """
import functools
import os

import gradio as gr


def GPU(duration):
    def decorate(function):
        @functools.wraps(function)
        def run(*arguments, **settings):
            if title := os.environ.get("TITLE"):
                raise gr.Error("No GPU was available", title=title, print_exception=False)
            return function(*arguments, **settings)

        return run

    return decorate
"""
PROGRAM = """
import gradio as gr
from PIL import Image
from segdemo.ui import inference, views

image = Image.new("RGB", (64, 48), "orange")
told = []
try:
    one = inference.run_network("fcn32s_vgg16", image, 64, False, lambda done, total: told.append(total))
    several = inference.run_several(["fcn8s_vgg16", "fcn32s_vgg16"], image)
except gr.Error as error:
    print("raised", error.title)
else:
    print(one.device, len(told), [each.network for each in several])
    print("the Space" in views.facts(one, one.milliseconds))
"""


def run(tmp_path, title):
    (tmp_path / "spaces.py").write_text(SPACES)
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "SPACES_ZERO_GPU": "1", "TITLE": title, "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("reason", ["quota exceeded", "queue timeout", "client error"])
def test_without_a_gpu_the_space_s_cpu_runs_it_and_the_page_says_so(tmp_path, reason):
    ran, said = run(tmp_path, f"ZeroGPU {reason}")
    assert ran == "cpu 1 ['fcn8s_vgg16', 'fcn32s_vgg16']"
    assert said == "True"


def test_an_error_of_the_pass_itself_is_not_hidden(tmp_path):
    assert run(tmp_path, "ZeroGPU worker error") == ["raised ZeroGPU worker error"]
