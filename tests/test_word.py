"""Word in, the same Word out: nothing changed but comments, and those on the right words."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import docx
import pytest
from docx.document import Document
from files import docx_of, part, with_part
from fixed import DRAFT, FixedAssessor
from lxml import etree

from classifier.assessor import Assessor
from classifier.cli import main
from classifier.document import messages
from classifier.framework import DATA, load_framework
from classifier.uploads import RunSpan, docx_text, open_docx
from classifier.word import _split, annotate, save_docx

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
soffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


def bytes_of(document: Document) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def plain() -> bytes:
    return docx_of(*DRAFT.split(". "))


def formatted() -> bytes:
    """The finding begins in a bold run and ends inside an italic one."""
    document = docx.Document()
    paragraph = document.add_paragraph("A client asked for her balance. I looked it up, cal")
    paragraph.add_run("led h").bold = True
    paragraph.add_run("er back and told her what it was, in ita").italic = True
    paragraph.add_run("lics.")
    return bytes_of(document)


def table() -> bytes:
    document = docx.Document()
    document.add_paragraph("A client asked for her balance.", style="Heading 1")
    cells = document.add_table(2, 2).rows
    cells[0].cells[0].text = "Situation"
    cells[0].cells[1].text = "She wanted to know what she owed"
    cells[1].cells[0].text = "Action"
    cells[1].cells[1].text = DRAFT
    document.add_paragraph("I asked if it had helped.")
    return bytes_of(document)


def lists_and_headers() -> bytes:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Protected B when completed"
    document.sections[0].footer.paragraphs[0].text = "Page"
    for line in DRAFT.split(". "):
        document.add_paragraph(line, style="List Bullet")
    return bytes_of(document)


def commented() -> bytes:
    document = docx.Document()
    run = document.add_paragraph().add_run(DRAFT)
    document.add_comment(run, "My manager's remark", author="Manager", initials="M")
    return bytes_of(document)


def _tabs_and_breaks() -> bytes:
    document = docx.Document()
    run = document.add_paragraph().add_run("A client asked\tfor her balance.")
    run.add_break()
    run.add_text("I looked it up, called her back\tand told her what it was.")
    return bytes_of(document)


def _edited(change: Callable[[str], str], raw: bytes | None = None) -> bytes:
    raw = raw or docx_of(DRAFT)
    return with_part(raw, "word/document.xml", change(part(raw, "word/document.xml").decode()).encode())


def tracked() -> bytes:
    return _edited(
        lambda body: body.replace(
            "</w:p>",
            '<w:ins w:id="90" w:author="Me" w:date="2026-01-02T03:04:05Z"><w:r><w:t xml:space="preserve"> I asked if it had helped a lot.</w:t></w:r></w:ins>'
            '<w:del w:id="91" w:author="Me" w:date="2026-01-02T03:04:05Z"><w:r><w:delText>called her back never</w:delText></w:r></w:del></w:p>',
            1,
        )
    )


def hyperlink() -> bytes:
    link = '<w:hyperlink w:anchor="here"><w:r><w:rPr><w:u w:val="single"/></w:rPr><w:t>told her what it was and more</w:t></w:r></w:hyperlink>'
    return _edited(lambda body: body.replace("</w:r></w:p>", f"</w:r>{link}</w:p>", 1), docx_of("A client asked for her balance. I called her back and "))


def footnote() -> bytes:
    raw = _edited(
        lambda body: body.replace(
            "</w:r></w:p>", '</w:r><w:r><w:footnoteReference w:id="2"/><w:t xml:space="preserve"> I asked if it had helped.</w:t></w:r></w:p>', 1
        )
    )
    notes = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:footnotes xmlns:w="{W[1:-1]}">
<w:footnote w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>
<w:footnote w:type="continuationSeparator" w:id="1"><w:p><w:r><w:continuationSeparator/></w:r></w:p></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>See the guide; called her back.</w:t></w:r></w:p></w:footnote></w:footnotes>"""
    raw = with_part(raw, "word/footnotes.xml", notes.encode())
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    types = part(raw, "[Content_Types].xml").decode().replace("</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>')
    raw = with_part(raw, "[Content_Types].xml", types.encode())
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relations = part(raw, "word/_rels/document.xml.rels").decode()
    relations = relations.replace("</Relationships>", f'<Relationship Id="rFoot" Type="{link}" Target="footnotes.xml"/></Relationships>')
    return with_part(raw, "word/_rels/document.xml.rels", relations.encode())


MADE = {
    "plain": plain,
    "formatted": formatted,
    "table": table,
    "lists and headers": lists_and_headers,
    "commented": commented,
    "tabs and breaks": _tabs_and_breaks,
    "tracked": tracked,
    "hyperlink": hyperlink,
    "footnote": footnote,
}


def _lines(element: Any) -> str:
    return "\n".join("".join(t.text or "" for t in p.iter(f"{W}t")) for p in element.iter(f"{W}p"))


def comments_on_words(document: Document) -> list[tuple[str, str, str]]:
    """(author, first line of the comment, the words between its marks), read from the document's XML alone."""
    texts: dict[str, str] = {}
    open_now: set[str] = set()
    for element in document.element.body.iter():
        if element.tag == f"{W}commentRangeStart":
            open_now.add(element.get(f"{W}id"))
            texts[element.get(f"{W}id")] = ""
        elif element.tag == f"{W}commentRangeEnd":
            open_now.remove(element.get(f"{W}id"))
        elif element.tag in {f"{W}t", f"{W}tab", f"{W}br"}:
            shown = {f"{W}tab": "\t", f"{W}br": "\n"}.get(element.tag, element.text or "")
            for number in open_now:
                texts[number] += shown
    assert not open_now
    assert {e.get(f"{W}id") for e in document.element.body.iter(f"{W}commentReference")} == set(texts)
    return [(c.author, c.paragraphs[0].text, texts[str(c.comment_id)]) for c in document.comments]


def round_trip(raw: bytes) -> tuple[bytes, str]:
    document = open_docx(raw, "draft.docx")
    text = docx_text(document)[0]
    annotate(document, cast(Assessor, FixedAssessor()))
    return save_docx(document), text


def holds(raw: bytes) -> bytes:
    """The comments are on the words, and the document is otherwise the same."""
    out, text = round_trip(raw)
    before, after = open_docx(raw, "before"), open_docx(out, "after")
    assert docx_text(after)[0] == text
    expected = FixedAssessor().assess(text)
    ours = [c for c in comments_on_words(after) if c[0] == messages()["word"]["author"]]
    on_findings = sorted(words for _, line, words in ours if not line.startswith("Service Excellence:"))
    assert on_findings == sorted(f.quote for f in (*expected.evidence, *expected.flags)) and on_findings
    for _, line, words in ours:
        key = re.match(r"Evidence ([\d.]+) ", line)
        assert key is None or words == next(f.quote for f in expected.evidence if f.key == key[1])
    assert sum(line.startswith("Service Excellence: level 2 of 4") for _, line, _ in ours) == 1
    assert comments_on_words(before) == [c for c in comments_on_words(after) if c not in ours]
    # Formatting: each character keeps its run's properties; all other parts keep their bytes' meaning.
    assert _characters(after) == _characters(before)
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(io.BytesIO(out)) as new:
        for name in old.namelist():
            if name not in {"word/document.xml", "word/comments.xml", "word/_rels/document.xml.rels", "[Content_Types].xml"}:
                was, now = old.read(name), new.read(name)
                if name.endswith((".xml", ".rels")):
                    assert _canonical(now) == _canonical(was), name
                else:
                    assert now == was, name
    return out


def _characters(document: Document) -> list[tuple[str, bytes]]:
    found = []
    for run in document.element.body.iter(f"{W}r"):
        properties = run.find(f"{W}rPr")
        style = b"" if properties is None else etree.tostring(properties, method="c14n")
        for child in run:
            if child.tag in {f"{W}t", f"{W}delText", f"{W}tab", f"{W}br", f"{W}footnoteReference"}:
                found += [(character, style) for character in (child.text or child.tag)]
    return found


def _canonical(xml: bytes) -> bytes:
    root = etree.fromstring(xml, etree.XMLParser(remove_blank_text=True))
    if root.tag.endswith("Relationships"):
        root[:] = sorted(root, key=lambda e: e.get("Id"))
    return etree.tostring(root, method="c14n")


@pytest.mark.parametrize("name", list(MADE))
def test_comments_stand_on_the_right_words_and_nothing_else_changes(name: str) -> None:
    holds(MADE[name]())


def test_a_second_time_leaves_the_first_comments() -> None:
    once = round_trip(plain())[0]
    twice = open_docx(round_trip(once)[0], "x")
    first = comments_on_words(open_docx(once, "x"))
    assert sorted(comments_on_words(twice)) == sorted(first * 2)


def test_a_refused_draft_says_so_in_a_comment() -> None:
    out = open_docx(round_trip(docx_of("Hello there"))[0], "x")
    ((author, line, words),) = comments_on_words(out)
    assert author == messages()["word"]["author"] and "not assessed: too short" in line and words == "Hello there"
    assert messages()["notice"]["text"] in [p.text for c in out.comments for p in c.paragraphs]


def test_the_command_line_writes_the_commented_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "draft.docx").write_bytes(plain())
    assert main(["assess", str(tmp_path / "draft.docx"), "--annotate", str(tmp_path / "out.docx")]) == 0
    assert list(docx.Document(str(tmp_path / "out.docx")).comments)
    assert main(["assess", str(tmp_path / "draft.docx")]) == 0


