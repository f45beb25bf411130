"""Letters: one id a letter, there and back."""

import pytest

from rlkit.sample.tokenizers import Letters


def test_letters_go_there_and_back():
    letters = Letters("01+=")
    assert (letters.size, letters.eos) == (5, 4)
    assert letters.encode("1+0=") == [1, 2, 0, 3]
    assert letters.decode([1, 2, 0, 3]) == "1+0="
    assert letters.decode([1, letters.eos]) == "1"
    assert letters.encode("") == []
    assert letters.decode([]) == ""


def test_what_has_no_letter_is_named():
    with pytest.raises(ValueError, match="'1x' holds 'x'; the letters are '01'"):
        Letters("01").encode("1x")
    with pytest.raises(ValueError, match=r"no letter of the id 3; ids are 0 \.\. 2"):
        Letters("01").decode([0, 3])
    with pytest.raises(ValueError, match="'0' stands there twice"):
        Letters("010")
    with pytest.raises(ValueError, match="give some"):
        Letters("")
