"""Runs a query in DuckDB: how many threads, and the query, which answers (customer, dimension, sum).

Prints one JSON document: `seconds` (of the query alone), and the `groups` and the `total` that it came to.
"""

import json
import sys
import time

import duckdb

threads, query = int(sys.argv[1]), sys.argv[2]
connection = duckdb.connect()
connection.execute(f"SET threads TO {threads}")
begun = time.monotonic()
rows = connection.execute(query).fetchall()
seconds = time.monotonic() - begun
print(json.dumps({"seconds": seconds, "groups": len(rows), "total": int(sum(row[2] for row in rows))}))
