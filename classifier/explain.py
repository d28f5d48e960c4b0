"""An assessment in plain words, from the Assessment and the Framework alone: kind, exact, short.

Nothing here is a sentence to paste: what is missing is put as a question to the writer.
"""

from __future__ import annotations

from dataclasses import dataclass

from classifier.assessment import Assessment, Finding, Note, Rating
from classifier.document import messages
from classifier.framework import Framework, Scale, framework_names, load_framework

_CLOSE = 0.1  # two levels whose probabilities lie this near are named as a close call


@dataclass(frozen=True)
class Section:
    """One heading of the explanation and its lines; `key` names it for pages and tests."""

    key: str
    title: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in self.lines)])


def explain(assessment: Assessment, framework: str = "cra") -> str:
    """The readable answer: `advise` as text, with the notice at the end."""
    sections = [str(section) for section in advise(assessment, framework)]
    return "\n\n".join([*sections, str(messages()["notice"]["text"])])


def advise(assessment: Assessment, framework: str = "cra") -> tuple[Section, ...]:
    """Sections of advice, in the order in which a writer needs them. A refusal is the only section of a refused text."""
    if not assessment.ok:
        return (Section("refused", f"Not assessed: {assessment.status.removeprefix('refused: ')}", ()),)
    main = load_framework(framework)
    if main.main_scale not in assessment.ratings:
        return (Section("level", f"{main.name}: the model was not trained for this framework", ()),)
    sections = [_level(assessment, main), *_degrees(assessment, main)]
    if main.anti_patterns:
        sections += [_evidence(assessment, main), _flags(assessment, main), _means(assessment, main), _next(assessment, main)]
    sections += [_client(assessment), _shared(assessment), _story(assessment)]
    return tuple(section for section in sections if section is not None)


def _level(assessment: Assessment, framework: Framework) -> Section:
    scale = framework.scale(framework.main_scale)
    rating = assessment.ratings[scale.key]
    level = scale.level(rating.level)
    title = f"{framework.name} ({framework.organization}): level {rating.level} of {scale.values[-1]}, {level.notion[0].lower()}{level.notion[1:]}"
    return Section("level", title, (*_why(assessment, framework, rating), *_sureness(rating)))


def _why(assessment: Assessment, framework: Framework, rating: Rating) -> tuple[str, ...]:
    """Why this level and not the one below: the words that show its behaviours, or the guide's reason for a 0."""
    why = messages()["why"]
    if rating.level == 0:
        client = assessment.client
        if client is not None and client.value in {"not_a_client", "none"}:
            return (why["client"].format(client=messages()["clients"][client.value]),)
        return (why["nothing"],)
    levels = {behaviour.key: behaviour.level for behaviour in framework.behaviours}  # the evidence may be of another framework
    decisive = _strongest([f for f in assessment.evidence if levels.get(f.key) == rating.level])
    if decisive is None:
        return (why["whole"].format(level=rating.level),)
    form = why["beyond"] if rating.level > 1 else why["first"]
    return (form.format(quote=decisive.quote, short=framework.behaviour(decisive.key).short, below=rating.level - 1),)


def _sureness(rating: Rating) -> tuple[str, ...]:
    shares = ", ".join(f"{value}: {p:.0%}" for value, p in enumerate(rating.probabilities))
    if rating.sure:
        return (f"How sure: no other level is plausible ({shares}).",)
    lines = [f"How sure: not fully; plausible are {_listed(rating.level_set)} ({shares})."]
    others = [v for v in rating.level_set if v != rating.level and abs(rating.probabilities[v] - rating.probabilities[rating.level]) < _CLOSE]
    if others:
        lines.append(f"It is a close call with {_listed(others)}; an assessor could well see it there.")
    return tuple(lines)


def _degrees(assessment: Assessment, framework: Framework) -> list[Section | None]:
    lines = []
    for scale in framework.scales:
        if scale.key != framework.main_scale and scale.key in assessment.ratings:
            lines.append(f"{scale.name}: {assessment.ratings[scale.key].level} of {scale.values[-1]}. {_pole(scale, assessment)}".rstrip())
    for name in framework_names():
        other = load_framework(name)
        scale = other.scale(other.main_scale)
        if name != framework.key and scale.key in assessment.ratings:
            rating = assessment.ratings[scale.key]
            lines.append(f"{other.name} ({other.organization}): {rating.level} of {scale.values[-1]}, {scale.level(rating.level).notion}.")
    return [Section("degrees", "Beside the level", tuple(lines)) if lines else None]


