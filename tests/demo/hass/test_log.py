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


def test_a_record_has_level_logger_message_and_the_lines_under_it() -> None:
    printed, found, heard, failed = parse_log(LOG)
    assert printed.level == "PRINTED"
    assert (found.level, found.logger) == ("WARNING", "homeassistant.loader")
    assert heard.message == "Heard"
    assert failed.detail.endswith("ValueError: no")


def test_a_problem_is_what_is_said_above_information() -> None:
    assert [record.is_problem for record in parse_log(LOG)] == [True, True, False, True]


def test_a_record_is_ours_by_its_logger_or_its_traceback() -> None:
    ours = [record.is_about("consometers") for record in parse_log(LOG)]
    assert ours == [False, False, True, True]


def test_a_checkout_of_that_name_makes_no_traceback_ours() -> None:
    (failed,) = parse_log(LOG.splitlines()[3] + '\n  File "/home-assistant-consometers/x.py"\n')
    assert not failed.is_about("consometers")


def test_nothing_was_said() -> None:
    assert parse_log("") == []
