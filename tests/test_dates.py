from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.notes.dates import date_in_heading, filename_date, find_date, heading_date, written_date


def found(text: str, *, day_first: bool = False, year: int | None = None) -> str | None:
    when = find_date(text, day_first=day_first, year=year)
    return None if when is None else str(when)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7/05/2023 a post", "2023-07-05"),
        ("this 7/17/2023 rant", "2023-07-17"),
        ("7/5/23", "2023-07-05"),
        ("August 11, 2023 post", "2023-08-11"),
        ("Aug. 11th, 2023", "2023-08-11"),
        ("on 11th of August 2023", "2023-08-11"),
        ("29 Mar 2023", "2023-03-29"),
        ("29.03.2023", "2023-03-29"),
        ("2023-03-29T10:00", "2023-03-29"),
        ("2023/3/29", "2023-03-29"),
        ("a post from August 2023", "2023-08"),
        ("August 2023 paper, read 9/1/2023", "2023-09-01"),
        ("2/9-2/12/2023", "2023-02-09/2023-02-12"),
        ("February 9-12, 2023", "2023-02-09/2023-02-12"),
        ("9–12 February 2023", "2023-02-09/2023-02-12"),
        ("2023-02-09/2023-02-12", "2023-02-09/2023-02-12"),
        ("2023-02-09 to 2023-02-12", "2023-02-09/2023-02-12"),
        ("Dec 30, 2022 - Jan 2, 2023", "2022-12-30/2023-01-02"),
        ("Dec 30 - Jan 2, 2023", "2022-12-30/2023-01-02"),
        ("Aug-Sep 2023", "2023-08/2023-09"),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, expected: str) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the original 2017 paper",
        "13/45/2023",
        "2/30/2023",
        "2024-02-30",
        "17/7/2023",
        "v1.2.2023",
        "10.1.2023.4",
        "$1/2/2023",
        "arXiv 2305.14314",
        "2/21",
        "August 11",
        "may 10 2023 people",
        "24/7",
        "1/2/3/2023",
        "٣/٤/٢٠٢٣",
    ],
)
def test_what_only_looks_like_a_date_is_text(text: str) -> None:
    assert found(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2/21: read", "2023-02-21"),
        ("updated on 2/21", "2023-02-21"),
        ("(2/21)", "2023-02-21"),
        ("2/9-2/12 trip", "2023-02-09/2023-02-12"),
        ("12/30-1/2", "2023-12-30/2024-01-02"),
        ("Aug 11: x", "2023-08-11"),
        ("1/2 of the tokens", None),
        ("scored 3/4", None),
        ("24/7 support", None),
    ],
)
def test_where_the_year_is_known_a_short_date_is_one(text: str, expected: str | None) -> None:
    assert found(text, year=2023) == expected


def test_day_first_turns_numbers_around_and_nothing_else() -> None:
    assert found("7/05/2023", day_first=True) == "2023-05-07"
    assert found("17/7/2023", day_first=True) == "2023-07-17"
    assert found("2023-03-04", day_first=True) == "2023-03-04"


@pytest.mark.parametrize(
    ("text", "when", "rest"),
    [
        ("March 29, 2023", "2023-03-29", ""),
        ("Wednesday, March 29, 2023", "2023-03-29", ""),
        ("September 2023", "2023-09", ""),
        ("29 Mar 2023", "2023-03-29", ""),
        ("2023-03-29", "2023-03-29", ""),
        ("2023-09", "2023-09", ""),
        ("2023", "2023", ""),
        ("2023-03-29 Meeting", "2023-03-29", "Meeting"),
        ("Meeting, 2023-03-29", "2023-03-29", "Meeting"),
        ("Week of March 6, 2023", "2023-03-06", ""),
        ("September 2023: papers", "2023-09", "papers"),
        ("Llama (August 2023)", "2023-08", "Llama"),
    ],
)
def test_headings_that_set_a_date(text: str, when: str, rest: str) -> None:
    found = date_in_heading(text)
    assert found is not None
    assert (str(found[0]), found[1]) == (when, rest)


