"""For each requirement that the kit tries of a server, a way to break it, and it alone."""

from collections.abc import Callable
from copy import deepcopy
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from quoalise_conformance.results import SCHEMA
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import (
    COMMAND,
    DATA,
    FIELD,
    FORM,
    IQ,
    MESSAGE,
    element,
    tag,
)

from .memory import NOW
from .reference import (
    COLLECTIVE,
    FOREIGN,
    MONTHLY,
    POINT,
    SUMS,
    Mutation,
    Reference,
)

SENML: Final = tag(stanzas.SENML, "senml")
SENSML: Final = tag(stanzas.SENML, "sensml")
MEASUREMENT: Final = tag(stanzas.QUOALISE, "measurement")


class Breakage(NamedTuple):
    mutate: Mutation
    collective: bool = False
    address: str = ""


def federated(name: str) -> str:
    return tag(stanzas.FEDERATION, name)


type Edit = Callable[[Element], None]


def node(stanza: Element) -> str:
    command = stanza.find(COMMAND)
    return "" if command is None else command.get("node", "")


def asked(request: Element) -> dict[str, str]:
    return stanzas.values(request)


def on(name: str, edit: Edit, *, status: str = "") -> Mutation:
    """Edit the answers to a command."""

    def mutate(request: Element, answers: list[Element]) -> None:
        if node(request) == name:
            for answer in answers:
                command = answer.find(COMMAND)
                if command is not None and (not status or command.get("status") == status):
                    edit(answer)

    return mutate


def on_history(edit: Edit) -> Mutation:
    return on("get_history", edit, status="completed")


def on_all_records(edit: Edit) -> Mutation:
    """Edit whatever has records, pushed ones too."""

    def mutate(request: Element, answers: list[Element]) -> None:
        for answer in answers:
            if answer.find(f".//{DATA}") is not None:
                edit(answer)

    return mutate


def on_every(name: str, change: Callable[[Element], None]) -> Edit:
    def edit(answer: Element) -> None:
        for each in answer.iter(name):
            change(each)

    return edit


def setting(name: str, **attributes: str) -> Edit:
    return on_every(name, lambda each: each.attrib.update(attributes))


def without(parent: str, child: str) -> Edit:
    """Remove children of that name."""

    def edit(answer: Element) -> None:
        for above in list(answer.iter(parent)):
            for each in above.findall(child):
                above.remove(each)

    return edit


def without_attribute(name: str, attribute: str) -> Edit:
    def remove(each: Element) -> None:
        each.attrib.pop(attribute, None)

    return on_every(name, remove)


def on_info(edit: Edit) -> Mutation:
    def mutate(request: Element, answers: list[Element]) -> None:
        if request.find(stanzas.INFO_QUERY) is not None:
            for answer in answers:
                edit(answer)

    return mutate


def without_feature(feature: str) -> Mutation:
    def edit(answer: Element) -> None:
        query = answer[0]
        for each in list(query):
            if each.get("var") == feature:
                query.remove(each)

    return on_info(edit)


def refusing(
    when: Callable[[Element], bool], condition: str = "not-authorized", kind: str = "auth"
) -> Mutation:
    """Refuse requests in place of their answers."""

    def mutate(request: Element, answers: list[Element]) -> list[Element] | None:
        if request.tag != IQ or not answers or not when(request):
            return None
        refused = element(
            IQ, stanzas.error(kind, condition, "No."), id=request.get("id", ""), type="error"
        )
        refused.attrib |= {"to": request.get("from", ""), "from": request.get("to", "")}
        return [refused]

    return mutate


def answering(when: Callable[[Element], bool], instead: Callable[[Element], Element]) -> Mutation:
    """Answer what another request would get."""
    plain = Reference()
    of_collective = Reference(collective=True)

    def mutate(request: Element, answers: list[Element]) -> list[Element] | None:
        if request.tag != IQ or not answers or not when(request):
            return None
        reference = of_collective if request.get("to") == COLLECTIVE else plain
        made = [make() for _, make in reference.receive(instead(deepcopy(request)), NOW)]
        return [answer for answer in made if answer is not None]

    return mutate


