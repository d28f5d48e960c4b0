"""What an assessor holds after the suggestion: accept it, keep the own rating, or change it with a reason."""

from __future__ import annotations

from dataclasses import replace

from classifier.assessment import Assessment
from classifier.desk.judgement import Judgement
from classifier.errors import InputError

CHOICES = ("accept", "keep", "change")


def concluded(rating: Judgement, suggestion: Assessment, choice: str, changed: Judgement | None, reason: str) -> Judgement:
    """The judgement that a choice stands for; checks that a reason is given where one is needed."""
    suggested = suggestion.ratings.get("level")
    if choice == "keep":
        made = rating
    elif choice == "accept":
        if suggested is None or suggestion.client is None:
            raise InputError("There is no suggested level to accept.")
        made = replace(rating, level=suggested.level, client=suggestion.client.value)
    elif choice == "change" and changed is not None:
        made = changed
    else:
        raise InputError(f"The choice is one of {', '.join(CHOICES)}; a change names what it changes to.")
    if not reason.strip() and (choice == "change" or (suggested is not None and suggested.level != rating.level)):
        raise InputError("Give a reason: your level and the suggested one differ, or you change your rating.")
    return replace(made, reason=reason.strip() or made.reason)
