import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fromHex, toHex } from "../src/protected-sums/bytes.ts";
import { BadRequest, P, decode, encode, mod, power, roots } from "../src/protected-sums/field.ts";
import { answer, type Asked } from "../src/protected-sums/json.ts";
import { authenticationKey, secretOn } from "../src/protected-sums/keys.ts";
import { Query, isValid } from "../src/protected-sums/query.ts";
import { ELEMENTS, encodedSubject, masks, outputs } from "../src/protected-sums/report.ts";

type Vector = Record<string, string> & { wh: number };
type Opening = Asked & { about: string; refused: unknown; answers: unknown };

const { reports, openings } = JSON.parse(
  readFileSync("../../packages/protected_sums/tests/vectors.json", "utf8"),
) as { reports: Vector[]; openings: Opening[] };

const read = (vector: Vector) => {
  const text = (name: string) => vector[name] ?? assert.fail(name);
  const hour = Date.parse(text("hour")) / 3_600_000;
  const subject = { collective: text("collective"), direction: text("direction"), hour };
  return {
    bytes: (name: string) => fromHex(text(name)),
    day: (name: string) => Date.parse(text(name)) / 86_400_000,
    subject,
    masks: masks(fromHex(text("key")), encodedSubject(subject), fromHex(text("nonce"))),
    report: decode(fromHex(text("masked")), ELEMENTS),
    query: new Query(fromHex(text("verification_key")), subject.direction, hour),
  };
};

test("keys of days, and of requests, follow from that of the enrolment", () => {
  for (const vector of reports) {
    const { bytes, day } = read(vector);
    const first = { day: day("enrolled"), secret: bytes("first_key") };
    assert.equal(toHex(secretOn(first, day("day"))), vector["key"]);
    assert.equal(toHex(authenticationKey(first.secret)), vector["authentication_key"]);
  }
});

test("verifiers of both servers are those of the vectors, and the report is valid", () => {
  for (const vector of reports) {
    const { query, report, masks } = read(vector);
    const verifiers = [query.ask(report), query.ask(masks)] as const;
    assert.equal(toHex(encode(verifiers[0])), vector["verifier_of_collective"]);
    assert.equal(toHex(encode(verifiers[1])), vector["verifier_of_witness"]);
    assert.ok(isValid(...verifiers));
  }
});

test("outputs of both servers add up to the value and its square", () => {
  for (const vector of reports) {
    const { report, masks } = read(vector);
    const [values, squares] = [outputs(report), outputs(masks)];
    assert.equal(mod(values[0] + squares[0]), BigInt(vector.wh));
    assert.equal(mod(values[1] + squares[1]), BigInt(vector.wh) ** 2n);
  }
});

test("a report that is wrong in one element is invalid, whichever it is", () => {
  const { query, report, masks } = read(reports[1] ?? assert.fail());
  const verifier = query.ask(masks);
  for (let place = 0; place < ELEMENTS; place++) {
    const wrong = report.map((element, n) => (n === place ? mod(element + 1n) : element));
    assert.ok(!isValid(query.ask(wrong), verifier), `element ${place}`);
  }
});

test("numbers from p on are refused", () => {
  assert.deepEqual(decode(encode([P - 1n]), 1), [P - 1n]);
  assert.throws(() => decode(encode([P]), 1), BadRequest);
});

test("roots of unity are of their order", () => {
  const [one, root] = roots(64);
  assert.equal(one, 1n);
  assert.equal(power(root ?? 0n, 32n), P - 1n);
});

for (const vector of openings) {
  test(`a witness answers as the vector: ${vector.about}`, () => {
    const { refused, answers } = answer(vector) as { refused: object[]; answers: object[] };
    assert.deepEqual(inOrder(refused), vector.refused);
    assert.deepEqual(inOrder(answers), vector.answers);
  });
}

function inOrder(answers: object[]): object[] {
  return answers.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}
