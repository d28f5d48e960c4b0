"""Files as a user or an attacker hands them over: their text, or one sentence."""

from __future__ import annotations

import io
import socket
import zipfile

import pytest
from files import docx_of, part, pdf_of, with_part

from classifier.errors import InputError
from classifier.uploads import MAX_BYTES, TooLargeError, read_upload

LINE = "A client asked for her balance and I told her what it was."


def archive(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members:
            made.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("raw", [LINE.encode(), b"\xef\xbb\xbf" + LINE.encode(), LINE.encode("utf-16"), docx_of(LINE), pdf_of(LINE)])
def test_the_text_of_each_kind_of_file(raw: bytes) -> None:
    assert read_upload(raw, "x") == LINE


def test_the_kind_is_what_the_bytes_say_not_the_name() -> None:
    assert read_upload(docx_of(LINE), "draft.txt") == LINE


def test_plain_text_is_not_changed() -> None:
    assert read_upload(b"a\r\n\tb\n", "x") == "a\r\n\tb\n"


def test_paragraphs_are_lines_tables_and_insertions_count_deletions_do_not() -> None:
    raw = docx_of("one", "two")
    body = part(raw, "word/document.xml").decode()
    body = body.replace(
        "<w:t>two</w:t></w:r>",
        '<w:t>two</w:t></w:r><w:ins w:id="1" w:author="a"><w:r><w:t xml:space="preserve"> new</w:t></w:r></w:ins>'
        '<w:del w:id="2" w:author="a"><w:r><w:delText>old</w:delText></w:r></w:del><w:r><w:tab/><w:t>end</w:t><w:br/><w:t>line</w:t></w:r>',
    )
    table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    body = body.replace("<w:sectPr", f"{table}<w:sectPr", 1)
    assert read_upload(with_part(raw, "word/document.xml", body.encode()), "x") == "one\ntwo new\tend\nline\ncell"


@pytest.mark.parametrize(("mark", "shown"), [("<w:vanish/>", "one"), ('<w:vanish w:val="1"/>', "one"), ('<w:vanish w:val="0"/>', "one hidden")])
def test_hidden_text_of_a_word_file_is_not_read(mark: str, shown: str) -> None:
    raw = docx_of("one")
    body = part(raw, "word/document.xml").decode()
    body = body.replace("<w:t>one</w:t></w:r>", f'<w:t>one</w:t></w:r><w:r><w:rPr>{mark}</w:rPr><w:t xml:space="preserve"> hidden</w:t></w:r>')
    assert read_upload(with_part(raw, "word/document.xml", body.encode()), "x") == shown


NO_BODY = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>"""
EXTERNAL = ENTITIES.replace(b'<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">', b'<!ENTITY b SYSTEM "file:///etc/passwd">')

REFUSED = {
    "binary": (bytes(range(256)), "binary file"),
    "latin": (b"one\ncaf\xe9", "line 2 is not UTF-8"),
    "broken zip": (docx_of(LINE)[:-200], "damaged"),
    "broken zip in the middle": (docx_of(LINE)[:3000] + b"x" * 50 + docx_of(LINE)[3050:], "damaged"),
    "zip, not Word": (archive(("a.txt", b"hello")), "not a Word document"),
    "spreadsheet": (archive(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<a/>")), "not a Word document"),
    "nested entities": (with_part(docx_of(LINE), "word/document.xml", ENTITIES), "document type"),
    "external entity": (with_part(docx_of(LINE), "word/document.xml", EXTERNAL), "document type"),
    "entities in UTF-16": (with_part(docx_of(LINE), "word/document.xml", ENTITIES.decode().encode("utf-16")), "document type"),
    "entities in EBCDIC": (with_part(docx_of(LINE), "word/styles.xml", b'<?xml version="1.0" encoding="cp037"?><a/>'), "encoding"),
    "entities in relations": (with_part(docx_of(LINE), "word/_rels/document.xml.rels", ENTITIES), "document type"),
    "another root": (with_part(docx_of(LINE), "word/document.xml", b"<body/>"), "it has no body"),
    "no body": (with_part(docx_of(LINE), "word/document.xml", NO_BODY), "it has no body"),
    "not XML": (with_part(docx_of(LINE), "word/document.xml", b"<w:oops"), "damaged"),
    "broken PDF": (b"%PDF-1.7\nnothing", "cannot be read"),
    "truncated PDF": (pdf_of(LINE)[:150], "cannot be read"),
    "PDF without text": (pdf_of(""), "holds no text"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_file_that_cannot_be_read_is_one_sentence(name: str) -> None:
    raw, reason = REFUSED[name]
    with pytest.raises(InputError, match=reason) as caught:
        read_upload(raw, "upload.bin")
    assert str(caught.value).startswith("upload.bin: ") and str(caught.value).endswith(".")


TOO_LARGE = {
    "bytes": (b"a" * (MAX_BYTES + 1), "the limit is 10,000,000"),
    "expanded": (archive(*((f"{i}.xml", bytes(11_000_000)) for i in range(10)), ("random", bytes(range(256)) * 9)), "the limit is 100,000,000"),
    "ratio": (archive(("word/document.xml", b" " * 5_000_000)), "the limit is 100 times"),
    "parts": (archive(*((f"{i}.xml", b"<a/>") for i in range(1001))), "the limit is 1,000"),
}


@pytest.mark.parametrize("name", list(TOO_LARGE))
def test_a_file_over_a_limit_is_refused_before_it_is_expanded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("a part was expanded"))
    raw, reason = TOO_LARGE[name]
    with pytest.raises(TooLargeError, match=reason):
        read_upload(raw, "x")


def test_a_size_that_lies_is_damage_not_memory() -> None:
    """The directory says 10 bytes, the part holds 5 MB: zipfile yields what is declared and then finds the sum wrong."""
    raw = bytearray(archive(("word/document.xml", bytes(5_000_000))))
    size = (5_000_000).to_bytes(4, "little")
    for _ in range(2):
        place = raw.find(size)
        raw[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InputError, match="damaged"):
        read_upload(bytes(raw), "x")


def test_links_to_elsewhere_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("something reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    raw = docx_of(LINE)
    relations = part(raw, "word/_rels/document.xml.rels").decode()
    kinds = ("attachedTemplate", "image", "hyperlink", "oleObject", "frame")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = "".join(f'<Relationship Id="x{k}" Type="{kind}/{k}" Target="http://198.51.100.7/{k}" TargetMode="External"/>' for k in kinds)
    raw = with_part(raw, "word/_rels/document.xml.rels", relations.replace("</Relationships>", links + "</Relationships>").encode())
    raw = with_part(raw, "word/vbaProject.bin", b"macro")
    assert read_upload(raw, "x") == LINE
