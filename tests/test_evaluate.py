"""Evaluation counts every photo, at the labels' own resolution, over the data set's own classes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from segdemo.training.datasets import DataError, open_dataset
from segdemo.training.evaluate import evaluate

CLASSES = ("background", "person", "cat", "dog")


class Oracle:
    """Answers with the labels themselves in its own classes, or with what `spoil` makes of them."""

    name = "oracle"

    def __init__(self, dataset, spoil=lambda labels: labels, classes=CLASSES):
        self.metadata = SimpleNamespace(classes=classes)
        index = np.array([classes.index(name) for name in dataset.classes] + [0] * 256)[:256]
        self.answers = {photo.tobytes(): spoil(index[labels].astype(np.uint8)) for photo, labels in dataset}
        self.network = SimpleNamespace(classifies=False)
        self.sizes = []

    def __call__(self, photos, analysis_size, best_quality=False):
        self.sizes.append(analysis_size)
        return [SimpleNamespace(class_map=lambda p=p: self.answers[p.tobytes()]) for p in photos]


@pytest.fixture
def dataset(pet_folder):
    return open_dataset(pet_folder, "pets", "train")


def figures(oracle, dataset, **settings):
    return evaluate(oracle, dataset, **settings)["oracle"]


def test_the_truth_scores_one_and_the_border_does_not_count(dataset):
    found = figures(Oracle(dataset), dataset)
    assert found["images"] == 4
    assert found["miou"] == found["foreground_iou"] == found["pixel_accuracy"] == found["boundary_iou"] == 1
    assert found["class_iou"] == {"background": 1, "cat": 1, "dog": 1}
    assert "image_accuracy" not in found


def test_only_the_data_set_s_own_classes_are_averaged_and_others_are_errors(dataset):
    person = figures(Oracle(dataset, lambda labels: np.where(labels == 2, 1, labels)), dataset)
    assert set(person["class_iou"]) == {"background", "cat", "dog"}
    assert person["class_iou"] == {"background": 1, "cat": 0, "dog": 1}
    assert person["miou"] == pytest.approx(2 / 3)
    assert person["pixel_accuracy"] < 1


def test_all_background_scores_as_computed_by_hand(dataset):
    found = figures(Oracle(dataset, np.zeros_like), dataset)
    labels = np.concatenate([labels.ravel() for _, labels in dataset])
    background = (labels == 0).sum() / (labels != 255).sum()
    assert found["class_iou"] == {"background": pytest.approx(background), "cat": 0, "dog": 0}
    assert found["pixel_accuracy"] == pytest.approx(background)
    assert found["foreground_iou"] == found["boundary_iou"] == 0


def test_the_analysis_size_is_handed_on(dataset):
    oracle = Oracle(dataset)
    figures(oracle, dataset, analysis_size=96)
    assert oracle.sizes == [96]


def test_a_network_that_lacks_a_class_is_refused(dataset):
    oracle = Oracle(dataset)
    oracle.metadata = SimpleNamespace(classes=("background", "cat"))
    with pytest.raises(ValueError, match="oracle does not know dog of pets"):
        evaluate(oracle, dataset)


def test_a_damaged_photo_is_named(dataset):
    oracle = Oracle(dataset)
    dataset.items[2].photo.write_bytes(b"nothing")
    with pytest.raises(DataError, match=dataset.items[2].photo.name):
        evaluate(oracle, dataset)


def test_without_a_background_there_is_no_foreground(dataset):
    streets = replace(dataset, classes=("sky", "cat", "dog"))
    oracle = Oracle(dataset)
    oracle.metadata = SimpleNamespace(classes=("sky", "person", "cat", "dog"))
    found = evaluate(oracle, streets)["oracle"]
    assert "foreground_iou" not in found
    assert "boundary_iou" not in found
    assert found["miou"] == 1


def test_a_classifier_s_answers_are_counted(dataset):
    class Classifies(Oracle):
        def __call__(self, photos, analysis_size, best_quality=False):
            answers = super().__call__(photos, analysis_size, best_quality)
            for answer in answers:
                answer.score_map = torch.tensor([5.0, 9.0, 1.0, 0.0]).view(4, 1, 1)  # a cat, when asked for a pet
            return answers

    oracle = Classifies(dataset)
    oracle.network = SimpleNamespace(classifies=True)
    species = [item.values[1] for item in dataset.items]
    assert figures(oracle, dataset)["image_accuracy"] == species.count(1) / 4
