"""Written equalities are read as what they mean."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from logbuch.filter import RUNS, And, Compare, IsNull, Key, Kind, Op, equalities, parse_filter

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.text(
    "\\'\"` %_a", max_size=6
)
KEYS = st.builds(Key, st.sampled_from([Kind.PARAM, Kind.TAG]), TEXTS.filter(bool)) | st.just(
    Key(Kind.ATTRIBUTE, "run_name")
)


def awkward(value: str | None) -> bool:
    """Whether quotes are behind backslashes in ways that the language has no text for."""
    return value is not None and "\\'" in value and '\\"' in value


@given(st.lists(st.tuples(KEYS, TEXTS | st.none()), min_size=1, max_size=4))
@example([(Key(Kind.PARAM, "a"), "C:\\data\\"), (Key(Kind.PARAM, "b"), "x'y")])
@example([(Key(Kind.PARAM, "a."), "\\'"), (Key(Kind.TAG, "b c"), None)])
@example([(Key(Kind.PARAM, "a`b"), "'"), (Key(Kind.PARAM, "-a"), '"'), (Key(Kind.TAG, "1"), "")])
def test_equalities_are_read_as_they_were_meant(wanted: list[tuple[Key, str | None]]) -> None:
    text = equalities(wanted)
    if text is None:
        open_ends = [value for _, value in wanted if value is not None and value.endswith("\\")]
        assert len(open_ends) > 1 or any(awkward(value) for _, value in wanted)
        return
    tree = parse_filter(text, RUNS)
    terms = tree.terms if isinstance(tree, And) else (tree,)
    meant = [IsNull(key) if value is None else Compare(key, Op.EQ, value) for key, value in wanted]
    assert sorted(map(repr, terms)) == sorted(map(repr, meant))


def test_common_values_look_as_one_would_write_them() -> None:
    assert equalities([(Key(Kind.PARAM, "model/name"), "it's"), (Key(Kind.TAG, "a b"), None)]) == (
        "params.model/name = 'it''s' AND tags.`a b` IS NULL"
    )
    assert equalities([(Key(Kind.ATTRIBUTE, "status"), "FINISHED")]) == "attributes.status = 'FINISHED'"


def test_of_nothing_everything() -> None:
    assert equalities([]) == ""
    assert parse_filter("", RUNS) is None
