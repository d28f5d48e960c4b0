"""An assessment in plain words, from the Assessment and the Framework alone: kind, exact, short.

Nothing here is a sentence to paste: what is missing is put as a question to the writer. What a rule is not sure of is asked, not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifier.answer import questions
from classifier.assessment import Assessment, Client, Finding, Note, Rating
from classifier.document import messages
from classifier.framework import Framework, Scale, framework_names, load_framework
from classifier.notes import STORY, headless, tells_act, tells_act_now

_CLOSE = 0.1  # two levels whose probabilities lie this near are named as a close call
_LIKELY = 0.5  # words that count less probably than this are said to count perhaps
_CLEAR = 0.6  # a client less probable than this is not clear
_SHOWN = 4  # quotes of a kind that are shown


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
        return (Section("refused", _say("refused", reason=assessment.status.removeprefix("refused: ")), ()),)
    main = load_framework(framework)
    if main.main_scale not in assessment.ratings:
        return (Section("level", _say("untrained", name=main.name), ()),)
    sections = [_level(assessment, main), _unsure(assessment, main), _degrees(assessment, main), _evidence(assessment, main)]
    if _sought(main):
        sections += [_flags(assessment, main), _means(assessment, main)]
    sections += [_next(assessment, main), _client(assessment), _habit(assessment), _shared(assessment, main), _story(assessment)]
    return tuple(section for section in sections if section is not None)


# The level ----------------------------------------------------------------------------------------------------------


def _level(assessment: Assessment, framework: Framework) -> Section:
    scale = framework.scale(framework.main_scale)
    rating = assessment.ratings[scale.key]
    notion = _lower(scale.level(rating.level).notion)
    title = _say("level", name=framework.name, organization=framework.organization, level=rating.level, last=scale.values[-1], notion=notion)
    return Section("level", title, (_why(assessment, framework, rating), *_sureness(rating, yours=_tells_own(assessment))))


def _why(assessment: Assessment, framework: Framework, rating: Rating) -> str:
    """Why this level and not the one below, and on which condition."""
    if rating.level == 0:
        return _why_none(assessment, framework)
    words = messages()["why"]
    reason = _reason(assessment, framework, rating)
    if not _tells_own(assessment):
        reason = f"{reason} {words['yours']}"
    decisive = _decisive(assessment, framework, rating)
    if rating.level == 1 and assessment.flags and _sought(framework) and (decisive is None or decisive.confidence < _LIKELY):
        reason = f"{reason} {words['conduct_alone']}"
    return reason


def _reason(assessment: Assessment, framework: Framework, rating: Rating) -> str:
    """The words that show a behaviour of the level, or of a higher one where there are none."""
    words, level = messages()["why"], rating.level
    decisive = _decisive(assessment, framework, rating)
    if decisive is not None and decisive.confidence >= _LIKELY:
        return str(words["beyond" if level > 1 else "first"]).format(below=level - 1, **_told(decisive, framework))
    higher = _strongest(f for f in assessment.evidence if _of_level(f, framework) > level)
    if decisive is not None and (higher is None or decisive.confidence >= higher.confidence):
        return str(words["weak"]).format(level=level, **_told(decisive, framework))
    if higher is not None:
        return str(words["above"]).format(level=level, **_told(higher, framework))
    return str(words["whole" if _sought(framework) else "not_sought"]).format(level=level)


def _why_none(assessment: Assessment, framework: Framework) -> str:
    """The guide's reason for a 0, the one that the words bear out best."""
    words = messages()["why"]
    client = "" if assessment.client is None else assessment.client.value
    own = _named(assessment, "not_a_client")
    might = _strongest(f for f in assessment.evidence if _of_level(f, framework) > 0)
    flag = _strongest(assessment.flags)
    habits = _of_key(assessment.shared, "habit")
    if not _sought(framework):
        return str(words["not_sought"]).format(level=0)
    if client == "not_a_client" and own:
        return str(words["team"]).format(words=_quoted(own))
    if client == "none" and _names_only_own_team(assessment):
        return str(words["team_only"]).format(words=_quoted(own))
    if might is not None:
        return str(words["might" if flag is None else "might_flagged"]).format(flag="" if flag is None else _cut(_plain(flag)), **_told(might, framework))
    if flag is not None:
        return str(words["conduct"]).format(quote=_cut(_plain(flag)))
    if habits:
        return str(words["habit"]).format(quote=_short(habits[0]))
    return str(words["client" if client == "none" else "nothing"])


