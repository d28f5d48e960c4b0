"""The columns that `score` adds to a table: a contract with those who read the tables."""

from __future__ import annotations

# The added columns in their order, with the type of their values; a row that is not scored has a status and a model only.
TYPES: dict[str, type] = {
    "status": str, "level": int, "level_p0": float, "level_p1": float, "level_p2": float, "level_p3": float, "level_p4": float, "level_set": str,
    "client": str, "involvement": int, "commitment": int, "pspc_level": int, "flags": str, "evidence": str, "model": str,
}  # fmt: skip
COLUMNS = tuple(TYPES)