@pytest.mark.parametrize(
    "text",
    [
        "The original 2017 paper",
        "September 2023 papers",
        "A post from August 2023",
        "On the post of May 4, 2023",
        "March 29",
    ],
)
def test_headings_that_only_speak_of_a_date_set_none(text: str) -> None:
    assert heading_date(text) is None


def test_a_heading_takes_its_year_from_above() -> None:
    assert str(heading_date("March 29", year=2023)) == "2023-03-29"
    assert str(heading_date("3/29", year=2023)) == "2023-03-29"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("2023-03-29-x.md", "2023-03-29"),
        ("a/2023-03-29.md", "2023-03-29"),
        ("20230329-x.md", "2023-03-29"),
        ("journals/2023_03_29.md", "2023-03-29"),
        ("2023-09-x.md", "2023-09"),
        ("2023.md", "2023"),
        ("2023/03/29.md", "2023-03-29"),
        ("2023/03/x.md", "2023-03"),
        ("2023-goals.md", None),
        ("2023-13-40.md", None),
        ("202309011230 Title.md", "2023-09-01"),
        ("20230901123015.md", "2023-09-01"),
        ("20230901T1230 x.md", "2023-09-01"),
        ("20230901-x.md", "2023-09-01"),
        ("202399011230 x.md", None),
        ("202309019930 x.md", None),
        ("1693526400123.md", None),
        ("x.md", None),
    ],
)
def test_file_names_that_hold_a_date(path: str, expected: str | None) -> None:
    when = filename_date(path)
    assert (None if when is None else str(when)) == expected


def test_a_written_date_is_the_whole_text() -> None:
    assert str(written_date("2023-09-01T10:00:00Z")) == "2023-09-01"
    assert str(written_date("March 29, 2023")) == "2023-03-29"
    assert written_date("2024-02-30") is None
    assert written_date("some day in May 2023") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20230901", "2023-09-01"),
        ("202309011030", "2023-09-01"),
        ("20230901T103000Z", "2023-09-01"),
        ("2023/09/01", "2023-09-01"),
        ("2023/9/1 10:00", "2023-09-01"),
        ("2023.09.01", "2023-09-01"),
        ("2023年9月1日", "2023-09-01"),
        ("2023年9月", "2023-09"),
        ("Fri, 01 Sep 2023", "2023-09-01"),
        ("Fri, 01 Sep 2023 10:00:00 +0200", "2023-09-01"),
        ("Friday, September 1st, 2023", "2023-09-01"),
        ("september 1, 2023 at 10:30 pm", "2023-09-01"),
        ("Sep 2023", "2023-09"),
        ("01.09.2023", "2023-09-01"),
        ("20239901", None),
        ("12345678", None),
        ("2023/02/30", None),
        ("2023-09-01 in the garden", None),
        ("1693526400", None),
        ("Friday", None),
    ],
)
def test_dates_as_front_matter_has_them(text: str, expected: str | None) -> None:
    when = written_date(text)
    assert (None if when is None else str(when)) == expected


@given(st.text(alphabet=" :,./-+TZ年月日0123456789SeptFriamGM", max_size=40))
def test_any_written_date_is_of_the_calendar_or_none(text: str) -> None:
    when = written_date(text)
    assert when is None or when.earliest <= when.latest


pieces = st.sampled_from(
    [*"0123456789/-., ", "2023", "May", "Feb ", "29", " to ", "12/", "-1", "th", "'", "²", "٣"]
)


@given(st.lists(pieces, max_size=14).map("".join), st.booleans(), st.sampled_from([None, 2023, 2024]))
def test_any_text_gives_a_date_of_the_calendar_or_none(text: str, day_first: bool, year: int | None) -> None:
    for when in (find_date(text, day_first=day_first, year=year), heading_date(text, year=year)):
        if when is not None:
            assert when.earliest <= when.latest
            assert str(when).isascii()


@given(st.dates())
def test_every_day_since_1900_is_read_in_every_spelling(day) -> None:  # type: ignore[no-untyped-def]  # hypothesis gives a date
    if 1900 <= day.year <= 2099:
        for spelling in ("%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%d %b %Y", "%d.%m.%Y"):
            assert found(day.strftime(spelling)) == day.isoformat()
