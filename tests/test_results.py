"""Whose a file is, and under which names results go."""

import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from segdemo import results
from segdemo.results import choose_stems, choose_table, encode, identify, is_result, is_whole, read_facts, sign, vouch


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    return made


def photo_in(folder, name="a.png", colour="red"):
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (8, 6), colour).save(folder / name)
    return folder / name


def write_results(folder, stem, photo):
    """Write what a job leaves of a photo."""
    pictures = {name: encode(Image.new("L", (8, 6)), identify(photo)["photo"]) for name in names(stem)[:3]}
    for name, content in pictures.items():
        (folder / name).write_bytes(content)
    facts = sign({"request": identify(photo)}, {name: vouch(content) for name, content in pictures.items()})
    (folder / f"{stem}.json").write_text(json.dumps(facts))


def names(stem):
    return [f"{stem}_mask.png", f"{stem}_overlay.png", f"{stem}_heatmap.png", f"{stem}.json"]


def test_names_that_some_disk_takes_for_the_same_get_a_number():
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    photos = [Path(f"{name}.jpg") for name in ("A", "a", f"{composed}", f"{decomposed}", "É", "a-2")]
    stems = choose_stems(photos)
    assert stems[:3] == ["A", "a-2", composed]
    assert stems[3].endswith("-2") and stems[4].endswith("-3") and stems[5] == "a-2-2"
    assert len({unicodedata.normalize("NFC", stem).casefold() for stem in stems}) == 6


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("=1+1.png", "_=1+1"),
        ("-rf.png", "_-rf"),
        ("@x.png", "_@x"),
        ("..png", "photo"),
        ("...jpg", "photo"),
        (".hidden.png", "hidden"),
        ("a\x1b[31m\n.png", "a_[31m_"),
        ("caf\udce9.png", "caf_"),
        ('a:b?"c".png', "a_b__c_"),
        ("한" * 82 + ".png", "한" * 66),
        ("benign (1).png", "benign (1)"),
    ],
)
def test_a_photo_s_name_becomes_one_that_is_good_everywhere(name, stem):
    assert choose_stems([Path(name)]) == [stem]


@pytest.mark.parametrize("index", range(4))
def test_somebody_s_file_of_a_result_s_name_is_left_alone(tmp_path, folder, index):
    photo = photo_in(tmp_path / "photos")
    theirs = folder / names("a")[index]
    theirs.write_text('{"shapes": []}') if index == 3 else Image.new("L", (8, 6)).save(theirs)
    assert choose_stems([photo], folder) == ["a-2"]


@pytest.mark.parametrize("index", range(4))
def test_a_file_that_the_job_reads_is_left_alone_even_if_it_is_empty(folder, index):
    photo, other = photo_in(folder), folder / names("a")[index]
    other.write_bytes(b"")
    assert choose_stems([photo], folder) == ["a"]
    assert choose_stems([photo, other], folder)[0] == "a-2"


def test_a_photo_finds_its_own_results_again(tmp_path, folder):
    first, second = photo_in(tmp_path / "one"), photo_in(tmp_path / "two", colour="blue")
    write_results(folder, "a", first)
    write_results(folder, "a-2", second)
    assert choose_stems([first, second], folder) == ["a", "a-2"]
    assert choose_stems([second], folder) == ["a-2"]
    assert choose_stems([second, first], folder) == ["a-2", "a"]


def test_another_photo_s_results_of_the_same_name_are_kept(tmp_path, folder):
    write_results(folder, "a", photo_in(tmp_path / "one"))
    assert choose_stems([photo_in(tmp_path / "two")], folder) == ["a-2"]


def test_a_photo_that_was_moved_finds_its_results_again_and_a_copy_does_not(tmp_path, folder):
    photo = photo_in(tmp_path / "one")
    write_results(folder, "a", photo)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert choose_stems([tmp_path / "two" / "a.png"], folder) == ["a-2"]
    shutil.rmtree(tmp_path / "one")
    assert choose_stems([tmp_path / "two" / "a.png"], folder) == ["a"]


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_a_damaged_or_deleted_result_is_made_again_in_its_place(tmp_path, folder, index, content):
    photo = photo_in(tmp_path / "photos")
    write_results(folder, "a", photo)
    damaged = folder / names("a")[index]
    damaged.unlink() if content is None else damaged.write_bytes(content)
    assert choose_stems([photo], folder) == ["a"]


