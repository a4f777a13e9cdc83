/** Requests and answers in JSON, as vectors.json of the repository has them. */

import { parse } from "ltx";

import { fromHex } from "./bytes.ts";
import { BadRequest } from "./field.ts";
import { readOpening, readVerification } from "./messages.ts";
import { fingerprint, open, verify, type Answer, type Faults, type Home } from "./witness.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Of what vectors.json has as the input of an opening; a part of a message, or all of them. */
export interface Asked {
  readonly collective: string;
  readonly today: string;
  readonly secret: string;
  readonly homes: readonly {
    readonly pseudonym: string;
    readonly day: string;
    readonly key: string;
    readonly minimum: number;
    readonly directions: readonly string[];
  }[];
  readonly marked: readonly string[];
  readonly verification: string | readonly string[];
  readonly opening: string | readonly string[] | null;
  /** The verification in which reports were verified before, if any. */
  readonly verified?: string;
  readonly set_back_at?: string;
}

export function answer(asked: Asked): object {
  try {
    const request = readVerification(elements(asked.verification));
    const verdict = verify(request, asked.collective, {
      homes: new Map(asked.homes.map((home) => [home.pseudonym, enrolled(home)])),
      today: dayOf(asked.today),
      marked: new Set(asked.marked),
      verified: fingerprints(asked.verified),
      ...(asked.set_back_at && { setBackAt: Date.parse(asked.set_back_at) / HOUR_MS }),
    });
    let answers: Answer[] = [];
    if (asked.opening !== null && verdict.faults.size === 0) {
      const sums = readOpening(elements(asked.opening), request.id);
      const subject = { ...request, collective: asked.collective };
      answers = open(subject, verdict.masks, sums, fromHex(asked.secret));
    }
    return { refused: shown(verdict.faults), answers: answers.map(sorted) };
  } catch (error) {
    if (error instanceof BadRequest) return { bad_request: error.message };
    throw error;
  }
}

function elements(parts: string | readonly string[]) {
  return [parts].flat().map((part) => parse(part));
}

function enrolled(home: Asked["homes"][number]): Home {
  const key = { day: dayOf(home.day), secret: fromHex(home.key) };
  return { key, directions: new Set(home.directions), minimum: home.minimum };
}

function fingerprints(before: string | undefined): Map<string, string> {
  if (before === undefined) return new Map();
  const { groups, key } = readVerification(elements(before));
  return new Map([...groups.values()].flat().map((row) => [row.pseudonym, fingerprint(row, key)]));
}

function shown(faults: Faults): object[] {
  return [...faults].map(([reason, homes]) => ({
    reason,
    pseudonyms: [...homes].toSorted(),
  }));
}

function sorted(answer: Answer): Answer {
  return { ...answer, groups: answer.groups.toSorted() };
}

function dayOf(date: string): number {
  return Date.parse(date) / DAY_MS;
}
