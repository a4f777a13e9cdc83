import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parse } from "ltx";

import { Failure, nodeAddress, readAccount } from "../src/connection.ts";
import { csv, figuresOf } from "../src/figures.ts";
import {
  NotQuoalise,
  directionAt,
  getHistory,
  listSeries,
  readDirection,
  readRecords,
  readSeries,
} from "../src/quoalise.ts";
import { refused } from "../src/texts.ts";
import { hoursOf, isoDay, moved, ranges, readDay, weekOf } from "../src/week.ts";

const PROTOCOL = readFileSync("../../docs/protocol.md", "utf8");
const EXAMPLES = [...PROTOCOL.matchAll(/```xml\n(.*?)```/gs)].map(([, xml]) => xml ?? "");
const HOUR_MS = 3_600_000;

const answer = (...records: string[]) =>
  parse(
    `<iq><command xmlns="http://jabber.org/protocol/commands" status="completed"><quoalise xmlns="urn:quoalise:0"><data><meta/>` +
      `<sensml xmlns="urn:ietf:params:xml:ns:senml">${records.join("")}</sensml></data></quoalise></command></iq>`,
  );

const completed = (content: string) =>
  parse(
    `<iq><command xmlns="http://jabber.org/protocol/commands" status="completed">${content}</command></iq>`,
  );

test("records have their values, times and unit", () => {
  const name = "urn:dev:prm:30001610071843_consumption/power/active/raw";
  const records = readRecords(
    answer(`<senml bn="${name}" bt="1583016600" t="0" v="100" bu="W"/>`, `<senml t="1800" v="101"/>`),
  );
  assert.deepEqual(
    [...records],
    [
      [
        name,
        [
          { name, unit: "W", start: 1583016600_000, value: 100 },
          { name, unit: "W", start: 1583018400_000, value: 101 },
        ],
      ],
    ],
  );
});

test("every example of data and of a list in the protocol is read", () => {
  const data = EXAMPLES.filter((xml) => xml.startsWith("<quoalise"));
  const lists = EXAMPLES.filter((xml) => xml.includes("<reported>"));
  assert.ok(data.length > 0 && lists.length > 0);
  for (const xml of data) assert.ok(readRecords(completed(xml)).size > 0, xml);
  for (const xml of lists) {
    const series = readSeries(parse(`<iq>${xml}</iq>`));
    assert.equal(series.length, xml.split("<item>").length - 1);
    assert.ok(series.every(({ unit, interval, last }) => unit && interval && last));
  }
});

test("a list tells what a meter injects from what panels make, where it names the device", () => {
  assert.equal(directionAt("electricity-meter", "production"), "injection");
  assert.equal(directionAt("electricity-meter", "consumption"), "consumption");
  assert.equal(directionAt("inverter", "production"), "production");
  assert.equal(directionAt(null, "production"), "production");
  const [example = assert.fail()] = EXAMPLES.filter((xml) => xml.includes("<reported>"));
  const [meter] = readSeries(parse(`<iq>${example}</iq>`));
  assert.equal(meter?.device, "electricity-meter");
  const without = example.replaceAll(/ *<field var="device">.*\n/g, "");
  const [older] = readSeries(parse(`<iq>${without}</iq>`));
  assert.equal(older?.device, null);
});

test("requests have the form of the protocol, with times that old programs read", () => {
  const asked = getHistory("urn:dev:x_y", new Date("2021-12-01T00:00:00+01:00"), new Date(0));
  const values = asked.getChild("x", "jabber:x:data")?.getChildren("field") ?? [];
  assert.deepEqual(
    values.map((field) => [field.attrs["var"], field.getChildText("value")]),
    [
      ["identifier", "urn:dev:x_y"],
      ["start_time", "2021-11-30T23:00:00+00:00"],
      ["end_time", "1970-01-01T00:00:00+00:00"],
    ],
  );
  assert.equal(listSeries().attrs["node"], "list_series");
});

test("base fields hold from their record on, and the last of two records wins", () => {
  const records = readRecords(
    answer(
      `<senml bn="a" bt="1583016600" bu="W" bv="10" t="0" v="1"/>`,
      `<senml n="/b" t="60" v="2" u="Wh"/>`,
      `<senml bt="1583020200" v="3"/>`,
      `<senml v="1e2"/>`,
      `<senml t="5"/>`,
    ),
  );
  const shown = [...records.values()].flat().map(({ name, unit, start, value }) => [name, unit, start / 1000, value]);
  assert.deepEqual(shown, [
    ["a", "W", 1583016600, 11],
    ["a", "W", 1583020200, 110],
    ["a/b", "Wh", 1583016660, 12],
  ]);
});

for (const [why, record] of Object.entries({
  "a value that is no number": `<senml bn="a" bt="1583016600" vs="1"/>`,
  "a field that must be understood": `<senml bn="a" bt="1583016600" v="1" x_="1"/>`,
  "another version": `<senml bn="a" bt="1583016600" v="1" bver="11"/>`,
  "a relative time": `<senml bn="a" t="-60" v="1"/>`,
  "infinity": `<senml bn="a" bt="1583016600" v="Infinity"/>`,
  "an empty value": `<senml bn="a" bt="1583016600" v=""/>`,
  "a sum without a value": `<senml bn="a" bt="1583016600" s="1"/>`,
  "a value that is too large": `<senml bn="a" bt="1583016600" v="1e300"/>`,
  "a name with a space": `<senml bn="a b" bt="1583016600" v="1"/>`,
})) {
  test(`an answer with ${why} is refused`, () => {
    assert.throws(() => readRecords(answer(record)), NotQuoalise);
  });
}