def asking_with(**fields: str) -> Callable[[Element], Element]:
    """Return a function that fills in fields, or adds them."""

    def change(request: Element) -> Element:
        form = request.find(f"{COMMAND}/{FORM}")
        assert form is not None
        sent = stanzas.values(form) | fields
        form[:] = list(stanzas.form(sent.items()))
        return request

    return change


def history_where(test: Callable[[dict[str, str]], bool]) -> Callable[[Element], bool]:
    def when(request: Element) -> bool:
        form = request.find(f"{COMMAND}/{FORM}")
        submitted = form is not None and form.get("type") == "submit"
        return submitted and node(request) == "get_history" and test(asked(request))

    return when


def refused_with(edit: Edit) -> Mutation:
    """Edit refusals of commands."""

    def mutate(request: Element, answers: list[Element]) -> None:
        for answer in answers:
            if answer.get("type") == "error" and node(request):
                edit(answer)

    return mutate


def on_push(edit: Edit) -> Mutation:
    def mutate(request: Element, answers: list[Element]) -> None:
        if request.tag == MESSAGE and not len(request):
            for answer in answers:
                edit(answer)

    return mutate


# Edits


def reverse_data(answer: Element) -> None:
    for data in answer.iter(tag(stanzas.QUOALISE, "data")):
        data[:] = list(reversed(data))


def add_end(request: Element, answers: list[Element]) -> None:
    """Include the record at the end of a range."""
    end = stanzas.seconds(asked(request).get("end_time", ""))
    for answer in answers:
        for sensml in answer.iter(SENSML):
            records = stanzas.records(answer)
            if end is not None and records and end % 3_600 == 0 and end < NOW:
                base = records[0].time
                sensml.append(element(SENML, t=f"{end - base:.0f}", v="1"))


def many_records(answer: Element) -> None:
    """Send 2,001 of them."""
    for sensml in answer.iter(SENSML):
        last = sensml[-1]
        start = int(last.get("t", "0"))
        while len(sensml) < 2_001:
            start += 3_600
            sensml.append(element(SENML, t=str(start), v="1"))


def no_base_name(answer: Element) -> None:
    for senml in answer.iter(SENML):
        senml.attrib.pop("bn", None)


def foreign_child(answer: Element) -> None:
    for sensml in answer.iter(SENSML):
        sensml.append(Element(tag(stanzas.SENML, "other")))


def rename(before: str, after: str) -> Edit:
    def change(senml: Element) -> None:
        if "bn" in senml.attrib:
            senml.set("bn", senml.get("bn", "").replace(before, after))

    return on_every(SENML, change)


def another_interval(request: Element, answers: list[Element]) -> None:
    if asked(request).get("start_time", "").endswith("Z"):
        for answer in answers:
            setting(MEASUREMENT, **{"sampling-interval": "PT30M"})(answer)


def unlabelled(answer: Element) -> None:
    setting(FIELD, label="Label")(answer)


def text_of(text: str | None = None, language: str = "") -> Edit:
    def change(element: Element) -> None:
        if text is not None:
            element.text = text
        if language:
            element.set(stanzas.LANGUAGE, language)

    return on_every(tag(stanzas.STANZAS, "text"), change)


def echo_errors(request: Element, answers: list[Element]) -> list[Element] | None:
    if request.tag != IQ or request.get("type") != "error":
        return None
    echoed = element(IQ, type="result", id=request.get("id", ""), to=request.get("from", ""))
    echoed.set("from", request.get("to", ""))
    return [echoed]


def upstream(request: Element, answers: list[Element]) -> list[Element] | None:
    """Refuse a history of decades with the error of a source that has no code."""
    if asked(request).get("start_time", "").startswith("2000"):
        refused = refusing(lambda _request: True, "undefined-condition", "cancel")(request, answers)
        assert refused is not None
        error = refused[0].find(stanzas.ERROR)
        assert error is not None
        error.append(element(tag(stanzas.QUOALISE, "upstream-error"), issuer="source"))
        return refused
    return None


