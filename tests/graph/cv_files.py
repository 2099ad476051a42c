"""CV files of tests, and sending them."""

import io
from collections.abc import AsyncIterator
from typing import Any

import docx
import httpx2
from reportlab.pdfgen import canvas

from domain.cv.actions import PDF
from tests.client import Client, Json

REQUEST = """
mutation ($input: RequestCVUploadInput!) {
  requestCVUpload(input: $input) {
    cv { id filename contentType sizeBytes status }
    upload { url headers { name value } expiresAt }
    errors {
      __typename
      ... on UserError { code message path }
      ... on PayloadTooLargeError { limit actual unit }
      ... on RateLimitError { retryAfter }
    }
  }
}
"""
LINES = [
    "Maya Stern", "maya.stern@example.com", "Experience",
    "Backend Developer, Tidewater Payments", "2020 - 2023",
    "Built services in Python and PostgreSQL.", "Skills", "Python, Docker, Kubernetes",
]  # fmt: skip


def pdf(lines: list[str], **options: Any) -> bytes:
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer, **options)
    for number, line in enumerate(lines):
        sheet.drawString(60, 800 - 14 * number, line)
    sheet.save()
    return buffer.getvalue()


def scan() -> bytes:
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer)
    sheet.rect(60, 60, 400, 600, fill=1)
    sheet.save()
    return buffer.getvalue()


def word(lines: list[str]) -> bytes:
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


async def announce(client: Client, size: int, content_type: str = PDF, **fields: Any) -> Json:
    given = {"filename": "cv", "contentType": content_type, "sizeBytes": size, **fields}
    answer: Json = (await client.data(REQUEST, input=given))["requestCVUpload"]
    return answer


async def put(
    announced: Json, content: bytes | AsyncIterator[bytes], **headers: str
) -> httpx2.Response:
    """PUT with the headers of the announcement, and no token: the address is the right."""
    told = {header["name"]: header["value"] for header in announced["upload"]["headers"]}
    async with httpx2.AsyncClient(timeout=30) as http:
        return await http.put(
            announced["upload"]["url"], content=content, headers={**told, **headers}
        )


async def upload(client: Client, data: bytes, content_type: str = PDF) -> Json:
    announced = await announce(client, len(data), content_type)
    assert (await put(announced, data)).status_code == 204
    cv: Json = announced["cv"]
    return cv
