from lern_tasks.sunbird.certificate_name import name_key


def test_titles_are_one_certificate_whatever_their_case() -> None:
    assert name_key("Course Merit") == name_key("COURSE merit") != name_key("Course Merit 2")
