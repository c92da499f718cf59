# SPDX-License-Identifier: Apache-2.0
"""A table of LanceDB. Nothing else in this project knows LanceDB."""

import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trireel_app.errors import LibraryError

T = TypeVar("T")
ATTEMPTS = 8  # of a write that meets another process's
FIRST_PAUSE_SECONDS = 0.05
PROBED_PARTITIONS = 32
REFINED = 10  # candidates that are compared once more by their whole vectors, times k
LEAST_REFINED = 500  # of these, for a small k: measured by benchmarks/search
EVERY_ROW = 10**9
SEPARATOR = "qzxjtextqzxj"  # a word that no text holds


def connect(root: str) -> Any:
    """Return the database in a folder or under an `s3://` prefix."""
    # It warns on stderr of what it does by itself. It reads this when it is imported.
    os.environ.setdefault("LANCE_LOG", "error")
    import lancedb

    options: dict[str, str] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if root.startswith("s3://") and endpoint:
        options = {"endpoint": endpoint, "allow_http": str(endpoint.startswith("http:")).lower()}
    # Each read sees what other processes have written.
    every_read = timedelta(0)
    return lancedb.connect(root, read_consistency_interval=every_read, storage_options=options)


class LanceTable:
    """A table. All methods raise LibraryError if it cannot be read or written."""

    def __init__(self, root: str, name: str, schema: Any) -> None:
        """Open a table, and make it if it is not there."""
        self._indexed: set[str] = set()
        self._place = f"{root.rstrip('/')}/{name}"
        database = self._read(connect, root)
        try:
            self._table = database.create_table(name, schema=schema, exist_ok=True)
        except Exception:  # another process makes it at this moment
            self._table = self._read(database.open_table, name)
        self._add_columns(schema)
        if self._table.schema != schema:
            raise LibraryError(
                f"the table {self._place} has other columns than this Trireel writes: remove the"
                " folder `index` of the library, and run `trireel library repair`"
            )

    def add(self, rows: Any) -> None:
        """Add the rows of an Arrow table, all at once."""
        self._write(self._table.add, rows)

    def delete(self, where: str) -> None:
        """Delete rows, all at once; nothing is written if there are none."""
        if self.count(where):
            self._write(self._table.delete, where)

    def count(self, where: str | None = None) -> int:
        """Return the number of rows."""
        return int(self._read(self._table.count_rows, where))

    def rows(self, where: str = "", columns: Sequence[str] = (), limit: int = EVERY_ROW) -> Any:
        """Return rows as an Arrow table, in any order.

        Args:
            where: condition in SQL; empty for all rows.
            columns: names of the columns; empty for all.
        """
        found = self._table.search().limit(limit)
        found = found.where(where) if where else found
        return self._read((found.select(list(columns)) if columns else found).to_arrow)

    def nearest(
        self,
        column: str,
        query: NDArray[np.float32],
        where: str,
        k: int,
        columns: Sequence[str],
        *,
        by_index: bool = True,
    ) -> Any:
        """Return columns of the `k` rows of highest cosine as an Arrow table, best first.

        Args:
            by_index: False to compare all rows that meet the condition.
        """
        found = self._table.search(query, vector_column_name=column).distance_type("cosine")
        if not by_index:
            found = found.bypass_vector_index()
        elif self.is_indexed(column):
            found = found.nprobes(PROBED_PARTITIONS)
            found = found.refine_factor(max(REFINED, -(-LEAST_REFINED // k)))
        found = found.where(where, prefilter=True) if where else found
        # Stated, because a later LanceDB leaves the distance out otherwise, and warns of it.
        return self._read(found.limit(k).select([*columns, "_distance"]).to_arrow)

    def with_words(self, column: str, text: str, where: str, k: int) -> Any:
        """Return the `k` rows whose words fit a text best as an Arrow table, best first."""
        found = self._table.search(text, query_type="fts", fts_columns=column)
        found = found.where(where, prefilter=True) if where else found
        columns = [*self._table.schema.names, "_score"]
        return self._read(found.limit(k).select(columns).to_arrow)

    def words_of(self, column: str, texts: Sequence[str]) -> list[frozenset[str]]:
        """Return the words of each of one or more texts as an indexed column compares them."""
        # One call for all of them: each reads the index's settings.
        joined = "".join(f" {SEPARATOR} {text}" for text in texts)
        tokens = [token.text for token in self._read(self._table.tokenize, joined, column=column)]
        ends = [index for index, token in enumerate(tokens) if token == tokens[0]]
        spans = zip(ends, [*ends[1:], len(tokens)], strict=True)
        return [frozenset(tokens[begin + 1 : end]) for begin, end in spans]

    def is_indexed(self, column: str) -> bool:
        """Return whether a column has an index; it is looked up until there is one."""
        if column not in self._indexed and self.index_names(column):
            self._indexed.add(column)
        return column in self._indexed

    def index_names(self, column: str) -> list[str]:
        """Return the names of the indexes of a column."""
        indexes = self._read(self._table.list_indices)
        return [index.name for index in indexes if column in index.columns]

    def index(self, column: str, config: Any, name: str | None = None) -> None:
        """Index a column; without effect if another process changes the table meanwhile."""
        self._maintain(self._table.create_index, column, config=config, name=name)

    def drop_index(self, name: str) -> None:
        """Drop an index; without effect if another process changes the table meanwhile."""
        self._maintain(self._table.drop_index, name)

    def optimise(self, kept: timedelta) -> None:
        """Merge small files, bring indexes up to date, and remove versions older than `kept`.

        Without effect if another process changes the table meanwhile.
        """
        # LanceDB warns of an age of 0.
        kept = max(kept, timedelta(milliseconds=1))
        self._maintain(self._table.optimize, cleanup_older_than=kept)

    def _add_columns(self, schema: Any) -> None:
        """Add the columns that an older Trireel did not write; its rows have nulls there."""
        older = self._table.schema
        # Tables of another width, or of a newer Trireel, are left as they are.
        if older == schema or list(older) != list(schema)[: len(older)]:
            return
        with suppress(Exception):  # another process may add them at this moment
            self._table.add_columns(list(schema)[len(older) :])
        self._read(self._table.checkout_latest)

    def _read(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        try:
            return call(*arguments, **named)
        except Exception as error:  # LanceDB has no tree of errors
            raise LibraryError(f"{self._place} cannot be read: {_brief(error)}") from error

    def _write(self, call: Callable[..., object], *arguments: Any) -> None:
        for attempt in range(ATTEMPTS):
            try:
                call(*arguments)
                return
            except Exception as error:  # as above
                if attempt == ATTEMPTS - 1 or not _is_conflict(error):
                    reason = f"{self._place} cannot be written: {_brief(error)}"
                    raise LibraryError(reason) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * (0.5 + random.random()))

    def _maintain(self, call: Callable[..., object], *arguments: Any, **named: Any) -> None:
        try:
            call(*arguments, **named)
        except Exception as error:  # as above
            if not _is_conflict(error):
                reason = f"{self._place} cannot be written: {_brief(error)}"
                raise LibraryError(reason) from error


def _is_conflict(error: Exception) -> bool:
    return "conflict" in str(error).lower()


def _brief(error: Exception) -> str:
    """Return the first line of an error, without the places in LanceDB's source behind it."""
    return str(error).partition("\n")[0].partition(", /")[0].strip()
