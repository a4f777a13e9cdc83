"""The table of tables in docs/database.md, against the declarations it is written from."""

from tools.tables import FILE, SCHEMA_FILE, page, schema


def test_the_table_of_tables_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run: script/lib/run tools.tables"


def test_the_fingerprint_of_the_schema_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema(), "run: script/lib/run tools.tables"