def test_under_a_framework_that_the_model_does_not_know_the_summary_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = (DATA / "pspc.toml").read_text("utf-8").replace('key = "pspc_level"', 'key = "mine"').replace('main_scale = "pspc_level"', 'main_scale = "mine"')
    (tmp_path / "mine.toml").write_text(mine, "utf-8")
    (tmp_path / "draft.docx").write_bytes(plain())
    given = ["assess", str(tmp_path / "draft.docx"), "--annotate", str(tmp_path / "out.docx"), "--framework", str(tmp_path / "mine.toml")]
    assert main(given) == 0
    said = messages()["explain"]["untrained"].format(name=load_framework("pspc").name)
    assert said in capsys.readouterr().out
    comments = [[p.text for p in comment.paragraphs] for comment in docx.Document(str(tmp_path / "out.docx")).comments]
    assert [said, messages()["notice"]["text"], messages()["page"]["recourse"]] in comments


@pytest.mark.parametrize("content", [b"text only", docx_of()])
def test_annotating_what_is_no_word_draft_writes_nothing(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "draft").write_bytes(content)
    assert main(["assess", str(tmp_path / "draft"), "--annotate", str(tmp_path / "out.docx")]) == 1
    assert capsys.readouterr().err.strip().endswith(".")
    assert [path.name for path in tmp_path.iterdir()] == ["draft"]
    (tmp_path / "draft").write_bytes(plain())
    assert main(["assess", str(tmp_path / "draft"), "--annotate", str(tmp_path / "no" / "out.docx")]) == 1


