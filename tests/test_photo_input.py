"""The upload field and its examples."""

from pathlib import Path

import gradio as gr

from segdemo.ui.gradio_compat import example_files, shown_file
from segdemo.ui.i18n import in_language
from segdemo.ui.photo_input import EXAMPLES, photo_field


def test_the_first_example_stands_in_the_field_and_all_of_them_below():
    with gr.Blocks():
        photo, examples = photo_field("t", "alt.photo")
    assert Path(shown_file(photo)).name == EXAMPLES[0]
    assert [Path(path).name for path in example_files(examples)] == list(EXAMPLES)
    assert photo.type == "filepath"
    assert in_language(photo.alt_text, "en") == "The photo that is segmented"
    assert in_language(photo.alt_text, "ko") == "분할할 사진"
