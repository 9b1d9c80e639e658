"""The tables of a job's plan: what is to be issued, and how far each order has come.

What must never be written is refused by the file itself, whoever writes. There is no column for a
claim code, and none for a text of Amazon's: an error is kept by its class and its documented name.

`total` is filled when the plan is complete, and from then on kept by a trigger in the transaction
of the row that moves: so a claim can be held against the spend cap, and a job of millions of orders
can be summed up, without reading them.
"""

from typing import Final

from agcod_async.journal.sqlite_form import Form

APPLICATION_ID: Final = 0x41474A42
"""Marks the file as ours ("AGJB")."""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        # Amounts everywhere in this file are whole ten-thousandths of the currency's unit.
        """
        CREATE TABLE job (
            one             INTEGER PRIMARY KEY CHECK (one = 1),
            name            TEXT    NOT NULL,
            partner_id      TEXT    NOT NULL,
            host            TEXT    NOT NULL,
            source_digest   TEXT,
            created_at      REAL    NOT NULL,
            planned_at      REAL,
            spend_cap       INTEGER CHECK (spend_cap >= 0),
            spend_currency  TEXT    CHECK ((spend_currency IS NULL) = (spend_cap IS NULL)),
            stopped_at      REAL,
            stopped_by      TEXT,
            stopped_code    TEXT,
            stopped_type    TEXT
        )
        """,
        # `number` is the line of a file, or the place in whatever else the orders came from.
        """
        CREATE TABLE orders (
            number              INTEGER PRIMARY KEY,
            request_id          TEXT    NOT NULL UNIQUE,
            business_key        TEXT    UNIQUE,
            amount              INTEGER NOT NULL,
            currency            TEXT    NOT NULL,
            program_id          TEXT,
            product_type        TEXT,
            external_reference  TEXT,
            transaction_source  TEXT,
            state               TEXT    NOT NULL DEFAULT 'planned',
            live_request_id     TEXT,
            gc_id               TEXT,
            error_code          TEXT,
            error_type          TEXT,
            not_before          REAL,
            next_safe_action    TEXT,
            updated_at          REAL,
            CONSTRAINT state_is_known CHECK (state IN
                ('planned', 'under_way', 'issued', 'delivered', 'declined', 'reversed', 'in_doubt'))
        )
        """,
        "CREATE INDEX orders_by_state ON orders (state, number)",
        """
        CREATE TABLE refused (
            line        INTEGER PRIMARY KEY,
            last_line   INTEGER NOT NULL,
            field       TEXT    NOT NULL,
            rule        TEXT    NOT NULL,
            first_line  INTEGER
        )
        """,
        """
        CREATE TABLE total (
            state     TEXT    NOT NULL,
            currency  TEXT    NOT NULL,
            orders    INTEGER NOT NULL CHECK (orders >= 0),
            amount    INTEGER NOT NULL,
            PRIMARY KEY (state, currency)
        ) WITHOUT ROWID
        """,
        """
        CREATE TRIGGER a_plan_is_made_once BEFORE INSERT ON orders
            WHEN NEW.state <> 'planned' OR (SELECT planned_at FROM job) IS NOT NULL
            BEGIN SELECT RAISE(ABORT, 'the plan is complete'); END
        """,
        """
        CREATE TRIGGER a_plan_is_kept BEFORE DELETE ON orders
            WHEN (SELECT planned_at FROM job) IS NOT NULL
            BEGIN SELECT RAISE(ABORT, 'an order of a complete plan is never removed'); END
        """,
        """
        CREATE TRIGGER nothing_moves_before_the_plan_is_complete BEFORE UPDATE OF state ON orders
            WHEN (SELECT planned_at FROM job) IS NULL
            BEGIN SELECT RAISE(ABORT, 'the plan is not complete'); END
        """,
        """
        CREATE TRIGGER an_order_stays_the_same BEFORE UPDATE ON orders
            WHEN (NEW.number, NEW.request_id, NEW.business_key, NEW.amount, NEW.currency,
                  NEW.program_id, NEW.product_type, NEW.external_reference, NEW.transaction_source)
                IS NOT
                 (OLD.number, OLD.request_id, OLD.business_key, OLD.amount, OLD.currency,
                  OLD.program_id, OLD.product_type, OLD.external_reference, OLD.transaction_source)
            BEGIN SELECT RAISE(ABORT, 'what was ordered never changes'); END
        """,
        """
        CREATE TRIGGER states_follow_one_another BEFORE UPDATE OF state ON orders
            WHEN NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (VALUES
                ('planned', 'under_way'),
                ('under_way', 'planned'),
                ('under_way', 'issued'),
                ('under_way', 'declined'),
                ('under_way', 'reversed'),
                ('under_way', 'in_doubt'),
                ('in_doubt', 'planned'),
                ('in_doubt', 'issued'),
                ('in_doubt', 'declined'),
                ('in_doubt', 'reversed'),
                ('issued', 'delivered'),
                ('issued', 'reversed'))
            BEGIN SELECT RAISE(ABORT, 'an order does not go that way'); END
        """,
        """
        CREATE TRIGGER an_account_stays_the_same BEFORE UPDATE ON job
            WHEN (NEW.name, NEW.partner_id, NEW.host, NEW.source_digest)
                IS NOT (OLD.name, OLD.partner_id, OLD.host, OLD.source_digest)
            BEGIN SELECT RAISE(ABORT, 'a job is of one account and one source'); END
        """,
        """
        CREATE TRIGGER a_planned_job_is_kept BEFORE DELETE ON job
            WHEN OLD.planned_at IS NOT NULL
            BEGIN SELECT RAISE(ABORT, 'a job with a complete plan is never removed'); END
        """,
        """
        CREATE TRIGGER a_plan_stays_complete BEFORE UPDATE OF planned_at ON job
            WHEN OLD.planned_at IS NOT NULL
            BEGIN SELECT RAISE(ABORT, 'the plan is complete'); END
        """,
        """
        CREATE TRIGGER count_the_moved AFTER UPDATE OF state ON orders
            WHEN NEW.state <> OLD.state
            BEGIN
                UPDATE total SET orders = orders - 1, amount = amount - OLD.amount
                WHERE state = OLD.state AND currency = OLD.currency;
                INSERT INTO total VALUES (NEW.state, NEW.currency, 1, NEW.amount)
                ON CONFLICT DO UPDATE
                    SET orders = orders + 1, amount = amount + excluded.amount;
            END
        """,
    ),
)


def form() -> Form:
    """Return the form of a job's plan."""
    return Form("plan", APPLICATION_ID, STEPS)
