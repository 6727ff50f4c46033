"""The upload field and its examples."""

from pathlib import Path

import gradio as gr

from segdemo.ui.gradio_compat import PhotoInput, example_files, shown_file
from segdemo.ui.i18n import in_language
from segdemo.ui.photo_input import EXAMPLES, photo_field


def test_the_first_example_stands_in_the_field_and_all_of_them_below():
    with gr.Blocks():
        photo, examples = photo_field("photo")
    assert Path(shown_file(photo)).name == Path(EXAMPLES[0]).name == "lion.jpg"
    assert [Path(path).name for path in example_files(examples)] == [Path(path).name for path in EXAMPLES]
    assert isinstance(photo, PhotoInput)  # which hands on the file as it is
    assert in_language(photo.alt_text, "en") == "The photo that is segmented"
    assert in_language(photo.alt_text, "ko") == "분할할 사진"
