import pytest

from domain.cv.parsing.dates import Period, find_period


@pytest.mark.parametrize(
    ("line", "period"),
    [
        ("Jan 2020 – Present", Period("2020-01", None, True)),
        ("2019-2021", Period("2019", "2021")),
        ("03/2018 - 11/2020", Period("2018-03", "2020-11")),
        ("2020 עד היום", Period("2020", None, True)),
        ("ינואר 2020 - היום", Period("2020-01", None, True)),
        ("ספטמבר 2018 – אוגוסט 2020", Period("2018-09", "2020-08")),
        ("2020 - עד היום", Period("2020", None, True)),
        ("מ-2019 עד 2021", Period("2019", "2021")),
        ("מאז 2019", Period("2019", None, True)),
        ("since May 2019", Period("2019-05", None, True)),
        ("Cook (2015–19)", Period("2015", "2019")),
        ("Jan - Mar 2020", Period("2020-01", "2020-03")),
        ("2020 –", Period("2020", None, True)),
        ("May 2018 to June 2019", Period("2018-05", "2019-06")),
        ("2019-05 – 2021-07", Period("2019-05", "2021-07")),
        ("05/18 – 03/20", Period("2018-05", "2020-03")),
        ("June '98 - July '19", Period("1998-06", "2019-07")),
        ("01.02.2019-03.04.2020", Period("2019-02", "2020-04")),
        ("2010-12", Period("2010", "2012")),
        ("Graduated 2015", Period("2015", None)),
        ("Summer 2016", Period("2016", None)),
        ("Sept. 2019 until now", Period("2019-09", None, True)),
    ],
)
def test_periods_are_read(line: str, period: Period) -> None:
    found = find_period(line)
    assert found is not None
    assert found.period == period


@pytest.mark.parametrize("line", ["2021-2019", "היום - 2020"])
def test_a_range_stored_right_to_left_is_turned_round(line: str) -> None:
    found = find_period(line)
    assert found is not None
    assert found.period.start in ("2019", "2020")


@pytest.mark.parametrize(
    "line", ["call 052-2019-2021", "1,2019", "version 3.2.2019", "192.168.2019.1", "20199", ""]
)
def test_other_numbers_are_no_ranges(line: str) -> None:
    found = find_period(line)
    assert found is None or found.is_range is False


def test_a_found_period_says_where_it_stands() -> None:
    line = "Cook, Hilton (2019 - 2021)"
    found = find_period(line)
    assert found is not None
    assert line[found.begin : found.stop] == "2019 - 2021"
