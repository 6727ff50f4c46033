"""Data sets: photos and labels, splits that do not overlap, and a sentence that names the file that is wrong."""

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


def write_mask(folder, labels):
    Image.fromarray(np.asarray(labels, np.uint8)).save(folder / "masks" / "00.png")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: write_mask(f, np.full((64, 48), 7)), r"00\.png has the value 7"),
        (lambda f: write_mask(f, np.zeros((8, 8))), r"00\.png is 8×8 pixels, its photo 48×64"),
        (lambda f: write_mask(f, np.zeros((64, 48, 3))), r"00\.png is not an image of indices"),
        (lambda f: (f / "masks" / "00.png").unlink(), r"00\.png has no mask"),
        (lambda f: (f / "images" / "00.png").unlink(), r"masks.*00\.png has no photo"),
        (lambda f: (f / "images" / "00.png").write_bytes(b"no image"), r"00\.png cannot be read"),
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
    with pytest.raises(DataError, match="no split 'all'"):
        open_dataset(tmp_path, "pets", "all")
