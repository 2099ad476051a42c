"""Files that cannot be read end alone, and say what to do."""

import zlib

import pytest
from reportlab.lib import pdfencrypt

from domain.cv.actions import DOCX, PDF
from domain.cv.documents import CV
from graph import ids
from tests.client import Client
from tests.conftest import SignIn
from tests.graph.cv_files import LINES, pdf, scan, upload
from tests.graph.cvs import create_cv, parsed_cv, settled

CV_NODE = (
    "query ($id: ID!) { node(id: $id) { ... on CV { status skills failure { code message } } } }"
)


@pytest.mark.parametrize(
    ("data", "content_type", "says"),
    [
        (b"%PDF-1.7\nthis is no PDF at all", PDF, "damaged"),
        (pdf(LINES, encrypt=pdfencrypt.StandardEncryption("secret")), PDF, "password"),
        (scan(), PDF, "text"),
        (b"PK\x03\x04" + bytes(500), DOCX, "damaged"),
    ],
    ids=["broken pdf", "encrypted pdf", "scan", "broken docx"],
)
async def test_an_unreadable_file_fails_alone_and_says_what_to_do(
    client: Client, worker: None, data: bytes, content_type: str, says: str
) -> None:
    good = await parsed_cv(client)

    ended = await settled(client, (await upload(client, data, content_type))["id"])

    assert ended["status"] == "FAILED"
    assert ended["failure"]["code"] == "UNREADABLE_FILE"
    assert ended["failure"]["isRetryable"] is False
    assert says in ended["failure"]["message"].casefold()
    assert (ended["skills"], ended["parsedAt"]) == ([], None)
    kept = (await client.data(CV_NODE, id=good))["node"]
    assert kept["status"] == "PARSED"
    assert "Python" in kept["skills"]
    listed = (await client.data("{ viewer { cvs { nodes { id status } } skills } }"))["viewer"]
    assert [cv["status"] for cv in listed["cvs"]["nodes"]] == ["FAILED", "PARSED"]
    assert "Python" in listed["skills"]


async def test_the_failure_is_told_in_the_owners_language(sign_in: SignIn, worker: None) -> None:
    client = await sign_in()
    await client.data("mutation { updateProfile(input: {language: HE}) { viewer { name } } }")

    ended = await settled(client, (await upload(client, scan()))["id"])

    assert any("א" <= letter <= "ת" for letter in ended["failure"]["message"])


def bomb(megabytes: int, repeats: int) -> bytes:
    """A PDF of some hundred kB, whose page unpacks to `megabytes` times `repeats`."""
    packer = zlib.compressobj(9)
    packed = packer.compress(b"BT /F1 12 Tf (Hello) Tj ET ")
    packed += b"".join(packer.compress(b" " * (1 << 20)) for _ in range(megabytes))
    packed += packer.flush()
    contents = b"4 0 R " * repeats
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [" + contents + b"] >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed), packed),
    ]
    objects = [b"%d 0 obj\n%b\nendobj\n" % item for item in enumerate(bodies, start=1)]
    return b"%PDF-1.4\n" + b"".join(objects) + b"trailer << /Size 5 /Root 1 0 R >>\n%%EOF"


async def test_a_pdf_that_starves_its_reader_fails_and_harms_nothing_else(
    client: Client, worker: None
) -> None:
    data = bomb(400, 6)
    assert len(data) < 1_000_000
    bad = await upload(client, data)
    beside = await create_cv(client, "Python.")

    assert (await settled(client, beside["id"]))["status"] == "PARSED"
    ended = await settled(client, bad["id"])

    assert ended["status"] == "FAILED"
    assert ended["failure"]["code"] == "UNREADABLE_FILE"
    cv_id = ids.decode_as("CV", bad["id"])
    assert cv_id is not None
    stored = await CV.get(cv_id)
    assert stored is not None
    assert (stored.delivery.is_open, stored.delivery.attempts) == (False, 1)
    assert (await settled(client, (await create_cv(client, "Go lang."))["id"]))["status"] == (
        "PARSED"
    )
