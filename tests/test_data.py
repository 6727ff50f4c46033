"""The dataset as tensors."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from segdemo.training.data import CLASSES, DataError, Pets, labelled_photos, labels_from_trimap, load_pets, open_pets


@pytest.mark.parametrize("species", [1, 2])
def test_a_trimap_becomes_class_indices(species):
    trimap = np.array([[1, 2], [3, 1]], np.uint8)
    labels = labels_from_trimap(trimap, species)
    assert labels.tolist() == [[species, 0], [255, species]]
    assert labels.dtype == np.uint8
    assert trimap.tolist() == [[1, 2], [3, 1]]


def test_species_are_the_classes_behind_the_background():
    assert CLASSES == ("background", "cat", "dog")


def test_photos_come_at_their_own_size_with_labels_and_species(pet_folder):
    photos = list(labelled_photos(pet_folder, "trainval"))
    assert [species for *_, species in photos] == [1, 2, 1, 2]
    for photo, labels, species in photos:
        assert photo.mode == "RGB"
        assert labels.shape == (photo.height, photo.width)
        assert set(np.unique(labels).tolist()) == {0, species, 255}


def test_a_split_is_read_in_its_lists_order(pet_folder):
    trainval, test = load_pets(pet_folder, "trainval", 32), load_pets(pet_folder, "test", 32)
    assert trainval.species.tolist() == [1, 2, 1, 2]
    assert test.species.tolist() == [2, 1]
    assert (len(trainval), len(test)) == (4, 2)


def test_photos_are_squashed_to_bytes_of_one_size(pet_folder):
    pets = load_pets(pet_folder, "trainval", 32)
    assert (pets.images.shape, pets.images.dtype) == ((4, 3, 32, 32), torch.uint8)
    assert (pets.labels.shape, pets.labels.dtype) == ((4, 32, 32), torch.uint8)
    assert pets.species.dtype == torch.int64
    assert pets.images.is_contiguous()


def test_labels_fit_the_photos_and_hold_no_mixed_values(pet_folder):
    pets = load_pets(pet_folder, "trainval", 32)
    for image, labels, species in zip(pets.images.int(), pets.labels, pets.species, strict=True):
        assert set(labels.unique().tolist()) == {0, species.item(), 255}
        red_over_green = image[0] - image[1]
        assert (red_over_green[labels == species] > 100).all()
        assert (red_over_green[:14, :14] < -100).all()
        assert labels[:14, :14].eq(0).all()


def test_grey_photos_are_read_as_rgb(pet_folder):
    path = pet_folder / "oxford-iiit-pet" / "images" / "pug_5.jpg"
    Image.open(path).convert("L").save(path)
    assert load_pets(pet_folder, "test", 16).images.shape == (2, 3, 16, 16)


def test_rows_are_picked_together():
    pets = Pets(torch.arange(5).view(5, 1, 1, 1), torch.arange(5).view(5, 1, 1), torch.arange(5))
    picked = pets[torch.tensor([3, 1])]
    assert [part.flatten().tolist() for part in (picked.images, picked.labels, picked.species)] == [[3, 1]] * 3
    assert len(picked) == 2


@pytest.mark.parametrize("count", [1, 19, 20, 45, 100])
def test_the_held_out_photos_and_the_others_are_all_and_disjoint(count):
    pets = Pets(torch.zeros(count, 3, 1, 1), torch.zeros(count, 1, 1), torch.arange(count))
    training, held_out = pets.split_held_out()
    assert sorted([*training.species.tolist(), *held_out.species.tolist()]) == list(range(count))
    assert len(held_out) == count // 20


def test_the_held_out_photos_are_the_same_every_time():
    pets = Pets(torch.zeros(45, 3, 1, 1), torch.zeros(45, 1, 1), torch.arange(45))
    assert pets.split_held_out()[1].species.tolist() == [19, 39]


def test_a_folder_without_the_dataset_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"^no oxford-iiit-pet folder in .*--data or add --download$") as caught:
        load_pets(tmp_path, "trainval")
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ["images", "annotations"])
def test_half_a_dataset_is_refused(pet_folder, part):
    shutil.rmtree(pet_folder / "oxford-iiit-pet" / part)
    with pytest.raises(DataError):
        open_pets(pet_folder, "test")


def test_a_dataset_without_its_list_is_refused(pet_folder):
    (pet_folder / "oxford-iiit-pet" / "annotations" / "test.txt").unlink()
    with pytest.raises(DataError):
        open_pets(pet_folder, "test")


def test_an_unknown_split_is_refused(pet_folder):
    with pytest.raises(ValueError, match="split"):
        open_pets(pet_folder, "validation")


def test_the_held_out_split_is_what_training_leaves_out(pet_folder, monkeypatch):
    monkeypatch.setattr("segdemo.training.data._HELD_OUT_EVERY", 2)
    _, left_out = load_pets(pet_folder, "trainval", 16).split_held_out()
    held_out = load_pets(pet_folder, "held-out", 16)
    assert len(held_out) == 2
    assert torch.equal(held_out.images, left_out.images)
