"""What people say about the numbers, kept: one small store, SQLite by default, PostgreSQL by a URL.

Logs are read and never written; whatever Assay must remember (decisions now; acknowledgements, silences, notes,
labels and saved views fit beside them) lives here. This package knows nothing of metrics: it keeps entries, in order,
and loses none that it acknowledged.
"""

from analytics.store.ledger import Entry, add_decision, decisions
from analytics.store.place import VARIABLE, Place, find_place
from analytics.store.store import Store, open_store

__all__ = ["VARIABLE", "Entry", "Place", "Store", "add_decision", "decisions", "find_place", "open_store"]