def _sureness(rating: Rating, yours: bool) -> tuple[str, ...]:
    """The odds; where another level is likelier, that; where one is nearly as likely, that. `yours`: an act is told as the writer's."""
    words = messages()["sureness"]
    shares = ", ".join(f"{value}: {p:.0%}" for value, p in enumerate(rating.probabilities))
    own = rating.probabilities[rating.level]
    likeliest = max(range(len(rating.probabilities)), key=lambda value: rating.probabilities[value])
    lines = [words["sure" if yours or not rating.level else "sure_if"].format(level=rating.level, shares=shares)]
    if not rating.sure:
        lines = [words["any" if rating.open else "unsure"].format(levels=listed(rating.level_set), shares=shares)]
        if len(rating.level_set) > 2:
            lines.append(words["many"])
    if rating.probabilities[likeliest] > own:
        lines.append(words["likelier"].format(likeliest=likeliest, level=rating.level, share=f"{rating.probabilities[likeliest]:.0%}"))
    least = min(rating.probabilities[v] for v in rating.level_set)
    apart = [v for v, p in enumerate(rating.probabilities) if v not in rating.level_set and p > least]
    if apart:
        lines.append(words["apart"].format(levels=listed(apart)))
    close = [v for v in rating.level_set if v != rating.level and own - _CLOSE < rating.probabilities[v] <= own]
    if close:
        lines.append(words["close"].format(levels=listed(close)))
    return tuple(lines)


def _unsure(assessment: Assessment, framework: Framework) -> Section | None:
    """What in the words may make the answer unsure; only where it is."""
    rating = assessment.ratings[framework.main_scale]
    if rating.sure:
        return None
    lines = list(_causes(assessment, framework, rating)) if _sought(framework) else [messages()["unsure"]["not_sought"]]
    return Section("unsure", _say("unsure"), tuple(lines or [messages()["unsure"]["whole"]]))


def _causes(assessment: Assessment, framework: Framework, rating: Rating) -> Iterable[str]:
    words, level = messages()["unsure"], rating.level
    above = _strongest(f for f in assessment.evidence if _of_level(f, framework) > level)
    decisive = _decisive(assessment, framework, rating)
    if above is not None:
        yield words["above" if level else "zero"].format(**_told_short(above, framework))
    elif not assessment.evidence and level:
        yield words["nothing"]
    elif decisive is None and level:
        yield words["below"]
    if decisive is not None and decisive.confidence < _LIKELY:
        yield words["weak"].format(level=level, **_told_short(decisive, framework))
    if level and not _tells_own(assessment):
        yield words["not_yours"].format(quote=_short(assessment.shared[0])) if assessment.shared else words["none_yours"]
    flag = _strongest(assessment.flags)
    if flag is not None:
        yield words["flag"].format(quote=_cut(_plain(flag)))
    if assessment.client is not None and not _clear(assessment.client):
        yield words["client"].format(clients=_odds(assessment.client))


def _degrees(assessment: Assessment, framework: Framework) -> Section | None:
    lines = [_degree(s, assessment) for s in framework.scales if s.key != framework.main_scale and s.key in assessment.ratings]
    for name in framework_names():
        other = load_framework(name)
        scale = other.scale(other.main_scale)
        if name != framework.key and scale.key in assessment.ratings:
            level = assessment.ratings[scale.key].level
            notion = _lower(scale.level(level).notion)
            lines.append(_say("other", name=other.name, organization=other.organization, level=level, last=scale.values[-1], notion=notion))
    return Section("degrees", _say("degrees"), tuple(lines)) if lines else None


def _degree(scale: Scale, assessment: Assessment) -> str:
    """A degree; the source describes only the two ends of the scale, so nothing is said between them."""
    level = assessment.ratings[scale.key].level
    pole = {1: scale.lower, scale.values[-1]: scale.higher}.get(level, "")
    return _say("degree_pole" if pole else "degree", name=scale.name, level=level, last=scale.values[-1], pole=pole)


# What the words show ------------------------------------------------------------------------------------------------


def _evidence(assessment: Assessment, framework: Framework) -> Section:
    if not _sought(framework):
        return Section("evidence", _say("evidence_not_sought"), ())
    # The model's behaviours and anti-patterns are the CRA's; a framework of one's own may lack some, or name them otherwise.
    lines = tuple(_say("evidence_line", **_told(f, framework)) for f in assessment.evidence if f.key in {b.key for b in framework.behaviours})
    return Section("evidence", _say("evidence" if lines else "evidence_none"), lines)


