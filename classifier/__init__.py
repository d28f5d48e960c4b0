"""Which level of Service Excellence does a written behavioural example show, and on which words?"""

from typing import TYPE_CHECKING, Any

from classifier.assessment import Assessment, Finding, Rating
from classifier.assessor import Assessor, load_assessor
from classifier.errors import InputError
from classifier.explain import explain
from classifier.framework import load_framework

if TYPE_CHECKING:
    from classifier.batch import score_frame

__version__ = "0.1.0"
__all__ = ["Assessment", "Assessor", "Finding", "InputError", "Rating", "explain", "load_assessor", "load_framework", "score_frame"]


def __getattr__(name: str) -> Any:
    """`score_frame` is imported when it is asked for: pandas takes longer to import than a text takes to assess."""
    if name == "score_frame":
        from classifier.batch import score_frame

        return score_frame
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
