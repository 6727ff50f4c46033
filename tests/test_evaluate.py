"""Evaluation counts every photo, at the labels' own resolution."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from segdemo.models import build
from segdemo.segmenter import Segmenter
from segdemo.training import evaluate as module
from segdemo.training.data import DataError, labelled_photos
from segdemo.training.evaluate import Look, evaluate


class Oracle:
    """Answers with the labels themselves, or with what `spoil` makes of them."""

    name = "oracle"

    def __init__(self, folder, split, spoil=lambda labels: labels, network=None):
        photos = labelled_photos(folder, split)
        self.answers = {photo.tobytes(): spoil(labels) for photo, labels, _ in photos}
        self.network = network
        self.sizes = []

    def __call__(self, photos, analysis_size, best_quality=False):
        self.sizes.append(analysis_size)
        return [
            SimpleNamespace(class_map=lambda p=p: self.answers[p.tobytes()], score_map=torch.zeros(3, 1, 1))
            for p in photos
        ]


def test_the_truth_scores_one_and_the_border_does_not_count(pet_folder):
    figures = evaluate(
        Oracle(pet_folder, "trainval", lambda labels: np.where(labels == 255, 1, labels)), pet_folder, "trainval"
    )["oracle"]
    assert figures["images"] == 4
    assert figures["miou"] == figures["foreground_iou"] == figures["pixel_accuracy"] == 1
    assert figures["class_iou"] == {"background": 1, "cat": 1, "dog": 1}
    assert figures["boundary_iou"] == 1
    assert figures["images_per_second"] > 0
    assert "image_accuracy" not in figures


def test_all_background_scores_as_computed_by_hand(pet_folder):
    figures = evaluate(Oracle(pet_folder, "test", np.zeros_like), pet_folder, "test")["oracle"]
    labels = np.concatenate([labels.ravel() for _, labels, _ in labelled_photos(pet_folder, "test")])
    background = (labels == 0).sum() / (labels != 255).sum()
    assert figures["class_iou"]["background"] == pytest.approx(background)
    assert figures["class_iou"]["cat"] == figures["foreground_iou"] == 0
    assert figures["miou"] == pytest.approx(background / 3)


def test_the_last_batch_counts_though_it_is_not_full(pet_folder, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 3)
    oracle = Oracle(pet_folder, "trainval")
    assert evaluate(oracle, pet_folder, "trainval", Look(64))["oracle"]["images"] == 4
    assert oracle.sizes == [64, 64]


def test_a_classifier_s_twin_is_also_measured_on_cat_against_dog(pet_folder):
    twin = build("conv1x1_vgg", backbone="vgg11", num_classes=3)
    figures = evaluate(Oracle(pet_folder, "trainval", network=twin), pet_folder, "trainval")["oracle"]
    # Equal scores say "cat", which is half of the four photos.
    assert figures["image_accuracy"] == 0.5


def test_a_folder_without_the_dataset_is_refused(tmp_path):
    with pytest.raises(DataError, match="oxford-iiit-pet"):
        evaluate(SimpleNamespace(name="x", network=None), tmp_path, "test")


def test_refined_edges_and_best_quality_are_what_is_measured(pet_folder, monkeypatch):
    oracle, refined = Oracle(pet_folder, "trainval"), []
    seen = []
    original = oracle.__call__

    class Recording(Oracle):
        def __call__(self, photos, analysis_size, best_quality=False):
            seen.append(best_quality)
            return original(photos, analysis_size)

    monkeypatch.setattr(module, "refine_edges", lambda found, photo: refined.append(photo.size) or found)
    evaluate(Recording(pet_folder, "trainval"), pet_folder, "trainval", Look(best_quality=True, refine=True))
    assert seen == [True]
    assert refined == [(48, 64), (64, 48)] * 2


def test_the_three_fcns_are_measured_in_one_pass_with_the_figures_that_each_has_alone(pet_folder, monkeypatch):
    segmenter = Segmenter.load("fcn16s_vgg16", "cpu")
    passes = []
    original = Segmenter._forward
    monkeypatch.setattr(Segmenter, "_forward", lambda *values: passes.append(1) or original(*values))
    figures = evaluate(segmenter, pet_folder, "test")
    assert list(figures) == ["fcn8s_vgg16", "fcn16s_vgg16", "fcn32s_vgg16"]
    shared = len(passes)
    for name, found in figures.items():
        monkeypatch.setattr(module, "siblings", lambda _: {})
        single = evaluate(Segmenter.load(name, "cpu"), pet_folder, "test")[name]
        assert {k: v for k, v in single.items() if k != "images_per_second"} == {
            k: v for k, v in found.items() if k != "images_per_second"
        }
    assert len(passes) == 4 * shared
