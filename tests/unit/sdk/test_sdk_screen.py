"""What a terminal would show: progress bars leave one line, colours stay, everything else is text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.sdk.output.screen import LINE_LENGTH, TALL_ROWS, Screen

RED, OFF, UP, ERASE = "\x1b[31m", "\x1b[0m", "\x1b[A", "\x1b[2K"


def shown(*pieces: str) -> list[str]:
    """All lines, those that were still open at the end included."""
    screen = Screen()
    done = [line for piece in pieces for _, line in screen.feed(piece)]
    return done + [line for _, line in screen.close()]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one\ntwo\n", ["one", "two"]),
        ("\n\nx", ["", "", "x"]),
        ("dos\r\nlines\r\n", ["dos", "lines"]),
        ("10%\r20%\r100%\n", ["100%"]),
        ("\r 10%\r 20%", [" 20%"]),
        ("long line\rshort\n", ["shortline"]),
        ("long line\r\x1b[Kshort\n", ["short"]),
        ("long line\x1b[2K\rshort\n", ["short"]),
        ("abc\b\bX\n", ["aXc"]),
        ("abc\x1b[2DX\n", ["aXc"]),
        ("abc\x1b[GX\n", ["Xbc"]),
        ("a\x1b[5Cb\n", ["a     b"]),
        (f"{RED}red{OFF} plain\n", [f"{RED}red{OFF} plain"]),
        (f"{RED}10%{OFF}\r{RED}20%{OFF}\n", [f"{RED}20%{OFF}"]),
        ("\x1b]0;title\x07text\n", ["text"]),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["link"]),
        ("bell\x07 nul\x00 tab\t.\n", ["bell nul tab\t."]),
        ("\x1b[?25lhidden\x1b[?25h\n", ["hidden"]),
        ("\ud800\n", [""]),
        ("", []),
    ],
)
def test_texts(text: str, lines: list[str]) -> None:
    assert shown(text) == lines
    assert shown(*text) == lines, "the same, a character at a time"


def test_ten_thousand_updates_are_one_line() -> None:
    bar = [f"\r{number}/10000 [{'#' * (number // 1000):10}]" for number in range(10_001)]
    assert shown(*bar, "\n", "done\n") == ["10000/10000 [##########]", "done"]


def test_bars_below_each_other_leave_a_line_each() -> None:
    pieces = []
    for outer, inner in itertools.product(range(3), range(4)):
        pieces += [f"\router {outer}", f"\n\rinner {inner}", UP]
    assert shown(*pieces, "\n\n", "done\n") == ["outer 2", "inner 3", "done"]


def test_a_block_that_is_drawn_anew_stays_one_block() -> None:
    draw = [f"a {number}\nb {number}\n" for number in range(50)]
    again = f"\r{ERASE}{UP}{ERASE}{UP}{ERASE}"
    assert shown(f"\r{draw[0]}", *(again + piece for piece in draw[1:]))[-2:] == ["a 49", "b 49"]
    assert len(shown(f"\r{draw[0]}", *(again + piece for piece in draw[1:]))) <= 4


def test_finished_bars_do_not_stay_open() -> None:
    screen = Screen()
    done = [line for number in range(100) for _, line in screen.feed(f"\rdone {number}\rlast {number}\n")]
    assert len(done) >= 98
    assert screen.open() == "last 99"


def test_what_goes_up_keeps_a_bounded_number_of_lines_open() -> None:
    screen = Screen()
    for _ in range(200):
        screen.feed(f"\rx\n\ry\n{UP}")
    assert len(screen.open().split("\n")) <= TALL_ROWS


def test_the_open_line_is_what_stands_there_now() -> None:
    screen = Screen()
    assert screen.feed("working") == []
    assert screen.open() == "working"
    screen.feed("\r100%")
    assert screen.open() == "100%ing"
    assert [line for _, line in screen.feed("\nnext\n")] == ["100%ing", "next"]
    assert screen.open() == ""


def test_a_colour_goes_on_in_the_next_line() -> None:
    assert shown(f"{RED}one\ntwo{OFF}\n") == [f"{RED}one", f"{RED}two{OFF}"]


def test_lines_have_the_time_of_their_last_change() -> None:
    times = iter(range(1, 100))
    screen = Screen(lambda: next(times))
    screen.feed("\rbar 1")  # 1
    screen.feed("\rbar 2\n")  # 2
    assert screen.feed("text\n") == [(2, "bar 2"), (3, "text")]


def test_endless_lines_are_cut() -> None:
    assert len(shown("x" * 100_000)[0]) == LINE_LENGTH
    assert len(shown("ab\r" + "x" * 100_000)[0]) == LINE_LENGTH


def test_far_jumps_take_no_room() -> None:
    assert len(shown("\x1b[99999999Cx\n", "\x1b[9999Gx\n")[1]) <= LINE_LENGTH


@given(st.lists(st.text(st.sampled_from("ab\r\n\b\x1b[]0123KAmHCD;? ")), max_size=20))
def test_anything_is_taken(pieces: list[str]) -> None:
    assert all("\n" not in line for line in shown(*pieces))


@given(
    st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2000, exclude_categories=["Cs", "Cc"])), max_size=9
    )
)
def test_plain_lines_come_out_as_they_went_in(lines: list[str]) -> None:
    assert shown("".join(f"{line}\n" for line in lines)) == lines
