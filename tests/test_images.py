"""Every kind of file that a visitor may send, good or bad; all of them are made here."""

import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from corpus import png
from pictures import ORANGE, close, encode, needs_avif, plain, refusal
from PIL import ExifTags, Image, ImageCms, ImageFile

from segdemo import images, render
from segdemo.images import ImageError, decode, read_image, read_reduced

# --- formats and modes


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "MPO"])
def test_each_format_becomes_a_plain_rgb_image(file_format):
    image = read_image(encode(plain(), file_format))
    assert (type(image), image.mode, image.size) == (Image.Image, "RGB", (16, 12))
    assert close(image.getpixel((8, 6)), ORANGE)


def test_the_first_picture_of_a_phones_mpo_is_read():
    data = encode(plain(), "MPO", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    assert Image.open(BytesIO(data)).format == "MPO"
    assert close(read_image(data).getpixel((8, 6)), ORANGE)


@needs_avif
def test_avif_is_read():
    assert close(read_image(encode(plain(), "AVIF")).getpixel((8, 6)), ORANGE)


# --- orientation


# Where EXIF's definition puts the start and the end of a file's first row.
CORNERS = {
    1: ("top left", "top right"),
    2: ("top right", "top left"),
    3: ("bottom right", "bottom left"),
    4: ("bottom left", "bottom right"),
    5: ("top left", "bottom left"),
    6: ("top right", "bottom right"),
    7: ("bottom right", "top right"),
    8: ("bottom left", "top left"),
}


def stored_photo():
    photo = Image.new("RGB", (96, 64), "white")
    photo.paste((255, 0, 0), (0, 0, 32, 32))
    photo.paste((0, 0, 255), (64, 0, 96, 32))
    return photo


def check_upright(upright, orientation):
    start, end = CORNERS[orientation]
    assert upright.size == ((96, 64) if orientation < 5 else (64, 96))
    assert close(corner(upright, start), (255, 0, 0), tolerance=40)
    assert close(corner(upright, end), (0, 0, 255), tolerance=40)


def corner(image, name):
    x = 4 if "left" in name else image.width - 5
    y = 4 if "top" in name else image.height - 5
    return image.getpixel((x, y))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)])
@pytest.mark.parametrize("orientation", CORNERS)
def test_exif_orientation_turns_the_photo_upright(file_format, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    check_upright(read_image(encode(stored_photo(), file_format, exif=exif)), orientation)


@pytest.mark.parametrize("orientation", CORNERS)
def test_a_heic_photo_is_turned_upright_once(orientation):
    pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # pillow-heif turns the photo by itself; the tag must not turn it again.
    check_upright(read_image(encode(stored_photo(), "HEIF", exif=exif.tobytes())), orientation)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_does_not_break_the_photo(file_format, exif):
    assert close(read_image(encode(plain(), file_format, exif=exif)).getpixel((8, 6)), ORANGE)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert read_image(encode(plain(), "JPEG", exif=exif)).size == (16, 12)


def test_the_image_carries_no_metadata():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = read_image(encode(plain(), "JPEG", exif=exif, comment=b"secret", dpi=(72, 72), icc_profile=profile))
    assert image.info == {}
    assert dict(image.getexif()) == {}


# --- frames and shapes


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_frame_counts(file_format):
    later = [plain(colour=(0, 0, 255)), plain(colour=(0, 255, 0))]
    data = encode(plain(), file_format, save_all=True, append_images=later)
    assert Image.open(BytesIO(data)).n_frames == 3
    assert close(read_image(data).getpixel((8, 6)), ORANGE)


def test_a_damaged_later_frame_does_not_matter():
    first = encode(plain(), "GIF")
    data = encode(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    assert read_image(data[: len(first) + 10]).getpixel((0, 0)) == ORANGE


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1)])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_extreme_shapes_are_read(size, file_format):
    assert read_image(encode(plain(size=size), file_format)).size == size


# --- sources


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_a_path_gives_the_same_image_as_its_bytes(tmp_path, kind, file_format):
    path = tmp_path / "photo"
    path.write_bytes(encode(plain(), file_format))
    image = read_image(kind(path))
    path.unlink()
    assert image == read_image(encode(plain(), file_format))


def test_the_content_decides_and_not_the_suffix(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(plain(), "PNG"))
    assert read_image(path).getpixel((0, 0)) == ORANGE