test("what a meter calls production is what it injects; what panels make comes from elsewhere", () => {
  const of = (device: string) =>
    readDirection(
      completed(
        `<quoalise xmlns="urn:quoalise:0"><data><meta><device type="${device}"/>` +
          `<measurement direction="production"/></meta></data></quoalise>`,
      ),
    );
  assert.deepEqual(["electricity-meter", "inverter", "collective"].map(of), [
    "injection",
    "production",
    "production",
  ]);
  assert.equal(readDirection(answer()), null);
});

test("an answer that is not complete, or without data, is refused", () => {
  const command = (status: string) =>
    parse(`<iq><command xmlns="http://jabber.org/protocol/commands" status="${status}"/></iq>`);
  assert.throws(() => readSeries(command("executing")), NotQuoalise);
  assert.throws(() => readRecords(command("completed")), NotQuoalise);
});

test("figures are of the week that was asked for, with what stands beside a collective's value", () => {
  const week = weekOf(new Date(2026, 10, 25));
  const at = (hours: number) => (week.start.getTime() + hours * HOUR_MS) / 1000;
  const records = readRecords(
    answer(
      `<senml bn="s" bt="${at(0)}" bu="W" v="1500"/>`,
      `<senml t="3600" v="500"/>`,
      `<senml t="-3600" v="9"/>`,
      `<senml bn="s/members" bt="${at(0)}" bu="count" v="23"/>`,
      `<senml bn="s/without-homes" bt="${at(1)}" bu="count" v="1"/>`,
    ),
  );
  const figures = figuresOf("s", "PT1H", [records], week, new Date(week.start.getTime() + 5 * HOUR_MS));
  assert.equal(figures.totalWh, 2000);
  assert.equal(figures.expected, 5);
  assert.deepEqual(
    figures.rows.map(({ value, members, isWithoutHomes }) => [value, members, isWithoutHomes]),
    [
      [1500, 23, false],
      [500, null, true],
    ],
  );
  const start = (hours: number) => new Date(at(hours) * 1000).toISOString().replace(".000", "");
  assert.equal(
    csv(figures),
    `start,value,unit,members,without_homes\r\n${start(0)},1500,W,23,\r\n${start(1)},500,W,,1\r\n`,
  );
});

test("registers have no sum, and half hours are half an hour long", () => {
  const week = weekOf(new Date(2026, 10, 25));
  const of = (name: string, unit: string, interval: string) => {
    const records = readRecords(answer(`<senml bn="${name}" bt="${week.start.getTime() / 1000}" bu="${unit}" v="10"/>`));
    return figuresOf(name, interval, [records], week, week.end);
  };
  assert.equal(of("x/energy/active/index", "Wh", "PT1H").totalWh, null);
  assert.equal(of("x/energy/active/daily", "Wh", "P1D").totalWh, 10);
  assert.equal(of("x/energy/active/daily", "Wh", "P1D").expected, 7);
  assert.equal(of("x/power/active/raw", "W", "PT30M").totalWh, 5);
  assert.equal(of("x/power/active/raw", "W", "P1M").totalWh, null);
});

test("a week begins on Monday, at midnight, also across months", () => {
  assert.equal(isoDay(weekOf(new Date(2026, 10, 1)).start), "2026-10-26");
  assert.equal(isoDay(weekOf(new Date(2026, 9, 26)).start), "2026-10-26");
  assert.equal(isoDay(moved(weekOf(new Date(2026, 10, 1)), 1).start), "2026-11-02");
  assert.equal(readDay("0002-01-01"), null);
  assert.equal(readDay("2026-11"), null);
  assert.equal(isoDay(readDay("2026-11-24") ?? new Date(0)), "2026-11-24");
});

test("a week is asked for in parts that an answer has room for", () => {
  const week = weekOf(new Date(2026, 10, 25));
  const count = (interval: string) => ranges(week, hoursOf(interval)).length;
  assert.deepEqual(["P1D", "PT1H", "PT30M", "PT15M", "PT5M"].map(count), [1, 1, 1, 2, 4]);
  assert.deepEqual(ranges(week, hoursOf("PT5M")).at(-1)?.end, week.end);
  assert.deepEqual([hoursOf("P1M"), hoursOf("P"), hoursOf("PT1H30M")], [null, null, 1.5]);
});

test("addresses are read as people type them", () => {
  assert.deepEqual(readAccount(" xmpp:Me@Example.org "), { user: "me", domain: "example.org" });
  assert.equal(nodeAddress("home@example.net"), "home@example.net/quoalise");
  assert.equal(nodeAddress("home@example.net/other"), "home@example.net/other");
  for (const wrong of ["", "me", "me@", "@example.org", "a b@example.org", "me@example.org/x"]) {
    assert.throws(() => readAccount(wrong), Failure);
  }
});

test("each refusal says what to do", () => {
  for (const condition of [
    "bad-request",
    "forbidden",
    "item-not-found",
    "not-authorized",
    "recipient-unavailable",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
    "service-unavailable",
  ]) {
    assert.notEqual(refused(condition), "refused_other", condition);
  }
  assert.equal(refused("undefined-condition"), "refused_other");
});
