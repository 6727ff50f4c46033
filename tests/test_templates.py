"""HTML from templates."""

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from segdemo.ui.templates import render


def test_values_are_escaped_and_html_is_not():
    assert render("caption", text="<script>") == "<p class='caption'>&lt;script&gt;</p>"
    assert render("caption", text=Markup("<b>x</b>")) == "<p class='caption'><b>x</b></p>"


def test_what_is_rendered_can_stand_in_another_template():
    assert "<b>" in render("caption", text=render("caption", text=Markup("<b>x</b>")))


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError):
        render("caption")
