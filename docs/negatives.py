"""Gather the pictures of `negatives.txt` for `python -m segdemo train --negatives`.

They are pictures that Debian 12 ships: drawings, photos, backgrounds. On a Debian machine, in an empty folder:

    for package in $(grep -o '^[^/ ]*' PATH/negatives.txt | sort -u); do
        apt-get download $package && dpkg -x ${package}_*.deb unpacked/$package; done
    python PATH/negatives.py unpacked negatives
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

LIST = Path(__file__).with_name("negatives.txt")
_SIDE = 256  # pixels, the longer side; training needs fewer
Image.MAX_IMAGE_PIXELS = None  # a wallpaper may be large


def listed() -> Iterator[str]:
    """Give the paths of the list: a line is a folder, or, indented, a file in the last folder."""
    folder = ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            yield folder + line[1:]
        else:
            folder = line


def main() -> None:
    """Copy the pictures, as PNG and no larger than needed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unpacked", type=Path, help="a folder for each package, as `dpkg -x` makes it")
    parser.add_argument("out", type=Path, help="where the pictures go")
    options = parser.parse_args()
    for name in listed():
        target = options.out / f"{name.replace('/usr/share/', '/')}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(options.unpacked / name) as image:
            picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
        picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        picture.save(target)


if __name__ == "__main__":
    main()