def test_a_picture_that_somebody_put_in_a_result_s_place_is_kept(tmp_path, folder):
    photo = photo_in(tmp_path / "photos")
    write_results(folder, "a", photo)
    Image.new("L", (8, 6), 1).save(folder / "a_mask.png")
    assert choose_stems([photo], folder) == ["a-2"]


def test_a_link_in_a_result_s_place_is_kept(tmp_path, folder):
    photo = photo_in(tmp_path / "photos")
    (folder / "a_mask.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "b.json").mkdir()
    assert choose_stems([photo, photo_in(tmp_path / "photos", "b.png")], folder) == ["a-2", "b-2"]


def test_results_are_known_by_what_is_in_them(tmp_path, folder):
    photo = photo_in(folder)
    write_results(folder, "a", photo)
    assert {path.name for path in folder.iterdir() if is_result(path)} == set(names("a"))
    Image.new("L", (8, 6)).save(folder / "b_mask.png")
    (folder / "b.json").write_text("{}")
    (folder / "areas.csv").write_text("photo,width\n")
    assert not any(is_result(folder / name) for name in ("b_mask.png", "b.json", "areas.csv", "none.json"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["a_mask.png", "a.json", "a.csv"])
def test_a_pipe_is_not_waited_for(folder, name):
    os.mkfifo(folder / name)
    assert not is_result(folder / name)


def test_facts_vouch_for_every_picture(tmp_path, folder):
    write_results(folder, "a", photo_in(tmp_path / "photos"))
    facts = read_facts(folder / "a.json")
    assert is_whole(folder, "a", facts)
    assert not is_whole(folder, "a", {**facts, "files": {}})
    path = folder / "a_overlay.png"
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(content)
        assert not is_whole(folder, "a", facts)
    path.unlink()
    assert not is_whole(folder, "a", facts)


@pytest.mark.parametrize("files", [None, [], {"a_mask.png": 3}, dict.fromkeys(names("a")[:3])])
def test_facts_that_do_not_vouch_are_not_believed(tmp_path, folder, files):
    write_results(folder, "a", photo_in(tmp_path / "photos"))
    assert not is_whole(folder, "a", {"files": files})


def test_the_table_takes_no_other_file_s_place(folder):
    assert choose_table(folder).name == "areas.csv"
    (folder / "areas.csv").write_text("region,area\nnorth,3\n")
    assert choose_table(folder).name == "areas-2.csv"
    (folder / "areas-2.csv").write_text("photo,results,width,height,cat,problem\n")
    assert choose_table(folder).name == "areas-2.csv"
    (folder / "areas-2.csv").write_text("")
    assert choose_table(folder).name == "areas-2.csv"
    assert choose_table(folder, [folder / "areas-2.csv"]).name == "areas-3.csv"


def test_a_path_that_leads_nowhere_has_an_identity_too(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert identify(tmp_path / "loop") == {"photo": str(tmp_path / "loop")}
    assert set(identify(Path("a\0b"))) == {"photo"}


def test_many_photos_of_one_name_are_named_soon():
    assert choose_stems([Path("image.png")] * 2000)[-1] == "image-2000"


def test_a_picture_with_the_mark_shows_the_same(tmp_path):
    mask = Image.new("P", (3, 2), 1)
    mask.putpalette([0, 0, 0, 230, 159, 0])
    (tmp_path / "m.png").write_bytes(results.encode(mask, "photo"))
    with Image.open(tmp_path / "m.png") as read:
        assert read.mode == "P" and read.getpixel((0, 0)) == 1 and read.convert("RGB").getpixel((0, 0)) == (230, 159, 0)