def once(request: Element, answers: list[Element]) -> list[Element] | None:
    """Push once, whatever the receipt."""
    return answers[:1] if request.tag == MESSAGE and not len(request) else None


def needs_edit(edit: Edit) -> Mutation:
    return on("get_data_needs", edit)


def of_need(reading: str, change: Callable[[Element], None]) -> Mutation:
    def edit(answer: Element) -> None:
        for need in answer.iter(federated("data-need")):
            if need.get("reading") == reading:
                change(need)

    return needs_edit(edit)


def removing(name: str) -> Callable[[Element], None]:
    def change(need: Element) -> None:
        for each in need.findall(federated(name)):
            need.remove(each)

    return change


def add_witness(need: Element) -> None:
    need.append(element(federated("witness"), jid="w@w.test", url="https://w.test", minimum="3"))


def change_witness(need: Element) -> None:
    for witness in need.iter(federated("witness")):
        witness.set("url", "https://w.test/")


def change_policy(need: Element) -> None:
    for policy in need.iter(federated("policy")):
        policy.text = "http://coop.test/data"


def no_terminate(request: Element, answers: list[Element]) -> None:
    for answer in answers:
        for query in answer.iter(stanzas.ITEMS_QUERY):
            for item in list(query):
                if item.get("node") == "terminate":
                    query.remove(item)


def listing(change: Callable[[Element], None]) -> Mutation:
    def edit(answer: Element) -> None:
        for form in answer.iter(FORM):
            change(form)

    return on("list_series", edit)


def relist(before: str, after: str) -> Callable[[Element], None]:
    def change(form: Element) -> None:
        for value in form.iter(tag(stanzas.FORMS, "value")):
            value.text = (value.text or "").replace(before, after)

    return change


def drop_column(var: str) -> Callable[[Element], None]:
    def change(form: Element) -> None:
        for item in form.iter(tag(stanzas.FORMS, "item")):
            for field in item.findall(FIELD):
                if field.get("var") == var:
                    item.remove(field)

    return change


def same_labels(form: Element) -> None:
    for field in form.iter(FIELD):
        if "label" in field.attrib:
            field.set("label", "Label")


def list_foreign(form: Element) -> None:
    items = list(form.iter(tag(stanzas.FORMS, "item")))
    added = deepcopy(items[0])
    added[0][0].text = FOREIGN
    form.append(added)


def without_members(answer: Element) -> None:
    for sensml in answer.iter(SENSML):
        names = [record.name for record in stanzas.records(answer)]
        if any(not name.endswith("/members") for name in names):
            for senml, name in zip(list(sensml), names, strict=True):
                if name.endswith("/members"):
                    sensml.remove(senml)


def shift_months(answer: Element) -> None:
    for senml in answer.iter(SENML):
        if "/monthly/" in senml.get("bn", ""):
            senml.set("bt", str(int(senml.get("bt", "0")) + 3_600))


def other_size(answer: Element) -> None:
    setting(federated("export"), sha256="0" * 64)(answer)


def is_past(fields: dict[str, str]) -> bool:
    return fields.get("end_time", "").startswith("1979")


def subscribing_to_months(request: Element) -> bool:
    return node(request) == "subscribe" and "/monthly/" in asked(request).get("identifier", "")


def has_twice(request: Element) -> bool:
    form = request.find(f"{COMMAND}/{FORM}")
    names = [] if form is None else [field.get("var") for field in form]
    return len(names) > len(set(names)) or (
        form is not None and any(len(field) > 1 for field in form)
    )


def names_series(series: str) -> Callable[[Element], bool]:
    return history_where(lambda fields: fields.get("identifier") == series)


def unknown_element(request: Element) -> bool:
    command = request.find(COMMAND)
    return command is not None and any(stanzas.UNKNOWN in child.tag for child in command)


def cancels(request: Element) -> bool:
    command = request.find(COMMAND)
    return command is not None and command.get("action") == "cancel"


