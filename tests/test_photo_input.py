"""The upload field hands files on as they are."""

import base64

from gradio.data_classes import ImageData
from PIL import Image

from segdemo.ui.photo_input import PhotoInput


def test_a_damaged_file_reaches_the_app(tmp_path):
    path = tmp_path / "damaged.png"
    path.write_bytes(b"no image at all")
    field = PhotoInput(type="filepath", image_mode=None)
    assert field.preprocess(ImageData(path=str(path), orig_name="damaged.png")) == str(path)


def test_no_photo_is_none():
    assert PhotoInput(type="filepath", image_mode=None).preprocess(None) is None


def test_a_data_url_becomes_a_file(striped_photo):
    url = f"data:image/png;base64,{base64.b64encode(striped_photo.read_bytes()).decode()}"
    path = PhotoInput(type="filepath", image_mode=None).preprocess(ImageData(url=url))
    assert Image.open(path).size == Image.open(striped_photo).size


def test_the_page_draws_it_as_an_image_field():
    assert PhotoInput(type="filepath", image_mode=None).get_block_name() == "image"
