"""The table of a SQLite journal, and how a file of an older version becomes one of the newest.

What must never be written is refused by the file itself, whoever writes: the constraints and
triggers below hold for this package, for its next version and for somebody with a SQL prompt.
There is no column for a claim code, and none that one could get into by mistake.

The table `account` names the one account and endpoint whose calls are kept here.
"""

from typing import Final

from agcod_async.journal.sqlite_form import Form

APPLICATION_ID: Final = 0x41474A4C
"""Marks the file as ours ("AGJL")."""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        # `number` is the order of opening: a wall clock may be set back, a number may not.
        """
        CREATE TABLE entry (
            number         INTEGER PRIMARY KEY,
            operation      TEXT    NOT NULL,
            request_id     TEXT    NOT NULL,
            partner_id     TEXT    NOT NULL,
            amount         TEXT    NOT NULL,
            body           BLOB    NOT NULL,
            created_at     REAL    NOT NULL,
            live_id        TEXT    NOT NULL,
            leg            TEXT    NOT NULL,
            epoch          INTEGER NOT NULL,
            doubtful       INTEGER NOT NULL,
            undone         INTEGER NOT NULL,
            tainted        INTEGER NOT NULL,
            confirmed      INTEGER NOT NULL,
            sends          INTEGER NOT NULL,
            first_sent_at  REAL,
            last_sent_at   REAL,
            effects_until  REAL,
            gc_id          TEXT,
            error_code     TEXT,
            error_type     TEXT,
            verdict        TEXT    NOT NULL,
            updated_at     REAL    NOT NULL,
            version        INTEGER NOT NULL,
            CONSTRAINT one_entry_for_each_call UNIQUE (operation, request_id),
            CONSTRAINT leg_is_known CHECK (leg IN ('forward', 'undo', 'lookup')),
            CONSTRAINT verdict_is_known
                CHECK (verdict IN ('', 'Issued', 'Declined', 'Unavailable', 'Reversed')),
            CONSTRAINT confirmed_is_never_undone CHECK (NOT (confirmed AND leg = 'undo')),
            CONSTRAINT issued_is_confirmed CHECK (verdict <> 'Issued' OR confirmed)
        )
        """,
        "CREATE INDEX open_entries ON entry (number) WHERE verdict = ''",
        """
        CREATE TRIGGER version_goes_up_by_one BEFORE UPDATE ON entry
            WHEN NEW.version <> OLD.version + 1
            BEGIN SELECT RAISE(ABORT, 'a transition raises the version by one'); END
        """,
        """
        CREATE TRIGGER confirmed_stays BEFORE UPDATE ON entry
            WHEN OLD.confirmed AND NOT NEW.confirmed
            BEGIN SELECT RAISE(ABORT, 'what was confirmed stays confirmed'); END
        """,
        """
        CREATE TRIGGER successors_only_follow BEFORE UPDATE ON entry
            WHEN NEW.epoch < OLD.epoch
            BEGIN SELECT RAISE(ABORT, 'no ID is used again after its successor'); END
        """,
        """
        CREATE TRIGGER an_order_stays_the_same BEFORE UPDATE ON entry
            WHEN (NEW.operation, NEW.request_id, NEW.partner_id, NEW.amount, NEW.body)
                IS NOT (OLD.operation, OLD.request_id, OLD.partner_id, OLD.amount, OLD.body)
            BEGIN SELECT RAISE(ABORT, 'what was ordered never changes'); END
        """,
        """
        CREATE TRIGGER open_entries_stay BEFORE DELETE ON entry
            WHEN OLD.verdict = ''
            BEGIN SELECT RAISE(ABORT, 'an open entry is never removed'); END
        """,
    ),
    (
        "ALTER TABLE entry ADD COLUMN last_undo_at REAL",
        """
        ALTER TABLE entry ADD COLUMN audited_at REAL
            CONSTRAINT what_is_audited_is_confirmed CHECK (audited_at IS NULL OR confirmed)
        """,
        # What shows in an older file that the order may have sent an undo. Its time is not on
        # record, but it is not after what was sent last.
        """
        UPDATE entry SET last_undo_at = coalesce(last_sent_at, updated_at), version = version + 1
            WHERE undone OR tainted OR epoch > 0 OR leg = 'undo'
        """,
        """
        CREATE INDEX unaudited_entries ON entry (number)
            WHERE confirmed AND last_undo_at IS NOT NULL AND audited_at IS NULL
        """,
        """
        CREATE TRIGGER an_undo_is_not_forgotten BEFORE UPDATE ON entry
            WHEN OLD.last_undo_at IS NOT NULL AND NEW.last_undo_at IS NULL
            BEGIN SELECT RAISE(ABORT, 'an undo that was sent is not forgotten'); END
        """,
    ),
    (
        """
        CREATE TABLE account (
            one         INTEGER PRIMARY KEY CHECK (one = 1),
            partner_id  TEXT    NOT NULL,
            host        TEXT    NOT NULL
        )
        """,
        """
        CREATE TRIGGER the_account_stays_the_same BEFORE UPDATE ON account
            BEGIN SELECT RAISE(ABORT, 'a journal is of one account'); END
        """,
        """
        CREATE TRIGGER the_account_stays BEFORE DELETE ON account
            BEGIN SELECT RAISE(ABORT, 'a journal is of one account'); END
        """,
    ),
)
"""Step n, counting from 1, brings a file of version n - 1 to version n."""


def form() -> Form:
    """Return the form of a journal."""
    return Form("journal", APPLICATION_ID, STEPS)
