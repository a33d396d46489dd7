import pytest
from page import page, plot
from ratios import CALIBRATION_GROUP, CALIBRATION_US, Mark, Result, dump, judge, load, load_marks, slower, with_ratios

FLOOR = Result("inbound: X", "orjson", "floor", 2.0)
OURS = Result("inbound: X", "ours", "ours", 1.5, metrics={"fsyncs": 1})
PEER = Result("inbound: X", "<peer>", "peer", 200.0)


def test_ratios_are_to_the_fastest_floor_of_the_group_and_the_floor_comes_first():
    found = with_ratios([PEER, OURS, FLOOR, Result("inbound: X", "slower floor", "floor", 4.0)])
    assert [(each.case, each.ratio) for each in found] == [
        ("orjson", 1.0),
        ("slower floor", 2.0),
        ("ours", 0.75),
        ("<peer>", 100.0),
    ]


def test_a_group_without_floor_has_no_ratios():
    assert with_ratios([OURS])[0].ratio is None


@pytest.mark.parametrize(
    ("mark", "reached"),
    [
        (Mark("inbound: X", "ours", "ratio", 0.75), True),
        (Mark("inbound: X", "ours", "ratio", 0.74), False),
        (Mark("inbound: X", "ours", "us", 1.5), True),
        (Mark("inbound: X", "ours", "fsyncs", 0), False),
        (Mark("inbound: X", "ours", "fsyncs", 1, at_least=True), True),
        (Mark("inbound: X", "ours", "MiB", 1), None),
        (Mark("inbound: Y", "ours", "ratio", 1), None),
    ],
)
def test_a_mark_is_reached_missed_or_not_measured(mark, reached):
    (verdict,) = judge(with_ratios([FLOOR, OURS]), [mark])
    assert verdict.reached is reached


def test_a_calibrated_mark_is_scaled_by_the_loop_and_not_judged_without_it():
    mark = Mark("inbound: X", "ours", "us", 1.0, calibrated=True)
    loop = Result(CALIBRATION_GROUP, "orjson.loads", "floor", 2 * CALIBRATION_US)
    (verdict,) = judge(with_ratios([loop, OURS]), [mark])
    assert (verdict.limit, verdict.reached) == (2.0, True)
    assert judge(with_ratios([OURS]), [mark])[0].reached is None


def test_only_what_is_ours_and_slower_by_more_than_the_margin_is_reported():
    reference = [Result("g", "a", "ours", 1, 1.0), Result("g", "b", "ours", 1, 1.0), Result("g", "c", "peer", 1, 1.0)]
    now = [Result("g", "a", "ours", 1, 1.24), Result("g", "b", "ours", 1, 1.26), Result("g", "c", "peer", 1, 9.0)]
    assert slower(now, reference, 0.25) == ["g, b: 1.00 x in the reference, 1.26 x now"]


def test_results_survive_the_file(tmp_path):
    results = with_ratios([FLOOR, OURS, PEER])
    dump(results, tmp_path / "more" / "x.json")
    assert load(tmp_path / "more" / "x.json") == results
    assert load(tmp_path / "none.json") == []


def test_a_mark_with_two_limits_is_refused(tmp_path):
    file = tmp_path / "marks.toml"
    file.write_text('[[mark]]\ngroup = "g"\ncase = "c"\nof = "us"\nat_most = 1\nat_least = 1\n')
    with pytest.raises(ValueError, match="either"):
        load_marks(file)


def test_the_plot_has_a_bar_for_each_ratio_and_escapes_names():
    drawn = plot(with_ratios([FLOOR, OURS, PEER]))
    assert drawn.count("<rect x=") == 3
    assert "&lt;peer&gt;" in drawn
    assert plot([OURS]) == ""


def test_the_page_counts_the_marks_and_lists_every_case():
    results = with_ratios([FLOOR, OURS, PEER])
    text = page(results, judge(results, [Mark("inbound: X", "ours", "ratio", 0.5)]), "## Why")
    assert "0 of 1 reached" in text
    assert "| inbound: X | **ours** | 1.5 µs | 0.75 x | fsyncs: 1 |" in text
    assert "MISSED" in text