# With LibreOffice ---------------------------------------------------------------------------------------------------


def convert(folder: Path, name: str, raw: bytes, kind: str) -> bytes:
    source = folder / name
    source.write_bytes(raw)
    (folder / "out").mkdir(exist_ok=True)
    program = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", kind, "--outdir", str(folder / "out"), str(source)]
    done = subprocess.run(program, capture_output=True, timeout=180)
    made = folder / "out" / f"{source.stem}.{kind.partition(':')[0]}"
    assert made.is_file(), done.stderr
    return made.read_bytes()


OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def annotations(odt: bytes) -> list[tuple[str, str]]:
    """(first line, words) of the comments that LibreOffice has on ranges of the document."""
    root = etree.fromstring(part(odt, "content.xml"))
    open_now: dict[str, list[str]] = {}
    found = []

    def walk(element: Any) -> None:
        if element.tag == f"{OFFICE}annotation":
            name = element.get(f"{OFFICE}name")
            lines = ["".join(p.itertext()) for p in element.iter(f"{TEXT}p")]
            open_now[name] = [lines[0], ""]
        elif element.tag == f"{OFFICE}annotation-end":
            found.append(tuple(open_now.pop(element.get(f"{OFFICE}name"))))
        elif element.tag not in {f"{TEXT}tracked-changes", f"{TEXT}note"}:
            add({f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n", f"{TEXT}s": " "}.get(element.tag, "") + (element.text or ""))
            for child in element:
                walk(child)
        add(element.tail or "")

    def add(words: str) -> None:
        for comment in open_now.values():
            comment[1] += words

    walk(root.find(f"{OFFICE}body"))
    return cast(list[tuple[str, str]], found)


@soffice
@pytest.mark.parametrize("name", list(MADE))
def test_libreoffice_opens_it_and_sees_the_same_comments(tmp_path: Path, name: str) -> None:
    out, text = round_trip(MADE[name]())
    expected = FixedAssessor().assess(text)
    seen = annotations(convert(tmp_path, "commented.docx", out, "odt"))
    words = sorted(" ".join(w.split()) for line, w in seen if line.startswith(("Evidence", "Reads badly")))
    assert words == sorted(" ".join(f.quote.split()) for f in (*expected.evidence, *expected.flags))


@soffice
@pytest.mark.parametrize("name", ["plain", "table", "lists and headers", "tracked", "footnote"])
def test_documents_written_by_libreoffice(tmp_path: Path, name: str) -> None:
    """The same drafts after LibreOffice wrote them anew: other styles, runs and parts than python-docx makes."""
    odt = convert(tmp_path, "draft.docx", MADE[name](), "odt")
    (tmp_path / "again").mkdir()
    raw = convert(tmp_path / "again", "draft.odt", odt, "docx:MS Word 2007 XML")
    assert part(raw, "docProps/app.xml").count(b"LibreOffice")
    out = holds(raw)
    assert convert(tmp_path, "commented.docx", out, "pdf")[:4] == b"%PDF"


def test_a_run_with_an_xml_comment_is_cut_like_any_other() -> None:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraph = etree.fromstring(f'<w:p xmlns:w="{space}"><w:r><w:t>I called her</w:t><!-- x --></w:r></w:p>')
    first, second = _split(RunSpan(paragraph[0], 0, 12), 8)
    assert ["".join(run.element.itertext(f"{{{space}}}t")) for run in (first, second)] == ["I called", " her"]
