"""Which level of Service Excellence does a written behavioural example show, and on which words?"""

from classifier.assessment import Assessment, Finding, Rating
from classifier.assessor import Assessor, load_assessor
from classifier.batch import score_frame
from classifier.errors import InputError
from classifier.explain import explain
from classifier.framework import load_framework

__version__ = "0.1.0"
__all__ = ["Assessment", "Assessor", "Finding", "InputError", "Rating", "explain", "load_assessor", "load_framework", "score_frame"]