def test_threads_decode_at_once_and_pillows_settings_stay():
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    good, cut = encode(plain(size=(200, 200)), "JPEG"), encode(plain(size=(200, 200)), "PNG")[:-40]

    def work(index):
        if index % 2:
            return read_image(good).getpixel((0, 0))
        with pytest.raises(ImageError):
            read_image(cut)
        return None

    with ThreadPoolExecutor(8) as pool:
        colours = list(pool.map(work, range(64)))
    assert all(close(colour, ORANGE) for colour in colours[1::2])
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


# --- refusals


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "photo.jpg") == "There is no file photo.jpg."


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    assert refusal(tmp_path / "photos") == "photos is a folder, not an image."
    assert "folder" in refusal("")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_an_endless_device_is_refused():
    assert "no file" in refusal("/dev/zero")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def forbid(path, *args):
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "photo.jpg"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "open", forbid)  # root may read whatever its mode says
    with pytest.raises(ImageError, match=r"^photo\.jpg cannot be opened\.$"):
        decode.open_file(str(path), "photo.jpg")


@pytest.mark.parametrize("name", ["photo\0.jpg", "photo\n.jpg", "photo" * 3000])
def test_a_strange_name_is_refused_in_print(name):
    assert len(refusal(name)) < 120


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    assert refusal(tmp_path / "photo.jpg") == "photo.jpg is empty."
    assert refusal(b"") == "The image is empty."


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\n<!DOCTYPE html><html><body><svg></svg></body></html>", "a web page"),
        (b"<HTML><head></head></HTML>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"8BPS\0\x01" + b"\0" * 60, "a Photoshop file"),
        (b"%PDF-1.7\n", "a PDF file"),
        (b"hello, this is text", "not in a format that can be recognised"),
        (b"P6 1 1 255 abc", "not in a format that can be recognised"),
        (b"\0", "not in a format that can be recognised"),
    ],
)
def test_what_is_no_photo_is_refused_by_name(tmp_path, content, kind):
    (tmp_path / "photo.jpg").write_bytes(content)
    message = refusal(tmp_path / "photo.jpg")
    assert message.startswith(f"photo.jpg is {kind}; JPEG, PNG")


def test_a_format_that_pillow_knows_but_is_not_listed_is_refused():
    data = encode(plain(), "PPM")
    assert Image.open(BytesIO(data)).format == "PPM"
    assert "can be recognised" in refusal(data)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
@pytest.mark.parametrize(
    "file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", pytest.param("AVIF", marks=needs_avif)]
)
def test_a_truncated_file_is_refused(tmp_path, file_format, share):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    data = encode(Image.fromarray(noise), file_format)
    (tmp_path / "photo.jpg").write_bytes(data[: max(20, int(len(data) * share))])
    message = refusal(tmp_path / "photo.jpg")
    assert message.startswith("photo.jpg is damaged")
    assert "cut short" in message


def test_a_damaged_png_is_refused():
    data = bytearray(encode(plain(), "PNG"))
    data[data.index(b"IDAT") + 8] ^= 0xFF
    assert "damaged" in refusal(bytes(data))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", pytest.param("AVIF", marks=needs_avif)]
)
def test_whatever_is_damaged_gives_an_image_or_a_refusal(file_format):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options = {} if file_format in ("GIF", "BMP") else {"exif": exif}
    data, chance = encode(plain(), file_format, **options), random.Random(0)
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[chance.randrange(len(data))] = chance.randrange(256)
        try:
            image = read_image(bytes(damaged))
        except ImageError:
            continue
        assert (image.mode, image.info) == ("RGB", {})


# --- size


def test_a_photo_of_exactly_the_limit_passes_and_one_row_more_does_not():
    data = encode(plain(size=(40, 30)), "PNG")
    assert read_image(data, max_pixels=1200).size == (40, 30)
    assert "40 × 30" in refusal(data, max_pixels=1199)


def test_an_index_mask_is_read_as_it_is_stored(tmp_path):
    values = np.array([[0, 1], [2, 255]], np.uint8)
    grey, coloured = Image.fromarray(values), Image.fromarray(values)
    coloured.putpalette([255 - i % 256 for i in range(768)])
    for name, image in (("grey", grey), ("palette", coloured)):
        path = tmp_path / f"{name}.png"
        image.save(path)
        assert images.read_mask(path).tolist() == values.tolist()
        assert images.read_mask(path.read_bytes()).dtype == np.uint8


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_mask_of_any_depth_holds_indices(bits):
    values = np.random.default_rng(bits).integers(0, 2**bits, (5, 11))
    dtype = np.uint16 if bits == 16 else np.uint8
    assert images.read_mask(grey_png(values, bits)).tolist() == values.tolist()
    assert images.read_mask(grey_png(values, bits)).dtype == dtype


