"""The reports of a run on disk: what is written is read, TensorBoard reads it too, and a crash leaves no line twice."""

import json
import math

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rlkit.agent import Report
from rlkit.run.log import REPORTS, Log, read_log


def reports(*steps):
    return [Report(step, {"value": step / 3, "return": math.nan}, {"value": [step / 3, -math.inf]}) for step in steps]


def write(folder, *steps, at=0):
    with Log(folder, at) as log:
        for report in reports(*steps):
            log.write(report)


def tensorboard(folder):
    """Return TensorBoard's own reading of a folder."""
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def same(line, report):
    return (
        line.report.step == report.step
        and repr(line.report.scalars) == repr(report.scalars)
        and line.report.each == report.each
    )


def test_what_is_written_is_read(tmp_path):
    write(tmp_path, 1, 2, 7)
    found = read_log(tmp_path)
    assert len(found) == 3
    assert all(map(same, found, reports(1, 2, 7)))
    assert 0.0 <= found[0].seconds <= found[-1].seconds
    assert read_log(tmp_path / "nothing here") == []


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path):
    with Log(tmp_path) as log:
        for count, report in enumerate(reports(1, 2, 3), 1):
            log.write(report)
            assert len(read_log(tmp_path)) == count
            assert len(tensorboard(tmp_path).Scalars("value")) == count


def test_going_on_takes_back_what_the_checkpoint_does_not_hold(tmp_path):
    write(tmp_path, 10, 20, 30)
    before = read_log(tmp_path)[1].seconds
    write(tmp_path, 30, 40, at=20)
    found = read_log(tmp_path)
    assert [line.report.step for line in found] == [10, 20, 30, 40]
    assert found[2].seconds >= before
    assert [event.step for event in tensorboard(tmp_path).Scalars("value")] == [10, 20, 30, 40]


def test_a_line_cut_short_is_left_out_and_any_other_damage_named(tmp_path):
    write(tmp_path, 10, 20)
    path = tmp_path / REPORTS
    path.write_text(path.read_text()[:-9])
    assert [line.report.step for line in read_log(tmp_path)] == [10]
    write(tmp_path, 20, at=10)
    assert [line.report.step for line in read_log(tmp_path)] == [10, 20]
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(ValueError, match=r"line 1 of .*reports.jsonl is no report"):
        read_log(tmp_path)


def test_tensorboard_reads_the_numbers(tmp_path):
    write(tmp_path, 3, 6)
    found = tensorboard(tmp_path)
    assert found.Tags()["scalars"] == ["value"]  # NaN is no number
    assert [(event.step, event.value) for event in found.Scalars("value")] == [(3, 1.0), (6, 2.0)]
    assert found.Scalars("value")[0].wall_time > 1.7e9


def test_a_line_is_json(tmp_path):
    write(tmp_path, 3)
    (line,) = (tmp_path / REPORTS).read_text().splitlines()
    words = json.loads(line)
    assert set(words) == {"step", "seconds", "scalars", "each"}
    assert words["scalars"]["value"] == 1.0
