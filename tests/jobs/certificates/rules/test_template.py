"""Stored templates: what is read, and what is refused with which words."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.rules.template import (
    Criteria,
    Template,
    is_svg,
    notify_template,
    parse_template,
)
from tests.jobs.certificates.rules.certificates import ISSUER, SIGNATORY, SVG, template, texts


def refused(field: str, **fields: Any) -> str:
    """The message with which a template with these fields is refused; it must name template and `field`."""
    with pytest.raises(InvalidEvent) as caught:
        template(**fields)
    assert caught.value.field == f"cert_templates.{field}"
    message = str(caught.value)
    assert message.startswith(f"template tpl_7: {field} is ")
    assert "; " in message, "the message must name a remedy"
    return message


def test_a_stored_template() -> None:
    found = template(
        additionalProps={"enrollment": ["completedOn"], "location": ["state"], "user": []},
        criteria={
            "enrollment": {"status": 2},
            "assessment": {"score": {">=": 60}},
            "user": {"rootOrgId": "01"},
        },
    )
    assert found == Template(
        template_id="tpl_7",
        name="Course Merit",
        url=SVG,
        criteria=Criteria(status=2.0, score={">=": 60.0}, user={"rootOrgId": "01"}),
        issuer=ISSUER,
        signatories=[SIGNATORY],
        additional={"enrollment": ("completedOn",), "location": ("state",)},
    )


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"enrollment": {"status": 2}}, Criteria(status=2, score=None, user={})),
        ({"enrollment": {"status": 1.0}}, Criteria(status=1, score=None, user={})),
        ({"enrollment": {"other": "x"}}, Criteria(status=2, score=None, user={})),
        ({"enrollment": {"status": None}}, Criteria(status=2, score=None, user={})),
        ({"enrollment": {}}, Criteria(status=None, score=None, user={})),
        ({"enrollment": None}, Criteria(status=None, score=None, user={})),
        ({"assessment": {"score": {">=": 60}}}, Criteria(status=None, score={">=": 60}, user={})),
        ({"assessment": {"score": 60}}, Criteria(status=None, score={"eq": 60}, user={})),
        ({"assessment": {"score": 60.5}}, Criteria(status=None, score={"eq": 60.5}, user={})),
        ({"assessment": {"score": {">=": 60.5, "<": 90}}}, Criteria(status=None, score={">=": 60.5, "<": 90}, user={})),
        ({"assessment": {"score": {}}}, Criteria(status=None, score={}, user={})),
        ({"assessment": {}}, Criteria(status=None, score=None, user={})),
        ({"user": {"rootOrgId": "01"}}, Criteria(status=None, score=None, user={"rootOrgId": "01"})),
        ({"users": {"rootOrgId": "01"}}, Criteria(status=None, score=None, user={"rootOrgId": "01"})),
        ({"user": {"a": 1}, "users": {"b": 2}}, Criteria(status=None, score=None, user={"a": 1})),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_criteria(criteria: dict[str, Any], expected: Criteria) -> None:
    assert template(criteria=criteria).criteria == expected


@pytest.mark.parametrize("status", ["2", True, [2], {}, 10**400])
def test_a_status_that_is_no_number_equals_none(status: Any) -> None:
    found = template(criteria={"enrollment": {"status": status}}).criteria.status
    assert found is not None
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("field", "criteria", "words"),
    [
        ("criteria", None, "without enrollment"),
        ("criteria", {}, "without enrollment"),
        ("criteria", "", "without enrollment"),
        ("criteria", " ", "without enrollment"),
        ("criteria", "null", "without enrollment"),
        ("criteria", {"other": {"status": 2}}, "without enrollment"),
        ("criteria", "{", "not JSON"),
        ("criteria", [], "not an object"),
        ("criteria.enrollment", {"enrollment": 2}, "not an object"),
        ("criteria.assessment", {"assessment": [60]}, "not an object"),
        ("criteria.user", {"user": "01"}, "not an object"),
        ("criteria.users", {"users": ["01"]}, "not an object"),
        ("criteria.assessment.score", {"assessment": {"max": 3}}, "missing"),
        ("criteria.assessment.score", {"assessment": {"score": "60"}}, "neither a number nor an object"),
        ("criteria.assessment.score", {"assessment": {"score": True}}, "neither a number nor an object"),
        ("criteria.assessment.score", {"assessment": {"score": [60]}}, "neither a number nor an object"),
        ("criteria.assessment.score", {"assessment": {"score": 10**400}}, "neither a number nor an object"),
        ("criteria.assessment.score.>=", {"assessment": {"score": {">=": "60"}}}, "not a number"),
        ("criteria.assessment.score.<", {"assessment": {"score": {">=": 60, "<": None}}}, "not a number"),
    ],
)
def test_criteria_that_are_refused(field: str, criteria: Any, words: str) -> None:
    assert words in refused(field, criteria=criteria)


@pytest.mark.parametrize("issuer", [None, "", " ", "null", {}, {"name": "X"}, {"name": "X", "url": None}])
def test_an_issuer_without_name_or_url_is_refused_by_template_and_field(issuer: Any) -> None:
    missing = "url" if isinstance(issuer, dict) and issuer else "name"
    assert "is missing" in refused(f"issuer.{missing}", issuer=issuer)


@pytest.mark.parametrize("value", ["", " ", 5, ["X"]])
@pytest.mark.parametrize("name", ["name", "url"])
def test_an_issuer_with_a_name_or_url_that_is_no_text_is_refused(name: str, value: Any) -> None:
    refused(f"issuer.{name}", issuer={**ISSUER, name: value})


def test_the_learner_service_can_store_signatories_as_issuer_and_the_message_says_how_to_mend_it() -> None:
    message = refused("issuer", issuer=[SIGNATORY], signatoryList=None)
    assert "issuer and signatoryList both" in message


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("field", ["name", "url"])
def test_name_and_url_are_required(field: str, value: str | None) -> None:
    assert "missing" in refused(field, **{field: value})


@pytest.mark.parametrize("value", [None, "", " ", "null", []])
def test_no_signatories_is_for_the_generator_to_refuse_or_let_through(value: Any) -> None:
    assert template(signatoryList=value).signatories == []


@pytest.mark.parametrize("value", [{}, "5", '"x"', "{"])
def test_signatories_that_are_no_list_are_refused(value: Any) -> None:
    refused("signatoryList", signatoryList=value)


@pytest.mark.parametrize("value", [None, "", " ", "null", {}, {"user": []}, {"user": None}])
def test_no_additional_properties(value: Any) -> None:
    assert template(additionalProps=value).additional == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("additionalProps", []),
        ("additionalProps", "{"),
        ("additionalProps.user", {"user": "framework"}),
        ("additionalProps.user", {"user": ["framework", 5]}),
        ("additionalProps.course", {"course": {"name": True}}),
    ],
)
def test_additional_properties_that_are_refused(field: str, value: Any) -> None:
    refused(field, additionalProps=value)


@pytest.mark.parametrize("text", [r'{"name":"\ud800","url":"x"}', '{"name":NaN}', '{"name":1e999}', "[" * 100_000])
def test_json_that_could_not_be_sent_on_is_refused(text: str) -> None:
    assert "not JSON that can be read" in refused("issuer", issuer=text)


@pytest.mark.parametrize(
    ("url", "svg"),
    [(SVG, True), ("https://x/a.svg?v=1", True), ("https://x/a.zip", False), ("https://x/a.SVG", False), ("", False)],
)
def test_only_svg_templates_are_issued(url: str, svg: bool) -> None:
    assert is_svg({"url": url}) is svg


def test_a_template_without_url_is_no_svg() -> None:
    assert not is_svg({})


def test_how_learners_are_notified() -> None:
    stored = texts(notifyTemplate={"subject": "Done", "stateImgUrl": "CLOUD_BASE_PATH/x.png", "count": 5})
    assert notify_template("tpl_7", stored) == {
        "subject": "Done",
        "stateImgUrl": "CLOUD_BASE_PATH/x.png",
        "count": 5,
    }


@pytest.mark.parametrize("value", [None, "", " ", "null", {}])
def test_a_template_need_not_say_how_learners_are_notified(value: Any) -> None:
    assert notify_template("tpl_7", texts(notifyTemplate=value)) == {}


def test_a_notify_template_that_is_no_object_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidEvent, match="tpl_7: notifyTemplate is not an object"):
        notify_template("tpl_7", texts(notifyTemplate=["x"]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([2, ">=", "score"]),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.sampled_from(["enrollment", "assessment", "score", "status", "name", "url"]), children)
    ),
    max_leaves=10,
)
fields = st.sampled_from(["criteria", "issuer", "signatoryList", "additionalProps", "name", "url"])


@given(stored=st.dictionaries(fields, json_values.map(json.dumps) | st.text(), max_size=6))
def test_any_stored_template_is_read_or_refused(stored: dict[str, str]) -> None:
    try:
        found = parse_template("tpl_7", {**texts(), **stored})
    except InvalidEvent:
        return
    assert msgspec.json.encode([found.issuer, found.signatories])
