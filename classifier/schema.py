"""What requests to the API must hold and what its answers hold: the source of the OpenAPI description."""

from __future__ import annotations

import enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from classifier.document import MAX_CHARACTERS, messages
from classifier.framework import framework_names

MAX_TEXTS = 100

# The frameworks that a request may name; a path, which the command line allows, would read files of the server's machine.
FrameworkName = enum.StrEnum("FrameworkName", {name: name for name in framework_names()})  # type: ignore[misc]
Text = Annotated[str, Field(max_length=MAX_CHARACTERS, description="A written behavioural example.")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OneText(_Strict):
    """A text to assess; `target` is the level that the writer aims at, for the questions."""

    text: Text
    framework: FrameworkName = FrameworkName["cra"]
    target: Annotated[int, Field(ge=0, le=10)] | None = None


class PageText(OneText):
    """What the page sends: the text, and the version that it is compared with."""

    previous: Text | None = None


class ManyTexts(_Strict):
    """Texts to assess, answered in the same order."""

    texts: Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    framework: FrameworkName = FrameworkName["cra"]


class Found(BaseModel):
    """Words that show a behaviour or an anti-pattern: ``text[start:end] == quote``, in code points."""

    key: str
    start: int
    end: int
    quote: str
    confidence: float


class Noted(BaseModel):
    """Words that a rule points out."""

    key: str
    start: int
    end: int
    quote: str


class Rated(BaseModel):
    """One scale's answer: the suggested level, the probability of each level, and the plausible levels."""

    level: int
    probabilities: list[float]
    level_set: list[int]


class Served(BaseModel):
    """Who is served."""

    value: str
    probabilities: dict[str, float]


class Asked(BaseModel):
    """A question to the writer on what a level asks and no words show."""

    key: str
    level: int
    text: str
    source: str


class Answer(BaseModel):
    """The assessment of one text. `status` is "ok", or "refused: " and the reason."""

    notice: str = messages()["notice"]["text"]
    recourse: str
    status: str
    model: str
    ratings: dict[str, Rated]
    client: Served | None
    evidence: list[Found]
    flags: list[Found]
    means: list[Found]
    client_words: list[Noted]
    story: list[Noted]
    values: list[Noted]
    shared: list[Noted]
    questions: list[Asked]


class Answers(BaseModel):
    """Assessments in the order of the texts."""

    assessments: list[Answer]


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None


class ReadText(BaseModel):
    """The text of a file."""

    text: str


class Frameworks(BaseModel):
    """Frameworks as data: what each source document says."""

    frameworks: list[dict[str, Any]]


class ModelFacts(BaseModel):
    """The model: its version, what it was trained with, the hash of each file, and its figures where it has them."""

    model: str
    notice: str = messages()["notice"]["text"]
    description: dict[str, Any]


class Health(BaseModel):
    """The server is up and its model is loaded."""

    status: str
    model: str
