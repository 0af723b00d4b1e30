"""The key of an enrolment."""

from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def key(user: str, course: str, batch: str) -> EnrolmentKey:
    return EnrolmentKey(user_id=user, course_id=course, batch_id=batch)


def test_text_names_user_course_and_batch_in_this_order() -> None:
    assert key("u1", "do_c1", "b1").text == "u1:do_c1:b1"


def test_keys_are_ordered_by_user_then_course_then_batch() -> None:
    keys = [key("u2", "c1", "b1"), key("u1", "c2", "b1"), key("u1", "c1", "b2"), key("u1", "c1", "b1")]
    assert [each.text for each in sorted(keys)] == ["u1:c1:b1", "u1:c1:b2", "u1:c2:b1", "u2:c1:b1"]


def test_equal_keys_are_one_entry() -> None:
    assert len({key("u1", "c1", "b1"), key("u1", "c1", "b1")}) == 1
