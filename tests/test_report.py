"""The results tables are written from figures, and the two READMEs agree."""

import re
from dataclasses import replace

import pytest

from segdemo import catalog, entries
from segdemo.checkpoints import load_metadata
from segdemo.training import report

RESULTS = {
    "fcn8s_vgg16": {
        "images": 3000,
        "miou": 0.61234,
        "class_iou": {"background": 0.8, "cat": None, "dog": 0.5},
        "foreground_iou": 0.7,
        "boundary_iou": 0.45,
        "pixel_accuracy": 0.85,
    },
    "conv1x1_vgg11": {
        "images": 3000,
        "miou": 0.4,
        "class_iou": {"background": 0.6, "cat": 0.3, "dog": 0.3},
        "foreground_iou": 0.5,
        "boundary_iou": 0.25,
        "pixel_accuracy": 0.7,
        "image_accuracy": 0.8,
    },
}


def test_a_row_holds_the_figures_in_order():
    table = report.results_table(RESULTS, "pets", "test")
    assert "| pets | mIoU | background IoU | cat IoU | dog IoU | foreground IoU | boundary IoU |" in table
    assert "| `fcn8s_vgg16` | 0.612 | 0.800 | – | 0.500 | 0.700 | 0.450 | 0.850 | – |" in table
    assert "| `conv1x1_vgg11` | 0.400 | 0.600 | 0.300 | 0.300 | 0.500 | 0.250 | 0.700 | 0.800 |" in table
    assert "3,000 photos of the test split" in table


def test_a_measure_that_nothing_has_is_no_column():
    figures = {"images": 58, "miou": 0.6, "class_iou": {"sky": 0.9}, "pixel_accuracy": 0.8}
    assert "| camvid | mIoU | sky IoU | pixel accuracy |" in report.results_table({"fcn": figures}, "camvid", "test")


def test_a_table_replaces_the_last_one_and_nothing_else(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{report.START}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.write_table(path, "new")
    assert path.read_text(encoding="utf-8") == f"before\n{report.START}\nnew\n{report.END}\nafter\n"


def test_a_file_without_a_place_for_the_table_is_refused(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place between"):
        report.write_table(path, "new")


def test_both_readmes_state_the_same_figures_for_every_network():
    pattern = re.compile(f"{re.escape(report.START)}(.*?){re.escape(report.END)}", re.DOTALL)
    tables = [
        pattern.search((folder / "README.md").read_text(encoding="utf-8")).group(1)
        for folder in (entries.CHECKPOINTS, entries.CHECKPOINTS.parent)
    ]
    assert tables[0] == tables[1]
    for name in catalog.BUNDLED:
        assert re.search(rf"\| `{name}` \| 0\.\d{{3}} \|", tables[0])


def test_a_card_says_what_the_checkpoint_says_of_itself():
    entry = catalog.find("fcn8s_vgg16")
    text = report.card(entry.metadata, entry.path)
    assert text.startswith("---\nlicense: ")
    assert f"# {entry.path.stem}" in text
    assert "Oxford-IIIT Pet" in text
    assert ", ".join(entry.metadata.classes) in text


def test_the_bundled_cards_are_those_of_the_files():
    for path in entries.CHECKPOINTS.glob("*.safetensors"):
        text = path.with_suffix(".md").read_text(encoding="utf-8")
        assert text == report.card(load_metadata(path), path), f"{path.name}: `evaluate --all --write` writes its card"


def test_a_card_has_a_line_for_each_phase_with_what_it_sets():
    phases = [
        {"steps": 300, "peak_rate": 0.0003, "frozen": ["stages.0.", "stages.1."], "pasted": 0.0},
        {"steps": 20, "area": [0.5, 1.0]},
    ]
    entry = catalog.find("fcn8s_vgg16")
    metadata = replace(entry.metadata, recipe={"name": "x", "start": "nothing", "average": 0.99, "phases": phases})
    text = report.card(metadata, entry.path)
    assert "| recipe | average 0.99 |" in text
    assert "| phase 1 | steps 300, peak_rate 0.0003, frozen stages.0. stages.1. |" in text
    assert "| phase 2 | steps 20, area 0.5 1 |" in text
    assert "| started from | nothing |" in text
