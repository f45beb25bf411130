"""What a search may try: how it is written, what is taken when nothing is said, and mistakes."""

import pytest
from optuna.trial import FixedTrial

from rlkit.tuning.ranges import Range, parse, ranges


def test_ranges_and_lists():
    assert parse("1e-5..1e-2") == Range(1e-5, 1e-2)
    assert parse("1..8") == Range(1, 8, whole=True)
    assert parse("1..8.0") == Range(1, 8)
    assert parse("64,128") == Range(values=(64, 128))
    assert parse("tanh,relu") == Range(values=("tanh", "relu"))
    assert parse("(64,64);(256,256)") == Range(values=((64, 64), (256, 256)))


def test_a_trial_chooses_what_stands_there():
    assert parse("(64,64);(256,256)").suggest("hidden", FixedTrial({"hidden": "(256, 256)"})) == (256, 256)
    assert parse("1..8").suggest("n", FixedTrial({"n": 3})) == 3
    assert parse("1e-5..1e-2").suggest("lr", FixedTrial({"lr": 0.001})) == 0.001


@pytest.mark.parametrize("text", ["3", "", "8..1", "a..b", "1..inf", "1..1"])
def test_what_leaves_no_choice_is_refused(text):
    with pytest.raises(ValueError, match=r"no choice|no range"):
        parse(text)


def test_what_is_asked_for_replaces_the_usual_and_what_is_set_stays():
    fields = {"alpha": 0.1, "epsilon": 0.1, "gamma": 0.9}
    assert list(ranges([], fields, [])) == ["alpha", "epsilon"]
    assert list(ranges([], fields, ["alpha"])) == ["epsilon"]
    assert ranges(["gamma=.9,.99"], fields, []) == {"gamma": Range(values=(0.9, 0.99))}
    for asked, words in ((["lr=1..2"], "no option 'lr'"), (["alpha"], "KEY=LOW..HIGH")):
        with pytest.raises(ValueError, match=words):
            ranges(asked, fields, [])
    with pytest.raises(ValueError, match="nothing to search"):
        ranges([], {"gamma": 0.9}, [])
