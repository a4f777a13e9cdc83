/**
 * A witness at the command line: a request a line on standard input, its answer on standard output,
 * both in JSON.
 */

import { createInterface } from "node:readline";

import { answer, type Asked } from "./json.ts";

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line) as Asked)));
}
