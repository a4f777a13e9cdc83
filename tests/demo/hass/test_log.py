from demo.hass.log import parse_log

LOG = """\
Unable to find configuration. Creating default one
2026-11-25 00:24:10.912+00:00 WARNING (MainThread) [homeassistant.loader] We found one
2026-11-25 00:24:11.000+00:00 INFO (MainThread) [custom_components.consometers.linky] Heard
2026-11-25 00:24:12.000+00:00 ERROR (SyncWorker_0) [homeassistant] Error doing job
Traceback (most recent call last):
  File "/config/custom_components/consometers/sensor.py", line 1, in _read
ValueError: no
"""


def test_a_log_record_includes_the_lines_under_it() -> None:
    records = parse_log(LOG)
    assert [record.level for record in records] == ["PRINTED", "WARNING", "INFO", "ERROR"]
    assert records[1].logger == "homeassistant.loader"
    assert records[2].message == "Heard"
    assert records[3].detail.endswith("ValueError: no")
    assert [record.is_problem for record in records] == [True, True, False, True]
    # By its logger, or by its traceback.
    assert [record.is_about("consometers") for record in records] == [False, False, True, True]
    assert parse_log("") == []


def test_the_name_of_the_checkout_does_not_mark_a_traceback_as_ours() -> None:
    (failed,) = parse_log(LOG.splitlines()[3] + '\n  File "/home-assistant-consometers/x.py"\n')
    assert not failed.is_about("consometers")
