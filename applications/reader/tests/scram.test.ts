import assert from "node:assert/strict";
import { test } from "node:test";

import { ScramError, ScramSha1, ScramSha256 } from "../src/scram.ts";

const USER = { username: "user", password: "pencil" };

/** The examples of RFC 5802 §5 and RFC 7677 §3. */
const EXAMPLES = [
  {
    mechanism: () => new ScramSha1("fyko+d2lbbFgONRv9qkxdawL"),
    first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    challenge:
      "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    final:
      "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    proof: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    mechanism: () => new ScramSha256("rOprNGfwEbeRWgbNEkqO"),
    first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    challenge:
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    final:
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    proof: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
] as const;

for (const { mechanism, first, challenge, final, proof } of EXAMPLES) {
  test(`${mechanism().name} is that of its RFC, and believes a server that proves itself`, async () => {
    const scram = mechanism();
    assert.equal(await scram.response(USER), first);
    scram.challenge(challenge);
    assert.equal(await scram.response(USER), final);
    assert.throws(() => scram.final(proof.replace(/.=$/, "A=")), ScramError);
    assert.ok(!scram.isProven);
    scram.final(proof);
    assert.ok(scram.isProven);
  });

  test(`${mechanism().name} refuses another's nonce, and too little work`, async () => {
    for (const wrong of [
      challenge.replace("r=", "r=x"),
      challenge.replace("i=4096", "i=1"),
      challenge.replace(/,s=.*/, ""),
    ]) {
      const scram = mechanism();
      await scram.response(USER);
      scram.challenge(wrong);
      await assert.rejects(scram.response(USER), ScramError);
    }
  });
}

test("a server proves nothing before it was asked", () => {
  assert.throws(() => new ScramSha1().final("v="), ScramError);
});
