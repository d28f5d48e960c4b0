"""What the desk's requests hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from classifier.desk.judgement import MAX_MARKS, MAX_REASON, Judgement, judged
from classifier.document import MAX_CHARACTERS
from classifier.errors import InputError
from classifier.framework import Framework

Reason = Annotated[str, Field(max_length=MAX_REASON)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Strict):
    """Who sits at the desk."""

    name: Annotated[str, Field(max_length=200)]


class Marked(_Strict):
    """Words that the assessor marked, by places in code points."""

    key: str
    start: int
    end: int


class Rated(_Strict):
    """A whole judgement."""

    level: int
    client: str
    marks: Annotated[list[Marked], Field(max_length=MAX_MARKS)] = []
    reason: Reason = ""

    def judgement(self, text: str, framework: Framework, needs_reason: bool = True) -> Judgement:
        """The same, held against the text and the framework."""
        if needs_reason and not self.reason.strip():
            raise InputError("Say why, in a sentence or two.")
        return judged(text, framework, self.level, self.client, ((m.key, m.start, m.end) for m in self.marks), self.reason)


class Concluded(Rated):
    """What the assessor does with the suggestion; level, client and marks count when the rating is changed."""

    choice: Literal["accept", "keep", "change"]


class Practised(_Strict):
    """The level that somebody who practises gives a worked example."""

    level: int


class Released(_Strict):
    """A text that the assessor confirms as free of personal data."""

    text: Annotated[str, Field(max_length=2 * MAX_CHARACTERS)]


class Nothing(_Strict):
    """A request that is only a button."""


class Next(BaseModel):
    """The page to go to now."""

    next: str
