"""Draw where the bundled networks fail, on photos that Gradio ships: `python docs/failures.py`."""

import sys
from pathlib import Path

import gradio as gr
from PIL import Image, ImageDraw, ImageFont, ImageOps

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from segdemo import catalog, render  # noqa: E402 - the package lies beside this folder
from segdemo.analysis import Style  # noqa: E402
from segdemo.images import read_image  # noqa: E402
from segdemo.segmenter import Segmenter  # noqa: E402

PHOTOS = ("tower.jpg", "lion.jpg", "cheetah1.jpg", "cheetah.jpg")
_SIDE, _MARGIN, _TEXT = 160, 6, 15  # pixels


def tile(image: Image.Image, caption: str) -> Image.Image:
    """Fit a picture into a square, with a caption below."""
    framed = Image.new("RGB", (_SIDE, _SIDE + _TEXT), "white")
    picture = ImageOps.contain(image, (_SIDE, _SIDE))
    framed.paste(picture, ((_SIDE - picture.width) // 2, (_SIDE - picture.height) // 2))
    ImageDraw.Draw(framed).text((1, _SIDE + 1), caption, "black", ImageFont.load_default(11))
    return framed


def beside(pictures: list[Image.Image], column: bool = False) -> Image.Image:
    """Put pictures side by side, or one below the other."""
    step = [(p.height if column else p.width) + _MARGIN for p in pictures]
    across = max(p.width if column else p.height for p in pictures)
    sheet = Image.new("RGB", (across, sum(step)) if column else (sum(step), across), "white")
    for index, picture in enumerate(pictures):
        at = sum(step[:index])
        sheet.paste(picture, (0, at) if column else (at, 0))
    return sheet


def main() -> None:
    """Write `failures.webp`: a row a photo, a column a network, the share of each class that was found below."""
    segmenters = [Segmenter.load(name, "cpu") for name in catalog.BUNDLED]
    rows = []
    for name in PHOTOS:
        photo = read_image(gr.get_image(name))
        tiles = [tile(photo, name)]
        for segmenter in segmenters:
            found = segmenter(photo)
            overlay = render.overlay(photo, found.class_map(), found.colours, Style.opacity)
            shares = " ".join(f"{key} {share:.0%}" for key, share in found.areas.items() if key != "background")
            tiles.append(tile(overlay, f"{segmenter.name.split('_')[0]}: {shares}"))
        rows.append(beside(tiles))
    beside(rows, column=True).save(FOLDER / "failures.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
