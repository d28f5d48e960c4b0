"""The assessor's desk: rating before the suggestion, adjudication, and an audit trail. A suggestion never decides."""
