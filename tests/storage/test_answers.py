"""What the answers of a gateway become where one error is enough."""

import pytest

from lern_tasks.errors import DependencyDown, TransientError
from lern_tasks.storage.gateway import raise_first, value_of


@pytest.mark.parametrize("found", [None, {}, {"status": 2}])
def test_a_value_is_given_as_it_is(found: dict[str, int] | None) -> None:
    assert value_of(found) is found


def test_an_error_in_the_place_of_a_value_is_raised() -> None:
    error = TransientError("too slow")
    with pytest.raises(TransientError) as raised:
        value_of(error)
    assert raised.value is error


def test_the_first_of_several_errors_is_raised() -> None:
    raise_first([])
    raise_first([None, None])
    with pytest.raises(DependencyDown):
        raise_first([None, DependencyDown("cassandra"), TransientError("too slow")])
