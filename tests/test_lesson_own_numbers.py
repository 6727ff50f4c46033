"""A visitor's own numbers for the transposed conv."""

import pytest
import torch

from segdemo.lessons.matrices import read_matrix


@pytest.mark.parametrize("text", ["0 1\n2 3", "0, 1; 2, 3", "[[0, 1], [2, 3]]", " 0\t1 \n\n 2 3 "])
def test_a_matrix_is_read_as_people_write_it(text):
    assert torch.equal(read_matrix(text, "input"), torch.tensor([[0.0, 1], [2, 3]]))


def test_a_true_minus_and_decimals_are_read():
    assert read_matrix("−1.5", "kernel").tolist() == [[-1.5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1\n2", "rows of numbers, all of one length"),
        ("a b\nc d", "rows of numbers"),
        ("[[0, 1], [2", "rows of numbers"),
        ("[{}]", "rows of numbers"),
        ("1 2 3\n4 5 6", "must be square"),
        ("", "must be square"),
        ("[1, 2]", "must be square"),
        ("nan", "must lie between"),
        ("1e9", "must lie between"),
        ("\n".join(["1 " * 7] * 7), "must be square, from 1×1 to 6×6"),
    ],
)
def test_what_is_no_small_square_matrix_is_refused_in_a_sentence(text, message):
    with pytest.raises(ValueError, match=message):
        read_matrix(text, "kernel")
