"""Keys from the names of other trackers."""

from __future__ import annotations

from logbuch.limits import KEY_LENGTH
from logbuch.transfer.naming import Keys
from logbuch.transfer.report import Report


class _Counting(set[str]):
    """A set that counts what it is asked."""

    asked = 0

    def __contains__(self, key: object) -> bool:
        self.asked += 1
        return super().__contains__(key)


def test_names_that_differ_late_are_keys_of_their_own_in_linear_work() -> None:
    keys = Keys(Report())
    taken = keys._taken = _Counting()
    names = [f"{'x' * KEY_LENGTH}{number}" for number in range(2000)]
    found = [keys.of(name) for name in names]
    assert len(set(found)) == len(names)
    assert max(map(len, found)) <= KEY_LENGTH
    assert [keys.of(name) for name in names] == found
    assert taken.asked <= 3 * len(names)


def test_a_number_that_is_a_name_of_its_own_is_not_given_twice() -> None:
    keys = Keys(Report())
    assert [keys.of(name) for name in ("a__2", "a?", "a*", "a!")] == ["a__2", "a_", "a__3", "a__4"]
