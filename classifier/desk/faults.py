"""What the desk refuses or cannot do, each with one sentence for the user."""

from __future__ import annotations

from classifier.errors import InputError


class OutOfOrderError(InputError):
    """A step that the rules of the desk do not allow now, such as a suggestion before the rating."""


class StorageError(InputError):
    """The desk's files cannot be written or read; what was acknowledged before is kept."""


class AlteredError(InputError):
    """The audit trail is not what the desk wrote."""


class MissingError(InputError):
    """What was asked for is not there."""
