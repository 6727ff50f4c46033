"""Files that a visitor can download, each set in a folder of its own inside Gradio's cache, which it clears by age."""

import base64
import io
import json
import re
import uuid
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segdemo import render
from segdemo.segmentation import Segmentation
from segdemo.ui.gradio_compat import cache_folder

_LONGEST_STEM = 60  # a path on Windows may be short of room
_JPEG: dict[str, Any] = {"quality": 92, "subsampling": 0}
# Of a photo no larger than by zlib's own way, and sooner.
_PNG: dict[str, Any] = {"compress_level": 1, "compress_type": zlib.Z_RLE}


def new_folder() -> Path:
    """Make an empty folder that no other visitor's files share."""
    folder = cache_folder() / "results" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder


def write_results(folder: Path, stem: str, segmentation: Segmentation) -> tuple[str, str, str]:
    """Write what does not depend on how it is shown, under names that begin with `stem`.

    Returns:
        Paths of the index mask (palette PNG, the photo's size), the scores (.npz) and the COCO run lengths (.json). The
        scores' file holds `scores`, `score_map`, `classes`, and what places them on the photo: `image_size`,
        `analysis_size` and `extent`, each width and height, and `stride`. Scores are interpolated so that the centre of
        the photo's pixel x lies at (x + 0.5) · extent / image_size − 0.5, counted in cells from the first one's centre.
    """
    class_map = segmentation.class_map()
    mask, scores, rle = (folder / f"{stem}_{name}" for name in ("mask.png", "scores.npz", "rle.json"))
    render.index_mask(class_map, segmentation.colours).save(mask, compress_level=4)
    np.savez_compressed(
        scores,
        scores=segmentation.scores.numpy(),
        score_map=segmentation.score_map.numpy(),
        classes=np.array(segmentation.classes),
        image_size=np.array(segmentation.image_size),
        analysis_size=np.array(segmentation.analysis_size),
        extent=np.array(segmentation.extent),
        stride=np.array(segmentation.stride),
    )
    rle.write_text(
        json.dumps(render.coco_rle(class_map, segmentation.classes, segmentation.has_background)), encoding="utf-8"
    )
    return str(mask), str(scores), str(rle)


def plain(name: str) -> str:
    """Write a class's name as it may stand in a file's: "carpenter's kit" has signs that some systems refuse."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")


def plain_stem(path: str | Path) -> str:
    """Give a photo's name without its ending and without dots before it: of "..jpg" Gradio serves no file."""
    return Path(path).stem.lstrip(".")[:_LONGEST_STEM] or "photo"


def data_url(picture: Image.Image, form: str, **settings: int) -> str:
    """Write a picture, as `jpeg` or `png`, into an address of its own."""
    data = io.BytesIO()
    picture.save(data, form, **settings)
    return f"data:image/{form};base64,{base64.b64encode(data.getvalue()).decode()}"


def write_picture(folder: Path, name: str, picture: Image.Image) -> str:
    """Write a picture, as JPEG or PNG by the name's ending, and give its path."""
    path = folder / name
    picture.save(path, **(_JPEG if path.suffix == ".jpg" else _PNG))
    return str(path)
