"""One SQLite file for every version: database, migrations, and a repository per subject."""
