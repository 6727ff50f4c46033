"""Data sets: photos and labels, splits that do not overlap, and a sentence that names the file that is wrong."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from segdemo.training.datasets import CAMVID, IGNORE, DataError, is_own, open_dataset


def stems(dataset):
    return {item.photo.stem for item in dataset.items}


def test_a_trimap_becomes_the_animal_s_class_and_its_border_is_left_out(pet_folder):
    for photo, labels in open_dataset(pet_folder, "pets", "test"):
        assert labels.shape == (photo.height, photo.width)
        assert labels[0, 0] == 0
        assert labels[photo.height // 2 + 1, -1] == IGNORE
    labels = [labels[-1, -1] for _, labels in open_dataset(pet_folder, "pets", "test")]
    assert labels == [2, 1]  # pug_5, then Abyssinian_6


def test_people_and_streets_are_read(tmp_path):
    for folder in (
        "people/images",
        "people/masks",
        "camvid/train",
        "camvid/trainannot",
        "camvid/val",
        "camvid/valannot",
    ):
        (tmp_path / folder).mkdir(parents=True)
    Image.new("RGB", (6, 4)).save(tmp_path / "people/images/a.jpg")
    Image.fromarray(np.eye(4, 6, dtype=np.uint8)).save(tmp_path / "people/masks/a.png")
    (tmp_path / "people/train.txt").write_text("a\n")
    Image.new("RGB", (6, 4)).save(tmp_path / "camvid/train/b.jpg")
    Image.fromarray(np.full((4, 6), 11, np.uint8)).save(tmp_path / "camvid/trainannot/b.png")
    ((_, person),) = open_dataset(tmp_path, "people", "train")
    assert person.sum() == 4
    ((_, street),) = open_dataset(tmp_path, "camvid", "train")
    assert (street == IGNORE).all()
    assert open_dataset(tmp_path, "camvid", "train").classes == tuple(CAMVID)


def test_the_parts_of_a_folder_of_one_s_own_do_not_overlap(own_folder):
    parts = [stems(open_dataset(own_folder, None, split)) for split in ("train", "held-out", "test")]
    assert [len(part) for part in parts] == [16, 0, 4]
    assert len(set.union(*parts)) == 20
    assert is_own(own_folder)
    assert not is_own(own_folder.parent)


def test_lists_choose_the_photos(own_folder):
    (own_folder / "train.txt").write_text("\ufeff00.png\n03\n", encoding="utf-8")
    (own_folder / "test.txt").write_text("07\n", encoding="utf-8")
    assert stems(open_dataset(own_folder, None, "train")) == {"00", "03"}
    assert stems(open_dataset(own_folder, None, "test")) == {"07"}


def test_classes_have_names_colours_and_what_is_not_labelled(own_folder):
    (own_folder / "classes.txt").write_text("background\nignore\nred mug #ff0000\n", encoding="utf-8")
    path = own_folder / "masks" / "00.png"
    labels = np.asarray(Image.open(path))
    Image.fromarray(np.where(labels == 1, 2, np.where(labels == 255, 1, 0)).astype(np.uint8)).save(path)
    (own_folder / "train.txt").write_text("00\n")
    dataset = open_dataset(own_folder, None, "train")
    assert dataset.classes == ("background", "red mug")
    assert dataset.colours == ("#000000", "#ff0000")
    ((_, read),) = dataset
    assert set(np.unique(read)) == {0, 1, IGNORE}


def test_labels_are_translated_into_a_network_s_classes(own_folder):
    dataset = open_dataset(own_folder, None, "train")
    classes = ("background", "person", "cup")
    _, labels = next(iter(dataset.translated(classes, {"mug": "cup"})))
    assert set(np.unique(labels)) == {0, 2, IGNORE}
    _, labels = next(iter(dataset.translated(classes, {"mug": "ignore"})))
    assert set(np.unique(labels)) == {0, IGNORE}
    with pytest.raises(DataError, match="'mug'"):
        dataset.translated(classes, {})


def read_all(folder):
    return list(open_dataset(folder, None, "train"))


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-40])


def png_header(width, height):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + check + b"\0\0\0\1IDATx"


def write_mask(folder, labels):
    Image.fromarray(np.asarray(labels, np.uint8)).save(folder / "masks" / "00.png")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: write_mask(f, np.full((64, 48), 7)), r"00\.png has the value 7"),
        (lambda f: write_mask(f, np.zeros((8, 8))), r"00\.png is 8×8 pixels, its photo 48×64"),
        (lambda f: write_mask(f, np.zeros((64, 48, 3))), r"masks.00\.png is no index mask"),
        (lambda f: (f / "masks" / "00.png").unlink(), r"00\.png has no mask"),
        (lambda f: (f / "images" / "00.png").unlink(), r"masks.*00\.png has no photo"),
        (lambda f: (f / "images" / "00.png").write_bytes(b"no image"), r"images.00\.png is not in a format"),
        (lambda f: cut_short(f / "images" / "00.png"), r"images.00\.png is damaged or cut short"),
        (lambda f: cut_short(f / "masks" / "00.png"), r"masks.00\.png is damaged or cut short"),
        (lambda f: (f / "images" / "00.png").write_bytes(png_header(60_000, 60_000)), r"images.00\.png is too large"),
        (lambda f: Image.new("RGB", (8, 8)).save(f / "images" / "00.jpg"), r"00\.jpg and .*00\.png have one name"),
        (lambda f: (f / "train.txt").write_text("00\n\n01\n"), r"train\.txt is empty in line 2"),
        (lambda f: (f / "classes.txt").write_text("background\n\nmug\n"), r"classes\.txt is empty in line 2"),
        (lambda f: (f / "train.txt").write_bytes(b"caf\xe9\n"), r"train\.txt is no text in UTF-8"),
        (lambda f: (f / "train.txt").write_text("nobody\n"), "names nobody"),
        (lambda f: (f / "classes.txt").write_text("background\n"), "fewer than two classes"),
        (lambda f: (f / "classes.txt").unlink(), r"classes\.txt"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_s_name(own_folder, spoil, says):
    spoil(own_folder)
    with pytest.raises(DataError, match=says):
        read_all(own_folder)


def test_a_missing_data_set_is_said(tmp_path):
    for name in ("pets", "people", "camvid"):
        with pytest.raises(DataError, match="name another"):
            open_dataset(tmp_path, name, "test")


@pytest.mark.parametrize("line", ["pug_9", "pug_9 26 cat 17", "pug_9 26 3 17", ""], ids=repr)
def test_a_line_of_the_pets_list_that_says_no_species_is_said_with_its_file(pet_folder, line):
    listed = pet_folder / "oxford-iiit-pet" / "annotations" / "test.txt"
    whole = listed.read_text()
    listed.write_text(f"{whole}{line}\npug_5 26 2 17\n")
    with pytest.raises(DataError, match=r"test\.txt"):
        open_dataset(pet_folder, "pets", "test")
    listed.write_text(f"{whole}\n\n")
    assert len(open_dataset(pet_folder, "pets", "test")) == 2, "empty lines at the end name nothing"


def test_a_mask_of_few_bits_holds_indices_and_lies_as_its_photo_does(own_folder):
    # As cameras and labelling programs write them: a photo on its side, a mask of one bit.
    labels = np.zeros((48, 64), np.uint8)
    labels[:8, :16] = 1
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (64, 48), "gray").save(own_folder / "images" / "00.png", exif=exif)
    upright = Image.fromarray(np.rot90(labels, -1) * 255).convert("1")
    upright.save(own_folder / "masks" / "00.png")
    (own_folder / "train.txt").write_text("00\n")
    ((photo, read),) = open_dataset(own_folder, None, "train")
    assert photo.size == (48, 64)
    np.testing.assert_array_equal(read, np.rot90(labels, -1))
