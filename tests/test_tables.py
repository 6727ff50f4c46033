"""CSV as a spreadsheet shows it."""

import csv
import io

import pytest

from segdemo.tables import as_csv


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_a_name_is_no_formula(start):
    name = f"{start}SUM(1)"
    assert read(as_csv([name], [{name: f"{name}.png"}])) == [[f"'{name}"], [f"'{name}.png"]]


@pytest.mark.parametrize("value", ["a=1", "-0.5", -0.5, "+3", 7, "'quoted"])
def test_numbers_and_other_names_stay_as_they_are(value):
    assert read(as_csv(["x"], [{"x": value}])) == [["x"], [str(value)]]


def test_a_semicolon_starts_no_cell_in_any_country():
    assert as_csv(["x"], [{"x": "a;=1+1"}]) == 'x\r\n"a;=1+1"\r\n'


@pytest.mark.parametrize("value", ['say "a"', "a,b", "line\nline", "tab\t", " blank ", "한", '"'])
def test_what_is_written_is_read(value):
    assert read(as_csv(["x", "y"], [{"x": value, "y": 1}])) == [["x", "y"], [value, "1"]]


def test_columns_without_a_value_are_empty_and_others_left_out():
    assert read(as_csv(["a", "b"], [{"b": 1, "c": 2}])) == [["a", "b"], ["", "1"]]


def test_bytes_that_are_no_text_are_written_out():
    assert "caf\\udce9" in as_csv(["x"], [{"x": "caf\udce9"}])