def ranges_backwards(fields: dict[str, str]) -> bool:
    start, end = (stanzas.seconds(fields.get(var, "")) for var in ("start_time", "end_time"))
    return start is not None and end is not None and end < start


def lacks_offset(fields: dict[str, str]) -> bool:
    start = fields.get("start_time", "")
    return start.startswith("20") and stanzas.seconds(start) is None


def with_offsets(request: Element) -> Element:
    fields = asked(request)
    return asking_with(**{var: f"{fields[var]}Z" for var in ("start_time", "end_time")})(request)


BREAKAGES: Final = {
    "Q-2": Breakage(without_feature(stanzas.FORMS)),
    "Q-5": Breakage(refusing(unknown_element, "bad-request", "modify")),
    "Q-6": Breakage(on_history(reverse_data)),
    "Q-8": Breakage(on_history(without_attribute(MEASUREMENT, "quantity"))),
    "Q-9": Breakage(on_all_records(setting(MEASUREMENT, **{"sampling-interval": "1 hour"}))),
    "Q-12": Breakage(on_history(on_every(SENML, lambda each: each.set("v", f"{each.get('v')}.0")))),
    "Q-13": Breakage(on_history(no_base_name)),
    "Q-16": Breakage(on_history(setting(SENML, v="None"))),
    "Q-20": Breakage(on_history(foreign_child)),
    "Q-24": Breakage(on_history(rename("30001610071843", "3000161007184"))),
    "Q-25": Breakage(
        refusing(
            history_where(lambda fields: fields.get("identifier", "").startswith("URN")),
            "bad-request",
            "modify",
        )
    ),
    "Q-26": Breakage(on_history(setting(MEASUREMENT, quantity="energy"))),
    "Q-27": Breakage(on_history(setting(MEASUREMENT, direction="drawn"))),
    "Q-29": Breakage(on_history(setting(MEASUREMENT, aggregation="sum"))),
    "Q-30": Breakage(another_interval),
    "Q-32": Breakage(
        refusing(
            lambda request: (c := request.find(COMMAND)) is not None and c.get("action") == "next",
            "bad-request",
            "modify",
        )
    ),
    "Q-33": Breakage(
        refusing(lambda request: node(request) == "get_history", "item-not-found", "cancel")
    ),
    "Q-35": Breakage(
        refusing(
            history_where(
                lambda fields: (
                    "identifier" in fields
                    and fields["identifier"] == POINT
                    and not {"start_time", "end_time"} & fields.keys()
                )
            ),
            "bad-request",
            "modify",
        )
    ),
    "Q-37": Breakage(listing(relist("+00:00", ""))),
    "Q-38": Breakage(answering(history_where(lacks_offset), with_offsets)),
    "Q-39": Breakage(listing(relist("+00:00", "Z"))),
    "Q-40": Breakage(add_end),
    "Q-42": Breakage(
        answering(
            history_where(ranges_backwards),
            asking_with(start_time=stanzas.utc(NOW - 3_600), end_time=stanzas.utc(NOW - 3_600)),
        )
    ),
    "Q-43": Breakage(
        on(
            "subscribe",
            on_every(tag(stanzas.FORMS, "value"), lambda each: setattr(each, "text", "OK")),
        )
    ),
    "Q-45": Breakage(
        lambda request, answers: (
            many_records(answers[0])
            if asked(request).get("start_time", "").startswith("2000")
            else None
        )
    ),
    "Q-47": Breakage(on("get_history", unlabelled, status="executing")),
    "Q-48": Breakage(
        on("get_history", without_attribute(COMMAND, "sessionid"), status="completed")
    ),
    "Q-49": Breakage(on("get_history", setting(COMMAND, status="completed"), status="canceled")),
    "Q-50": Breakage(answering(has_twice, asking_with())),
    "Q-53": Breakage(
        refused_with(on_every(stanzas.ERROR, lambda each: each.set("type", "cancel")))
    ),
    "Q-54": Breakage(
        refused_with(without_attribute(tag(stanzas.STANZAS, "text"), stanzas.LANGUAGE))
    ),
    "Q-55": Breakage(refused_with(text_of(language="en"))),
    "Q-57": Breakage(refusing(names_series(FOREIGN), "item-not-found", "cancel")),
    "Q-58": Breakage(
        refusing(
            history_where(lambda fields: "/voltage/" in fields.get("identifier", "")),
            "item-not-found",
            "cancel",
        )
    ),
    "Q-59": Breakage(refused_with(text_of("ZeroDivisionError: command/get_history/identifier"))),
    "Q-60": Breakage(upstream),
    "Q-62": Breakage(echo_errors),
    "Q-63": Breakage(on_push(lambda message: message.set("to", "kit@reader.test/conformance"))),
    "Q-71": Breakage(on_push(without(MESSAGE, tag(stanzas.HINTS, "no-permanent-store")))),
    "Q-72": Breakage(on_push(without(MESSAGE, tag(stanzas.RECEIPTS, "request")))),
    "Q-74": Breakage(once),
    "Q-82": Breakage(refused_with(text_of(f"command/get_history/identifier: {'x' * 1_000}"))),
    "Q-83": Breakage(
        refusing(
            history_where(lambda fields: len(fields.get("identifier", "")) > 255),
            "bad-request",
            "modify",
        )
    ),
    "F-1": Breakage(without_feature(stanzas.FEDERATION)),
    "F-3": Breakage(
        refusing(
            lambda request: request.get("to", "").endswith("/quoalise"),
            "service-unavailable",
            "cancel",
        ),
        address="home@home.test/elsewhere",
    ),
    "F-4": Breakage(no_terminate),
    "F-5": Breakage(on_info(without(stanzas.INFO_QUERY, FORM)), collective=True),
    "F-7": Breakage(refusing(lambda request: node(request) == "get_data_needs")),
    "F-8": Breakage(refusing(lambda request: node(request) == "unsubscribe")),
    "F-9": Breakage(refusing(lambda request: node(request) == "grant"), collective=True),
    "F-10": Breakage(listing(list_foreign)),
    "F-11": Breakage(listing(drop_column("unit"))),
    "Q-93": Breakage(listing(same_labels)),
    "F-97": Breakage(listing(drop_column("device"))),
    "F-15": Breakage(
        refusing(lambda request: node(request) == "get_data_needs", "item-not-found", "cancel"),
        collective=True,
    ),
    "F-17": Breakage(of_need("individual", removing("controller")), collective=True),
    "F-18": Breakage(of_need("individual", change_policy), collective=True),
    "F-19": Breakage(of_need("individual", add_witness), collective=True),
    "F-37": Breakage(
        answering(
            history_where(is_past),
            asking_with(
                start_time="2025-12-01T11:30:00+00:00", end_time="2025-12-01T11:30:00+00:00"
            ),
        )
    ),
    "F-46": Breakage(refusing(lambda request: node(request) == "terminate")),
    "F-101": Breakage(refusing(lambda request: node(request) == "send_letter")),
    "F-48": Breakage(on("get_export", other_size), collective=True),
    "F-50": Breakage(refusing(lambda request: node(request) == "get_export"), collective=True),
    "F-53": Breakage(
        on_all_records(setting(tag(stanzas.QUOALISE, "device"), type="electricity-meter")),
        collective=True,
    ),
    "F-55": Breakage(refusing(names_series(f"{SUMS}/without-homes")), collective=True),
    "F-56": Breakage(on_history(without_members), collective=True),
    "F-61": Breakage(refusing(names_series(f"{MONTHLY}lower-quartile")), collective=True),
    "F-62": Breakage(on_history(shift_months), collective=True),
    "F-63": Breakage(refusing(subscribing_to_months), collective=True),
    "F-64": Breakage(listing(drop_column("grid_price")), collective=True),
    "F-67": Breakage(of_need("sum", lambda need: need.set("history", "P1D")), collective=True),
    "F-68": Breakage(of_need("sum", change_witness), collective=True),
    SCHEMA: Breakage(on_history(on_every(DATA, lambda each: each.set("colour", "red")))),
}
