"""An assessment in plain words, from the Assessment and the Framework alone."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from classifier.assessment import Assessment, Finding, Rating
from classifier.framework import DATA, Framework, Scale, load_framework


@cache
def messages() -> dict[str, Any]:
    """The catalogue of English messages."""
    return tomllib.loads((DATA / "en.toml").read_text("utf-8"))


def explain(assessment: Assessment, framework: str = "cra") -> str:
    """The readable answer: level, how sure, client, degrees, other frameworks, evidence, flags and what is not shown."""
    if not assessment.ok:
        return f"Not assessed ({assessment.status}).\n\n{messages()['notice']['text']}"
    main = load_framework(framework)
    parts = [_headline(assessment, main), _others(assessment, main), _client(assessment)]
    if main.anti_patterns:
        parts += [_evidence(assessment, main), _flags(assessment, main), _not_shown(assessment, main)]
    parts.append(messages()["notice"]["text"])
    return "\n\n".join(part for part in parts if part)


def _headline(assessment: Assessment, framework: Framework) -> str:
    scale = framework.scale(framework.main_scale)
    if scale.key not in assessment.ratings:
        return f"{framework.name}: the model was not trained for this framework."
    rating = assessment.ratings[scale.key]
    level = scale.level(rating.level)
    return "\n".join(
        [
            f"{framework.name} ({framework.organization})",
            f"Level {rating.level} of {scale.values[-1]}: {level.notion}",
            f"How sure: {_sureness(rating)}",
        ]
    )


def _sureness(rating: Rating) -> str:
    shares = ", ".join(f"{value}: {p:.0%}" for value, p in enumerate(rating.probabilities))
    if rating.sure:
        return f"sure ({shares})"
    plausible = " or ".join(map(str, rating.level_set))
    return f"not sure, plausible are {plausible} ({shares})"


def _others(assessment: Assessment, framework: Framework) -> str:
    lines = []
    for scale in framework.scales:
        if scale.key != framework.main_scale and scale.key in assessment.ratings:
            lines.append(f"{scale.name}: {assessment.ratings[scale.key].level} of {scale.values[-1]}{_pole(scale, assessment)}")
    for name in ("cra", "pspc"):
        other = load_framework(name)
        scale = other.scale(other.main_scale)
        if name != framework.key and scale.key in assessment.ratings:
            rating = assessment.ratings[scale.key]
            lines.append(f"{other.organization}, {other.name}: {rating.level} of {scale.values[-1]} ({scale.level(rating.level).notion})")
    return "\n".join(lines)


def _pole(scale: Scale, assessment: Assessment) -> str:
    value = assessment.ratings[scale.key].level
    pole = scale.lower if 0 < value <= 2 else scale.higher if value > 2 else ""
    return f" ({pole})" if pole else ""


def _client(assessment: Assessment) -> str:
    if assessment.client is None:
        return ""
    value = assessment.client.value
    return f"Client: {value.replace('_', ' ')} ({messages()['clients'][value]}), {assessment.client.probabilities[value]:.0%}"


def _evidence(assessment: Assessment, framework: Framework) -> str:
    if not assessment.evidence:
        return "Evidence: none found."
    lines = ["Evidence:"]
    for finding in assessment.evidence:
        lines.append(f"  {_quoted(finding)}\n      {finding.key} {framework.behaviour(finding.key).short}")
    return "\n".join(lines)


def _flags(assessment: Assessment, framework: Framework) -> str:
    if not assessment.flags:
        return "What reads badly: nothing found."
    lines = ["What reads badly:"]
    for finding in assessment.flags:
        pair = framework.anti_pattern(finding.key)
        lines.append(f"  {_quoted(finding)}\n      {framework.name} does not mean: {pair.does_not_mean}\n      It means: {pair.means}")
    return "\n".join(lines)


def _not_shown(assessment: Assessment, framework: Framework) -> str:
    """Behaviours of the next level that no words show."""
    rating = assessment.ratings[framework.main_scale]
    scale = framework.scale(framework.main_scale)
    if rating.level == scale.values[-1]:
        return ""
    shown = {finding.key for finding in assessment.evidence}
    missing = [b for b in scale.level(rating.level + 1).behaviours if b.key not in shown]
    if not missing:
        return ""
    return "\n".join([f"What the text does not show (level {rating.level + 1}):", *(f"  {b.key} {b.text}" for b in missing)])


def _quoted(finding: Finding) -> str:
    return f"“{finding.quote}” ({finding.confidence:.0%})"
