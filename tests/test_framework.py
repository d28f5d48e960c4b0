"""The frameworks say what the documents say, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from classifier.errors import InputError
from classifier.framework import DATA, framework_names, load_framework


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(params=["cra", "pspc"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_statement_stands_in_its_source(name: str, root: Path) -> None:
    framework = load_framework(name)
    source = plain((root / "corpus" / "sources" / framework.source).read_text("utf-8"))
    assert len(framework.statements) > 20
    for statement in framework.statements:
        for paragraph in statement.split("\n\n"):
            assert plain(paragraph) in source, statement


def test_every_sentence_of_the_source_is_in_the_framework(name: str, root: Path) -> None:
    """What is not quoted are headings, table heads and page furniture."""
    framework = load_framework(name)
    rest = plain((root / "corpus" / "sources" / framework.source).read_text("utf-8"))
    paragraphs = [plain(p) for s in framework.statements for p in s.split("\n\n")]
    for paragraph in sorted(paragraphs, key=len, reverse=True):
        rest = rest.replace(paragraph, "|", 1)
    left = [plain(piece.replace("•", "").replace("*", "")) for piece in rest.split("|")]
    furniture = {
        "cra": r"Service Excellence|Core motivation:|It's about:|Service Excellence - What it means and does not mean.*|Purpose of this competency for CRA"
        r"|Progression of scale.*|Service Excellence - Progression of scale.*|Degree of (Involvement|Commitment)|Service Excellence level \d.*"
        r"|In other words, you may:"
        r"|Page details Date modified:|In other words, you may: Page details.*",
        "pspc": r"Public Services and Procurement Canada Client service competency|Level \d:|Page details Date modified:",
    }[name]
    unexplained = [piece for piece in left if piece and not re.fullmatch(furniture, piece)]
    assert unexplained == []


def test_counts() -> None:
    cra, pspc = load_framework("cra"), load_framework("pspc")
    assert [len(level.behaviours) for level in cra.scale("level").levels] == [0, 2, 4, 3, 5]
    assert [len(level.behaviours) for level in pspc.scale("pspc_level").levels] == [0, 7, 7, 7]
    assert len(cra.anti_patterns) == 8
    assert len(cra.values) == 8
    assert all(level.worked_example for level in cra.scale("level").levels[1:])
    assert cra.scale("level").level(0).origin == "guide"
    assert cra.scale("involvement").lower and cra.scale("commitment").higher


def test_keys_are_those_of_the_guide(root: Path) -> None:
    guide = (root / "corpus" / "LABELLING.md").read_text("utf-8")
    cra = load_framework("cra")
    for anti_pattern in cra.anti_patterns:
        assert f"`{anti_pattern.key}`" in guide
    for behaviour in cra.behaviours:
        assert f"| {behaviour.key} | {behaviour.short}" in guide


def test_a_third_framework_is_one_more_file(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(
        'key="desk"\nname="Desk"\norganization="Org"\nsource="desk.txt"\ndefinition="D"\nmain_scale="desk_level"\n'
        '[[scales]]\nkey="desk_level"\nname="Desk level"\n[[scales.levels]]\nvalue=0\nname="0"\nnotion="none"\n'
        '[[scales.levels]]\nvalue=1\nname="1"\nnotion="some"\nbehaviours=[{key="d1", text="Does it."}]\n',
        "utf-8",
    )
    framework = load_framework(str(path))
    assert framework.scale("desk_level").values == (0, 1)
    assert framework.behaviour("d1").level == 1


def test_unknown_and_broken_frameworks_are_named(tmp_path: Path) -> None:
    assert framework_names() == ("cra", "pspc")
    with pytest.raises(InputError, match="no framework 'xyz'"):
        load_framework("xyz")
    path = tmp_path / "broken.toml"
    path.write_text("key = ", "utf-8")
    with pytest.raises(InputError, match=r"broken\.toml: not a framework file"):
        load_framework(str(path))


def test_a_field_of_the_wrong_kind_is_one_sentence(tmp_path: Path) -> None:
    shipped = (DATA / "cra.toml").read_text("utf-8")
    (own := tmp_path / "own.toml").write_text(re.sub(r"^definition = .*$", "definition = 3", shipped, count=1, flags=re.MULTILINE), "utf-8")
    assert own.read_text("utf-8") != shipped
    with pytest.raises(InputError, match="not a framework file"):
        load_framework(str(own))
