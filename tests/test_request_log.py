"""One line a request."""

import logging

import gradio as gr
import pytest

from segdemo.ui.request_log import logged


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "segdemo")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_request_is_one_line_however_many_steps_it_has(lines):
    with logged(["fcn8s_vgg16", "fcn32s_vgg16"]):
        for _ in range(3):
            with logged(["fcn8s_vgg16"]) as facts:
                facts.append("photo 3x2")
    (line,) = lines()
    names, *facts, milliseconds, outcome = line.split(", ")
    assert names == "fcn8s_vgg16+fcn32s_vgg16"
    assert facts == ["photo 3x2"] * 3
    assert milliseconds.endswith(" ms")
    assert outcome == "done"


def test_thousands_of_names_are_one_short_line(lines):
    with logged(["fcn8s_vgg16", *(f"name {number}" for number in range(5000)), "fcn8s_vgg16"]):
        pass
    assert lines()[0].split(", ")[0] == "fcn8s_vgg16+unknown"


def test_what_is_refused_is_said_and_logged(lines):
    with pytest.raises(gr.Error, match="too large"), logged(["fcn8s_vgg16"]), logged(["fcn8s_vgg16"]):
        raise ValueError("too large")
    (line,) = lines()
    assert line.endswith(", refused")


def test_what_fails_is_logged_as_that(lines):
    with pytest.raises(OSError, match="disk"), logged(["fcn8s_vgg16"]):
        raise OSError("disk")
    assert lines()[0].endswith(", failed")


def test_a_name_that_is_none_of_ours_is_not_written(lines):
    with logged(["fcn8s_vgg16\n2026 forged"]):
        pass
    assert lines()[0].startswith("unknown, ")
    with logged(["fcn8s_vgg16"]):
        pass
    assert len(lines()) == 2