def _pole(scale: Scale, assessment: Assessment) -> str:
    value = assessment.ratings[scale.key].level
    return scale.lower if 0 < value <= 2 else scale.higher if value > 2 else ""


def _evidence(assessment: Assessment, framework: Framework) -> Section:
    if not assessment.evidence:
        return Section("evidence", "Evidence: no words were found that show a behaviour", ())
    lines = tuple(f"“{f.quote}” {f.key} {framework.behaviour(f.key).short} ({f.confidence:.0%})" for f in assessment.evidence)
    return Section("evidence", "Evidence", lines)


def _flags(assessment: Assessment, framework: Framework) -> Section:
    lines: list[str] = []
    for finding in assessment.flags:
        pair = framework.anti_pattern(finding.key)
        lines.append(f"“{finding.quote}” may read as: {pair.does_not_mean} ({finding.confidence:.0%})")
        lines.append(f"  {framework.name} means: {pair.means}")
    return Section("flags", "What may read badly" if lines else "What may read badly: nothing found", tuple(lines))


def _means(assessment: Assessment, framework: Framework) -> Section | None:
    lines = tuple(f"“{f.quote}” {framework.anti_pattern(f.key).means}" for f in assessment.means)
    return Section("means", "What reads well", lines) if lines else None


def _next(assessment: Assessment, framework: Framework) -> Section | None:
    """Questions on the behaviours of the next level that no words show."""
    scale = framework.scale(framework.main_scale)
    level = assessment.ratings[scale.key].level + 1
    if level > scale.values[-1]:
        return None
    shown = {finding.key for finding in assessment.evidence}
    questions = messages()["questions"]
    lines = tuple(questions.get(b.key, b.text) for b in scale.level(level).behaviours if b.key not in shown)
    return Section("next", f"What level {level} asks ({scale.level(level).notion[0].lower()}{scale.level(level).notion[1:]})", lines) if lines else None


def _client(assessment: Assessment) -> Section | None:
    client = assessment.client
    if client is None:
        return None
    words = [note.quote for note in assessment.client_words if note.key == client.value]
    quoted = f", by the words {', '.join(f'“{w}”' for w in dict.fromkeys(words[:3]))}" if words else ""
    lines = [f"{messages()['clients'][client.value]} ({client.probabilities[client.value]:.0%}){quoted}"]
    if client.value == "not_a_client":
        lines.append(f"This is teamwork, not service. The source says: {dict(load_framework('cra').client_notes)['manager']}")
    return Section("client", f"Client: {client.value.replace('_', ' ')}", tuple(lines))


def _shared(assessment: Assessment) -> Section | None:
    if not assessment.shared:
        return None
    lines = [f"“{_short(note)}”" for note in assessment.shared[:4]]
    lines.append("An assessor rates what you did. What cannot be told to be yours counts one level lower; who did these things?")
    return Section("shared", "Told as “we” or in the passive", tuple(lines))


def _story(assessment: Assessment) -> Section:
    told = {note.key for note in assessment.story}
    questions = messages()["story_questions"]
    lines = [f"{part}: not found. {questions[part]}" for part in questions if part not in told]
    lines += [f"{note.key}: “{_short(note)}”" for note in assessment.story]
    if assessment.values:
        lines.append(f"The result speaks of {', '.join(note.key for note in assessment.values)}.")
    return Section("story", "The story: situation, task, action, result", tuple(lines))


def _strongest(findings: list[Finding]) -> Finding | None:
    return max(findings, key=lambda finding: finding.confidence, default=None)


def _listed(values: tuple[int, ...] | list[int]) -> str:
    return " or ".join(map(str, values))


def _short(note: Note, most: int = 90) -> str:
    quote = " ".join(note.quote.split())
    return quote if len(quote) <= most else quote[:most].rsplit(" ", 1)[0] + " …"