def _flags(assessment: Assessment, framework: Framework) -> Section:
    lines: list[str] = []
    told: set[str] = set()
    for finding in _paired(assessment.flags, framework):
        pair = framework.anti_pattern(finding.key)
        lines.append(_say("flag", quote=_plain(finding), does_not_mean=pair.does_not_mean, share=f"{finding.confidence:.0%}"))
        if finding.key not in told:
            lines.append(_say("flag_means", name=framework.name, means=pair.means))
        told.add(finding.key)
    return Section("flags", _say("flags" if lines else "flags_none"), tuple(lines))


def _means(assessment: Assessment, framework: Framework) -> Section | None:
    lines = tuple(_say("means_line", quote=_plain(f), means=framework.anti_pattern(f.key).means) for f in _paired(assessment.means, framework))
    return Section("means", _say("means"), lines) if lines else None


def _next(assessment: Assessment, framework: Framework) -> Section | None:
    """Questions on the behaviours of the next level that no words show."""
    lines = tuple(question.text for question in questions(assessment, framework))
    if not lines:
        return None
    scale = framework.scale(framework.main_scale)
    level = assessment.ratings[scale.key].level + 1
    if not _sought(framework):
        lines = (_say("next_not_sought"), *lines)
    return Section("next", _say("next", level=level, notion=_lower(scale.level(level).notion)), lines)


def _client(assessment: Assessment) -> Section | None:
    client = assessment.client
    if client is None:
        return None
    line = _say("client_line", value=messages()["clients"][client.value], share=f"{client.probabilities[client.value]:.0%}")
    own, named = _named(assessment, "not_a_client"), _named(assessment, client.value)
    lines = [_say("client_words", line=line, words=_quoted(named)) if named else line]
    key = client_note(assessment)
    if key is not None:
        message = "teamwork" if client.value == "not_a_client" else "own_team" if perhaps_own_team(assessment) else "unsure_client"
        lines.append(_say(message, words=_quoted(own), note=dict(load_framework("cra").client_notes)[key]))
    return Section("client", _say("client", value=client.value.replace("_", " ")), tuple(lines))


def _habit(assessment: Assessment) -> Section | None:
    lines = _some(_of_key(assessment.shared, "habit"))
    return Section("habit", _say("habit"), (*lines, _say("which"))) if lines else None


def _shared(assessment: Assessment, framework: Framework) -> Section | None:
    """What it costs is said only where no act is the writer's: otherwise the guide rates the acts that are."""
    lines = _some([note for note in assessment.shared if note.key != "habit"])
    level, own = assessment.ratings[framework.main_scale].level, _tells_own(assessment)
    if not lines and (own or not level):
        return None
    closing = "who" if own else "cost" if level else "cost_none"
    return Section("shared", _say("shared"), (*lines, _say(closing)))


def _story(assessment: Assessment) -> Section:
    told = {note.key: note for note in assessment.story}
    asked, names = messages()["story_questions"], messages()["page"]["parts"]
    lines = [
        _say("told", part=names[part], quote=_short(told[part])) if part in told else _say("not_told", part=names[part], question=asked[part]) for part in STORY
    ]
    if assessment.values:
        spoken = _say("listed").join(_say("value", name=note.key, quote=note.quote) for note in assessment.values)
        lines.append(_say("values", values=spoken))
    return Section("story", _say("story"), tuple(lines))


# Of the assessment --------------------------------------------------------------------------------------------------


def _sought(framework: Framework) -> bool:
    """Whether words are looked for under this framework, as they are where it has anti-patterns."""
    return bool(framework.anti_patterns)


def _paired(findings: Iterable[Finding], framework: Framework) -> list[Finding]:
    """The findings whose key is one of the framework's anti-patterns."""
    return [finding for finding in findings if finding.key in {pair.key for pair in framework.anti_patterns}]


def _tells_own(assessment: Assessment) -> bool:
    """Whether some act is told as the writer's: by a quote, or by notes without a subject, which nobody else's act is. In the present
    it may be a habit; it counts where nothing else is told as one.
    """
    quotes = [found.quote for found in (*assessment.evidence, *assessment.flags, *assessment.means)]
    actions = _of_key(assessment.story, "action")
    alone = any(not any(s.start < a.end and a.start < s.end for s in assessment.shared) for a in actions)
    return alone or any(map(tells_act, quotes)) or (not _of_key(assessment.shared, "habit") and any(map(tells_act_now, quotes)))


