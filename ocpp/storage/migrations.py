"""The schema, as numbered steps. A step that was released never changes; a new one is appended.

Programs go on with a file that a newer one of the same generation has left, since an upgrade may be taken back. So a new
step only adds: tables, indices, and columns with a default, which older programs do not name and therefore leave alone.
One that cannot do with that begins the next generation, at a multiple of `GENERATION`.
"""

GENERATION = 100
"""Versions of the schema in a generation."""

SCHEMA_DIGEST = 3259435331
"""What `database.digest` says of a new file; a test knows the right one."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE messages (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            major INTEGER NOT NULL,
            action TEXT NOT NULL,
            payload BLOB NOT NULL,
            transaction_id TEXT,
            droppable INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            created_unix REAL NOT NULL,
            run TEXT NOT NULL,
            clock_unset INTEGER NOT NULL,
            correction_s REAL NOT NULL DEFAULT 0,
            offline INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX messages_by_transaction ON messages (transaction_id)",
        """CREATE TABLE transactions (
            id TEXT PRIMARY KEY,
            evse_id INTEGER,
            connector_id INTEGER,
            major INTEGER NOT NULL,
            csms_id INTEGER,
            active INTEGER NOT NULL,
            seq_no INTEGER NOT NULL,
            data BLOB NOT NULL,
            started_unix REAL NOT NULL
        )""",
        "CREATE INDEX transactions_active ON transactions (active)",
        "CREATE INDEX transactions_by_csms_id ON transactions (csms_id)",
        """CREATE TABLE transaction_samples (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            transaction_id TEXT NOT NULL,
            data BLOB NOT NULL
        )""",
        "CREATE INDEX samples_by_transaction ON transaction_samples (transaction_id)",
        """CREATE TABLE token_cache (
            token TEXT PRIMARY KEY,
            data BLOB NOT NULL,
            used_unix REAL NOT NULL,
            expires_unix REAL
        )""",
        "CREATE INDEX token_cache_by_use ON token_cache (used_unix)",
        "CREATE TABLE local_list (token TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
        """CREATE TABLE variables (
            component TEXT NOT NULL,
            variable TEXT NOT NULL,
            attribute TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (component, variable, attribute)
        ) WITHOUT ROWID""",
        "CREATE TABLE network_slots (slot INTEGER PRIMARY KEY, profile BLOB NOT NULL)",
        """CREATE TABLE security_events (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            type TEXT NOT NULL,
            at_unix REAL NOT NULL,
            info TEXT NOT NULL,
            sent INTEGER NOT NULL DEFAULT 0
        )""",
    ),
    (
        "CREATE TABLE reservations (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE charging_profiles (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    ),
    (
        "CREATE TABLE display_messages (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE monitors (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    ),
    (
        # Tokens of one value and several types are several tokens; those of the cache are kept as digests. What was
        # listed without a type stays good for any; what was cached is asked about again.
        "DROP TABLE token_cache",
        """CREATE TABLE token_cache (
            token TEXT NOT NULL,
            type TEXT NOT NULL,
            data BLOB NOT NULL,
            used_unix REAL NOT NULL,
            expires_unix REAL,
            PRIMARY KEY (token, type)
        )""",
        "CREATE INDEX token_cache_by_use ON token_cache (used_unix)",
        "ALTER TABLE local_list RENAME TO untyped_list",
        """CREATE TABLE local_list (
            token TEXT NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (token, type)
        ) WITHOUT ROWID""",
        "INSERT INTO local_list SELECT token, '', data FROM untyped_list",
        "DROP TABLE untyped_list",
    ),
)
"""Each entry brings the file from its index to the next version (PRAGMA user_version)."""

TABLES = (
    "state",
    "messages",
    "transactions",
    "transaction_samples",
    "token_cache",
    "local_list",
    "variables",
    "network_slots",
    "security_events",
    "reservations",
    "charging_profiles",
    "monitors",
    "display_messages",
)
"""What is saved from a damaged file, most important first once the state is known."""
