/**
 * SCRAM (RFC 5802, RFC 7677), for which @xmpp/client has nothing in a browser but PLAIN: so the
 * server never sees the password, and proves that it knows the account.
 */

import type { Mechanism } from "@xmpp/client";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { fromBase64, toBase64, utf8 } from "./protected-sums/bytes.ts";

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What a server sends that is no SCRAM, or proves nothing. */
export class ScramError extends Error {}

const NO_CHANNEL_BINDING = "n,,";
const FEWEST_ITERATIONS = 4096;
const MOST_ITERATIONS = 1_000_000;

export abstract class Scram implements Mechanism {
  readonly clientFirst = true;
  abstract readonly name: string;
  protected abstract readonly hash: typeof sha1 | typeof sha256;
  readonly #nonce: string;
  #first = "";
  #challenge = "";
  #serverSignature: string | null = null;
  #isProven = false;

  constructor(nonce = toBase64(crypto.getRandomValues(new Uint8Array(24)))) {
    this.#nonce = nonce;
  }

  /** Whether the server has proven that it knows the account. */
  get isProven(): boolean {
    return this.#isProven;
  }

  async response(credentials: Credentials): Promise<string> {
    if (this.#challenge) return this.#final(credentials.password);
    const name = credentials.username.replaceAll("=", "=3D").replaceAll(",", "=2C");
    this.#first = `n=${name},r=${this.#nonce}`;
    return NO_CHANNEL_BINDING + this.#first;
  }

  challenge(text: string): void {
    this.#challenge = text;
  }

  /** Check the last message of the server. Throws ScramError. */
  final(text: string): void {
    if (this.#serverSignature === null || attributes(text).get("v") !== this.#serverSignature) {
      throw new ScramError("the server does not prove that it knows the account");
    }
    this.#isProven = true;
  }

  async #final(password: string): Promise<string> {
    const sent = attributes(this.#challenge);
    const nonce = sent.get("r") ?? "";
    const iterations = Number(sent.get("i"));
    const salt = sent.get("s");
    if (salt === undefined || !nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw new ScramError("the server's challenge is none");
    }
    if (!(iterations >= FEWEST_ITERATIONS && iterations <= MOST_ITERATIONS)) {
      throw new ScramError("the server's challenge asks for too little work, or too much");
    }
    const { hash } = this;
    const dkLen = hash.outputLen;
    const prepared = utf8(password.normalize("NFKC"));
    const salted = await pbkdf2Async(hash, prepared, fromBase64(salt), { c: iterations, dkLen });
    const clientKey = hmac(hash, salted, utf8("Client Key"));
    const withoutProof = `c=${toBase64(utf8(NO_CHANNEL_BINDING))},r=${nonce}`;
    const messages = utf8([this.#first, this.#challenge, withoutProof].join(","));
    const signature = hmac(hash, hash(clientKey), messages);
    const proof = clientKey.map((byte, place) => byte ^ (signature[place] ?? 0));
    this.#serverSignature = toBase64(hmac(hash, hmac(hash, salted, utf8("Server Key")), messages));
    return `${withoutProof},p=${toBase64(proof)}`;
  }
}

export class ScramSha256 extends Scram {
  readonly name = "SCRAM-SHA-256";
  protected readonly hash = sha256;
}

export class ScramSha1 extends Scram {
  readonly name = "SCRAM-SHA-1";
  protected readonly hash = sha1;
}

function attributes(message: string): Map<string, string> {
  return new Map(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}