def client_note(assessment: Assessment) -> str | None:
    """Which of the source's notes speaks of who was served here (`Framework.client_notes`): "own-team", "manager", "unsure" or none."""
    client = assessment.client
    if client is None:
        return None
    if client.value == "not_a_client" or perhaps_own_team(assessment):
        # The note on the team is for those who manage one; the one on the manager speaks of team members, too.
        team = set(messages()["page"]["team_words"])
        named = {note.quote.lower() for note in assessment.client_words if note.key == "not_a_client"}
        return "own-team" if named and named <= team else "manager"
    return "unsure" if client.value == "none" or client.probabilities[client.value] < _LIKELY else None


def perhaps_own_team(assessment: Assessment) -> bool:
    """Whether only the writer's manager or team are named, and it is not clear that somebody from outside was served."""
    client = assessment.client
    return client is not None and not (client.value == "external" and _clear(client)) and _names_only_own_team(assessment)


def _names_only_own_team(assessment: Assessment) -> bool:
    return {note.key for note in assessment.client_words} == {"not_a_client"}


def _named(assessment: Assessment, value: str) -> list[str]:
    """The words that name people of this kind, each once, whether of one or of many."""
    quotes: dict[str, str] = {}
    for note in assessment.client_words:
        if note.key == value:
            quotes.setdefault(note.quote.lower().rstrip("s"), note.quote)
    return list(quotes.values())[:3]


def _clear(client: Client) -> bool:
    return client.probabilities[client.value] >= _CLEAR


def _odds(client: Client) -> str:
    likely = sorted(client.probabilities.items(), key=lambda item: -item[1])[:2]
    shown = (messages()["unsure"]["client_share"].format(value=messages()["clients"][value], share=f"{p:.0%}") for value, p in likely)
    return _say("listed").join(shown)


def _strongest(findings: Iterable[Finding]) -> Finding | None:
    return max(findings, key=lambda finding: finding.confidence, default=None)


def _decisive(assessment: Assessment, framework: Framework, rating: Rating) -> Finding | None:
    """The surest words for a behaviour of the suggested level."""
    return _strongest(f for f in assessment.evidence if _of_level(f, framework) == rating.level)


def _of_level(finding: Finding, framework: Framework) -> int:
    """The level of the finding's behaviour; below all levels where it is another framework's."""
    return next((behaviour.level for behaviour in framework.behaviours if behaviour.key == finding.key), -1)


def _of_key(notes: Iterable[Note], key: str) -> list[Note]:
    return [note for note in notes if note.key == key]


# Words --------------------------------------------------------------------------------------------------------------


def _say(message: str, **parts: object) -> str:
    return str(messages()["explain"][message]).format(**parts)


def _told(finding: Finding, framework: Framework) -> dict[str, object]:
    """What the messages say of a finding."""
    behaviour = framework.behaviour(finding.key)
    return {"quote": _plain(finding), "key": finding.key, "short": behaviour.short, "found": behaviour.level, "share": f"{finding.confidence:.0%}"}


def _told_short(finding: Finding, framework: Framework) -> dict[str, object]:
    told = _told(finding, framework)
    return told | {"quote": _cut(str(told["quote"]))}


def _some(notes: Sequence[Note]) -> list[str]:
    """The first few quotes, and how many more there are."""
    lines = [f"“{_short(note)}”" for note in notes[:_SHOWN]]
    return [*lines, _say("more", count=len(notes) - _SHOWN)] if len(notes) > _SHOWN else lines


def listed(values: Iterable[int]) -> str:
    """
    >>> listed((1, 2, 3))
    '1, 2 or 3'
    """
    *others, last = map(str, values)
    return _say("or").join([_say("listed").join(others), last] if others else [last])


def _quoted(quotes: Iterable[str]) -> str:
    return _say("listed").join(f"“{quote}”" for quote in quotes)


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _plain(finding: Finding) -> str:
    """The words of a finding in one line, without the heading that they begin with."""
    return " ".join(headless(finding.quote).split())


def _short(note: Note) -> str:
    return _cut(" ".join(note.quote.split()))


def _cut(quote: str, most: int = 90) -> str:
    return quote if len(quote) <= most else quote[:most].rsplit(" ", 1)[0] + " …"
