"""The answers of a long range, put together, and their documents."""

import csv
from datetime import UTC, datetime, timedelta
import io

import pytest

from consometers_quoalise import Data, Duration, History, Measurement, Metadata, Number, Records
from consometers_quoalise.records import data, documents, identifier

SERIES = identifier.identifier("urn:dev:prm:00000000000000_consumption/power/active/raw")
START = datetime(2026, 1, 1, tzinfo=UTC)
HOURLY = Metadata(measurement=Measurement(sampling_interval=Duration(seconds=3600)))


def page(*hours: int, metadata: Metadata = HOURLY, name: str = str(SERIES)) -> Data:
    values: dict[Number, Number] = {int(START.timestamp()) + 3600 * hour: hour for hour in hours}
    return Data(metadata, (Records(name, "W", values),))


def history(*pages: Data) -> History:
    history = History("home@example.org", SERIES, START, START + timedelta(days=1))
    for page in pages:
        history.add(page)
    return history


def test_pages_become_one_history_and_one_message() -> None:
    whole = history(page(0, 1), Data(), page(2, 3))
    assert len(whole) == 4
    assert data.decode(documents.xml_bytes(whole)) == page(0, 1, 2, 3)


def test_missing_records_are_counted_between_the_first_and_the_last() -> None:
    whole = history(page(0, 1, 4))
    (records,) = whole.records
    assert whole.missing(records) == 2
    daily = Metadata(measurement=Measurement(sampling_interval=Duration(days=1)))
    days = history(page(0, 1, 4, metadata=daily))
    assert days.missing(*days.records) == 0


def test_the_requested_series_is_first_and_others_stand_beside_it() -> None:
    members = f"{SERIES}/members"
    document = documents.as_json(history(page(0, name=members), page(0)))
    assert document["identifier"] == str(SERIES)
    assert document["others"] == [
        {
            "identifier": members,
            "unit": "W",
            "records": [{"time": "2026-01-01T00:00:00+00:00", "value": 0}],
        }
    ]


def test_nothing_is_an_empty_list_under_the_name_that_was_asked() -> None:
    document = documents.as_json(history())
    assert (document["identifier"], document["records"]) == (str(SERIES), [])
    assert documents.csv_bytes(history()) == b"time,value,unit,identifier\n"


def test_each_line_of_csv_names_its_unit_and_series() -> None:
    lines = list(csv.reader(io.StringIO(documents.csv_bytes(history(page(1))).decode())))
    assert lines[1:] == [["2026-01-01T01:00:00+00:00", "1", "W", str(SERIES)]]


def test_metadata_that_change_are_dated_and_fit_no_message() -> None:
    changing = history(page(0), page(5, metadata=Metadata()))
    assert documents.as_json(changing)["metadata_since"] == "2026-01-01T05:00:00+00:00"
    with pytest.raises(documents.MetadataChanges):
        documents.xml_bytes(changing)
