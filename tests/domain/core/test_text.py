import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.text import clean_line, clean_text, is_http_url
from tests.growth import assert_linear

PIECES = [
    *["<", ">", "&", ";", "/", "=", '"', "'", " ", "\n", "\t", "a", "b", "x", "!", "--", "\u200b"],
    *["<b>", "</b>", "<p>", "<br>", "<li", "<script>", "</script>", "<!--", "-->", "onclick="],
    *["&lt;", "&gt;", "&amp;", "&#60;", "&nbsp;", "\u0301", "\u0338", "\u037e", "script", "שלום"],
    *["<style", "<x ", "https:", "</", "<img src=x onerror=alert(1)", "&lt;script&gt;", "<?"],
]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
TAG = re.compile(
    r"<(/[a-z]|!|\?|(b|p|br|li|script|style|img|div|a)(?=[\s/>])|[a-z]\w*[\s/][^<>]*\bon\w+\s*=)",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # What is not a tag stays.
        ("a < b", "a < b"),
        ("5 < 6 and <b>7</b> > 3", "5 < 6 and 7 > 3"),
        ("C++ <-> C#", "C++ <-> C#"),
        ("List<String>, Map<K, V>", "List<String>, Map<K, V>"),
        ("List<Map<K, V>>", "List<Map<K, V>>"),
        ("Mail <me@example.com> or <https://example.com/?a=b>",) * 2,
        ("R&D, AT&T", "R&D, AT&T"),
        ("https://example.com/?a=1&copy=2", "https://example.com/?a=1&copy=2"),
        # Entities become characters, once and for all.
        ("R&amp;D &eacute;t&eacute; &#1513;&#x5dc;", "R&D été של"),
        ("R&amp;amp;D", "R&D"),
        ("a &lt; b", "a < b"),
        ("one&nbsp;two", "one two"),
        # Markup goes, escaped or not.
        ("<b onclick='steal()'>bold</b> move", "bold move"),
        ('<a href="javascript:alert(1)" title="1 > 0">link</a>', "link"),
        ("<custom onmouseover=alert(1)>text</custom>", "text"),
        ('<x a=">" onclick=alert(1)>text', "text"),
        ("<https://x/onclick=alert(1)>text", "text"),
        ("before<script>alert('<p>')</script>after", "beforeafter"),
        ("before<STYLE>p{}</STYLE >after", "beforeafter"),
        ("before<!-- <p>hidden</p> -->after", "beforeafter"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;text", "text"),
        ("&amp;lt;b&amp;gt;text", "text"),
        ("<scr\u200bipt>alert(1)</script>text", "text"),
        ("<scr<b>ipt>alert(1)</script>", ""),
        ("<!DOCTYPE html><title>Job</title><o:p></o:p>", "Job"),
        # What is never closed stays, inert.
        ("where a<b holds", "where a< b holds"),
        ("<img src=x onerror=alert(1) ", "< img src=x onerror=alert(1)"),
        ("text <!-- more", "text < !-- more"),
        # Lines and spaces.
        ("<p>One\nline</p><p>Two<br>three</p>", "One line\n\nTwo\nthree"),
        ("Needs:<ul>\n<li>SQL</li>\n<li>Go</li>\n</ul>Apply", "Needs:\n\nSQL\nGo\n\nApply"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("&lt;p&gt;We &amp;amp; you&lt;/p&gt;&lt;li&gt;x&lt;/li&gt;", "We & you\n\nx"),
        ("a  \t b \r\n\r\n\r\n\r\n c\u2028d", "a b\n\nc\nd"),
        ("one\ntwo<br>\nthree", "one\ntwo\nthree"),
        # Characters.
        ("a\x00b\x07c\u202ed\ufefff\U000e0041", "abcdf"),
        ("שָׁלוֹם עולם", "שָׁלוֹם עולם"),
        ("cafe\u0301", "café"),
        ("a\ud800b", "ab"),
        ("", ""),
    ],
)
def test_clean_text(value: str, expected: str) -> None:
    assert clean_text(value) == expected


@given(st.one_of(MARKUP, st.text()))
def test_cleaning_twice_changes_nothing_and_no_tag_is_left(value: str) -> None:
    cleaned = clean_text(value)
    assert clean_text(cleaned) == cleaned
    match = TAG.search(cleaned)
    assert match is None or ">" not in cleaned[match.end() :]
    assert "\n\n\n" not in cleaned
    assert "  " not in cleaned
    assert cleaned == cleaned.strip()


@given(st.text(st.sampled_from("abc אבג.,:+#-()\n")))
def test_plain_words_all_stay(value: str) -> None:
    assert clean_text(value).split() == value.split()


def test_markup_escaped_too_often_is_inert() -> None:
    cleaned = clean_text("&" + "amp;" * 50 + "lt;img onerror=x>")
    assert cleaned == clean_text(cleaned)
    assert "<" not in cleaned


@pytest.mark.parametrize(
    "unit",
    ["<div>", "<ul><li>", "<", "<b", "<x ", '<a "', "<!--", "<script>", "&", "&amp", " ", "\n<br>"],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    # Read as a tree, the first two take quadratic time.
    assert_linear(lambda size: clean_text(unit * (size // len(unit))), 50_000)


def test_clean_line() -> None:
    assert clean_line(" <p>Senior\n<b>Nurse</b></p><p>Leeds</p> ") == "Senior Nurse Leeds"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://Example.com:8443/a?b=c#d",
        "https://דוגמה.example/משרה",
        "http://[::1]/",
        "https://example.com/" + "a" * 2028,
    ],
)
def test_web_addresses(url: str) -> None:
    assert is_http_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *["", "example.com", "//example.com", "/jobs/1", "http://", "https:///x", "http://."],
        *["ftp://example.com", "javascript:alert(1)", "data:text/html,x", "http:example.com"],
        *["http://user@example.com", "http://u:p@example.com", "http://example.com\\@evil.com"],
        *["http://exa mple.com", " http://example.com", "http://example.com\n", "http://a\u200b.b"],
        *["http://[::1", "http://example.com:99999/", "https://example.com/" + "a" * 2029],
    ],
)
def test_other_addresses(url: str) -> None:
    assert not is_http_url(url)
