import pytest

from domain.cv.parsing.contact import find_contact, redact_contact
from domain.cv.parsing.parsed_cv import Contact


@pytest.mark.parametrize(
    "phone",
    [
        "+972-52-123-4567", "+1 (415) 555-2671", "0044 20 7946 0958", "052-1234567", "03-555-1234",
        "(03) 5551234", "0521234567", "1-800-123-456", "07911 123456", "415-555-2671",
        "(415) 555-2671", "+33 1 23 45 67 89",
    ],
)  # fmt: skip
def test_phones_are_found_and_redacted(phone: str) -> None:
    text = f"Dana Levi\n{phone}, Tel Aviv"
    contact = find_contact(text)
    assert contact.phones == [phone]
    assert redact_contact(text, contact) == "[name]\n[phone], Tel Aviv"


def test_a_labelled_number_is_a_phone() -> None:
    assert find_contact("Tel: 5551234").phones == ["5551234"]
    assert redact_contact("נייד 5551234", Contact()) == "נייד [phone]"


@pytest.mark.parametrize(
    "line",
    [
        "2019-2021", "03/2018 - 11/2020", "01.2018 - 11.2020", "05-2019 06-2020",
        "2019 - 2021 2022", "Python 3.11.4 and 10.0.0.1", "$1 500 000 and 1,000,000,000",
        "ISO 27001:2013", "BS 7671:2018", "ינואר 2020 - היום", "5+ years, 120 covers a night",
        "192.168.100.1000", "up 300% in 2020-21", "Node.js, ASP.NET, socket.io and monday.com",
        "id 2019", "registration 2021 opened", "an idea 12345", "registration 1500 users",
        "license 2019-2021",
    ],
)  # fmt: skip
def test_years_versions_and_amounts_stay(line: str) -> None:
    text = f"# Experience\n{line}"
    contact = find_contact(text)
    assert contact == Contact()
    assert redact_contact(text, contact) == text


def test_links_are_found_whole() -> None:
    text = (
        "Dana Levi | danalevi.dev | github.com/dana\n"
        "See https://example.org/a?b=c, and (www.example.net)."
    )
    contact = find_contact(text)
    assert set(contact.links) == {
        "danalevi.dev",
        "github.com/dana",
        "https://example.org/a?b=c",
        "www.example.net",
    }
    assert redact_contact(text, contact) == "[name] | [link] | [link]\nSee [link], and ([link])."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dana Levi\nDeveloper", "Dana Levi"),
        ("# **Dana Levi** | Developer", "Dana Levi"),
        ("CURRICULUM VITAE\nDr. Jean-Paul O'Neil, RN", "Jean-Paul O'Neil"),
        ("Resume of Ana María de la Cruz", "Ana María de la Cruz"),
        ("Senior Developer\nDana Levi", "Dana Levi"),
        ("John Baker\nPastry Chef", "John Baker"),
        ("John Cook | jcook@example.com", "John Cook"),
        ("dana levi\ndana.levi@example.com", "dana levi"),
        ("קורות חיים - דנה לוי", "דנה לוי"),
        ('שם מלא: ד"ר דנה בן-דוד', "דנה בן-דוד"),
        ("Experience\nCook, Hilton", None),
        ("Software Engineer", None),
        ("", None),
    ],
)
def test_names(text: str, name: str | None) -> None:
    assert find_contact(text).name == name


def test_the_name_is_redacted_wherever_it_stands() -> None:
    contact = Contact(name="Dana Levi")
    text = "DANA LEVI\nLevi, Dana. Dana's team; dana  levi. Danang and the Levites stay."
    assert redact_contact(text, contact) == (
        "[name]\n[name]. [name]'s team; [name]. Danang and the Levites stay."
    )


def test_a_hebrew_name_is_redacted_after_prefix_letters() -> None:
    text = "דנה לוי. פנו לדנה או למר לוי. דנהבה נשארת."
    assert redact_contact(text, Contact(name="דנה לוי")) == (
        "[name]. פנו ל[name] או למר [name]. דנהבה נשארת."
    )


def test_a_name_that_is_a_common_word_goes_only_as_a_whole() -> None:
    contact = Contact(name="Mark Cook")
    assert redact_contact("Mark Cook, Cook at Mark Ltd", contact) == "[name], Cook at Mark Ltd"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Date of birth: 12/05/1988", "Date of birth: [birthdate]"),
        ("Born 3 May 1990 in Haifa", "Born [birthdate] in Haifa"),
        ("תאריך לידה: 03.04.1985", "תאריך לידה: [birthdate]"),
        ("ת.ז. 123456782", "ת.ז. [id]"),
        ("Passport no. AB1234567", "Passport no. [id]"),
        ("123-45-6789", "[id]"),
        ("123456782", "[id]"),
        ("license no. 845512", "license no. [id]"),
        ("a.b+c@x-y.example.co.il", "[email]"),
        ("mail\u200b@example.com", "[email]"),
    ],
)
def test_other_identifying_values_are_redacted(text: str, redacted: str) -> None:
    assert redact_contact(text, Contact()) == redacted


@pytest.mark.parametrize(
    "address",
    [
        "221B Elm Street, Springfield, IL 62704", "Herzl St. 12, Tel Aviv", "10 Downing Street",
        "SW1A 2AA", "הרצל 12, חיפה", "רחוב הרצל 12, חיפה", "רח' ז'בוטינסקי 7 רמת גן",
    ],
)  # fmt: skip
def test_addresses_are_found_in_the_header(address: str) -> None:
    text = f"Dana Levi\n{address} | 052-1234567\n\nExperience\nCook"
    contact = find_contact(text)
    assert contact.addresses == [address]
    assert address not in redact_contact(text, contact)


def test_a_city_alone_is_no_address() -> None:
    assert find_contact("Dana Levi\nTel Aviv, Israel\nתל אביב").addresses == []
