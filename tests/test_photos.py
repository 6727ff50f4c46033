"""The training photos in memory."""

from segdemo.training.datasets import open_dataset
from segdemo.training.photos import Photos


def test_photos_are_drawn_by_their_source_s_share(own_folder):
    dataset = open_dataset(own_folder, None, "train")
    photos = Photos([dataset, dataset], [0.0, 1.0])
    photos.sets[0] = []  # nothing may be drawn from it
    assert len(photos.draw(50)) == 50