def grey_png(values, bits):
    """Write a grey PNG of so many bits a pixel: Pillow writes only those of 1, 8 and 16."""
    digits = (values[..., None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(digits.reshape(len(values), -1).astype(np.uint8), axis=1)
    return png(values.shape[::-1], bits, 0, (b"\0" + row.tobytes() for row in rows))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_turned_as_its_photo_is(orientation, bits):
    values = np.arange(6, dtype=np.uint8 if bits == 8 else np.uint16).reshape(2, 3)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo, mask = BytesIO(), BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(photo, "PNG", exif=exif)
    Image.fromarray(values).save(mask, "PNG", exif=exif)
    wanted = np.asarray(read_image(photo.getvalue()))[..., 0]
    assert images.read_mask(mask.getvalue()).tolist() == wanted.tolist()


def test_the_mask_of_a_network_with_a_thousand_classes_is_read_again(tmp_path):
    values = np.array([[0, 255, 256], [999, 1, 2]], np.uint16)
    render.index_mask(values, ["#000000"] * 1000).save(tmp_path / "mask.png")
    assert images.read_mask(tmp_path / "mask.png").tolist() == values.tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "F"])
def test_a_picture_that_is_no_index_mask_is_refused(mode):
    buffer = BytesIO()
    Image.new(mode, (3, 2)).save(buffer, "TIFF" if mode == "F" else "PNG")
    with pytest.raises(ImageError, match="no index mask"):
        images.read_mask(buffer.getvalue())


def test_a_jpeg_is_no_mask_since_its_values_are_not_exact():
    buffer = BytesIO()
    Image.new("L", (8, 8)).save(buffer, "JPEG")
    with pytest.raises(ImageError, match="no index mask"):
        images.read_mask(buffer.getvalue())


@pytest.mark.parametrize(
    ("enough", "size"),
    [(1600, (1600, 1200)), (801, (1600, 1200)), (800, (800, 600)), (400, (400, 300)), (3, (200, 150))],
)
def test_a_jpeg_is_decoded_no_further_than_needed(enough, size):
    photo = encode(plain(size=(1600, 1200)), "JPEG")
    reduced, own = read_reduced(photo, enough)
    assert (reduced.size, own) == (size, (1600, 1200))
    assert close(reduced.getpixel((0, 0)), ORANGE)


def test_a_reduced_photo_shows_the_same_things():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8), "RGB")
    photo = encode(noise.resize((800, 600), Image.Resampling.BICUBIC), "JPEG", quality=95)
    whole = read_image(photo).resize((40, 30), Image.Resampling.BOX)
    reduced = read_reduced(photo, 200)[0].resize((40, 30), Image.Resampling.BOX)
    assert np.abs(np.asarray(whole, int) - np.asarray(reduced, int)).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_a_reduced_photo_is_that_of_the_upright_one(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = encode(plain(size=(801, 800)), "JPEG", exif=exif)  # at an eighth of its size it is a square
    reduced, own = read_reduced(photo, 50)
    assert (max(reduced.size), own) == (101, read_image(photo).size)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_modes_are_reduced_too(mode):
    reduced, own = read_reduced(encode(plain(mode, (640, 480)), "JPEG"), 160)
    assert (reduced.mode, reduced.size, own) == ("RGB", (160, 120), (640, 480))
    assert close(reduced.getpixel((9, 9)), read_image(encode(plain(mode, (64, 48)), "JPEG")).getpixel((9, 9)))


def test_other_formats_are_decoded_whole():
    assert read_reduced(encode(plain(size=(640, 480)), "PNG"), 160)[0].size == (640, 480)


def test_a_damaged_jpeg_is_refused_when_reduced_too():
    with pytest.raises(ImageError, match=r"The image is damaged or cut short\."):
        read_reduced(encode(plain(size=(640, 480)), "JPEG")[:-400], 80)


def test_a_folder_whose_name_ends_in_a_colon_is_no_web_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans:").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "scans:" / "b.png")
    assert read_image("scans:/b.png").size == (8, 6)
