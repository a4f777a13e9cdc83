/** An account on its own server, over WebSocket (RFC 7395). The password is in memory alone. */

import { client, xml, type Client } from "@xmpp/client";
import type { Element } from "ltx";

import { Scram, ScramError, ScramSha1, ScramSha256 } from "./scram.ts";

export type Problem =
  | "address" // no address of an account
  | "password"
  | "lost" // the connection
  | "unknown-domain" // the server is there, and serves another domain
  | "unreachable"
  | "no-websocket" // the server does not say where it is
  | "not-encrypted"
  | "no-scram"
  | "unproven" // the server does not know the account
  | "no-answer"
  | "other";

/** A failure before any node has answered. */
export class Failure extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem);
    this.problem = problem;
  }
}

/** A stanza error: a condition for programs, a text for people. */
export class Refusal extends Error {
  readonly condition: string;
  readonly text: string;

  constructor(condition: string, text: string) {
    super(condition);
    this.condition = condition;
    this.text = text;
  }
}

export interface Account {
  readonly user: string;
  readonly domain: string;
}

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const ALTERNATIVE = "urn:xmpp:alt-connections:websocket";
const MECHANISMS = new Map<string, new () => Scram>([
  ["SCRAM-SHA-256", ScramSha256],
  ["SCRAM-SHA-1", ScramSha1],
]);
const OPEN_MS = 20_000;
const ANSWER_MS = 60_000;
const LOOPBACK = /^ws:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/;

/** Read the bare address of an account. Throws Failure. */
export function readAccount(text: string): Account {
  const parts = /^(?:xmpp:)?([^\s@/:"&'<>]+)@([^\s@/:]+?)\.?$/u.exec(text.trim());
  const [, user, domain] = parts ?? [];
  if (user === undefined || domain === undefined) throw new Failure("address");
  return { user: user.toLowerCase(), domain: domain.toLowerCase() };
}

/** Return the full address of a node, which may be typed without its resource. */
export function nodeAddress(text: string): string {
  const [address = "", resource] = text.trim().split("/", 2);
  const { user, domain } = readAccount(address);
  return `${user}@${domain}/${resource || "quoalise"}`;
}

/** Ask a domain for the address of its WebSocket (XEP-0156). Throws Failure. */
export async function findWebSocket(domain: string): Promise<string> {
  let found: unknown;
  try {
    const answer = await fetch(`https://${domain}/.well-known/host-meta.json`, {
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(OPEN_MS),
    });
    const { links } = (await answer.json()) as { links: { rel: string; href: string }[] };
    found = links.find(({ rel, href }) => rel === ALTERNATIVE && href.startsWith("wss:"))?.href;
  } catch {
    throw new Failure("no-websocket");
  }
  if (typeof found !== "string") throw new Failure("no-websocket");
  return found;
}

export class Session {
  readonly #client: Client;
  #isClosed = false;

  private constructor(client: Client, lost: () => void) {
    this.#client = client;
    client.on("disconnect", () => {
      if (!this.#isClosed) lost();
    });
  }

  /** Log in. Throws Failure. */
  static async open(
    account: Account,
    password: string,
    service: string,
    language: string,
    lost: () => void,
  ): Promise<Session> {
    if (!service.startsWith("wss:") && !LOOPBACK.test(service)) throw new Failure("not-encrypted");
    let scram: Scram | undefined;
    const connection = client({
      service,
      domain: account.domain,
      lang: language,
      timeout: OPEN_MS,
      credentials: async (authenticate, mechanisms) => {
        const name = [...MECHANISMS.keys()].find((name) => mechanisms.includes(name));
        if (name === undefined) throw new Failure("no-scram");
        await authenticate({ username: account.user, password }, name);
      },
    });
    for (const [name, Mechanism] of MECHANISMS) {
      connection.saslFactory.use(name, function () {
        return (scram = new Mechanism());
      });
    }
    // It would go on with the same password, and follow a server's redirection.
    connection.reconnect.stop();
    connection.on("error", () => undefined);
    connection.on("nonza", (element) => {
      if (!element.is("success", SASL)) return;
      // Its library has no use for the last message.
      try {
        scram?.final(atob(element.text()));
      } catch {
        // It is not proven.
      }
    });
    try {
      await within(OPEN_MS, connection.start());
      if (!scram?.isProven) throw new Failure("unproven");
    } catch (error) {
      connection.stop().catch(() => undefined);
      throw failure(error);
    }
    return new Session(connection, lost);
  }

  /** Ask a node. Throws Refusal or Failure. */
  async ask(node: string, command: Element, language: string): Promise<Element> {
    const id = crypto.randomUUID();
    const stanza = xml("iq", { type: "set", to: node, id, "xml:lang": language }, command);
    let answer: Element;
    try {
      answer = await this.#client.iqCaller.request(stanza, ANSWER_MS);
    } catch (error) {
      const { name, condition, text } = error as Partial<Record<string, string>>;
      if (name === "StanzaError") throw new Refusal(condition ?? "", text ?? "");
      throw new Failure(this.#client.status === "online" ? "no-answer" : "lost");
    }
    // Its library compares ids alone.
    if (answer.attrs["from"] !== node) throw new Failure("no-answer");
    return answer;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client.stop().catch(() => undefined);
  }
}

function failure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ScramError) return new Failure("unproven");
  const { name, code, condition, message } = error as Partial<Record<string, string>>;
  if (name === "SASLError" && message?.includes("No compatible")) return new Failure("no-scram");
  if (name === "SASLError") return new Failure("password");
  if (condition === "host-unknown") return new Failure("unknown-domain");
  if (code === "ECONNERROR" || name === "TimeoutError") return new Failure("unreachable");
  return new Failure("other");
}

/** Reject what takes longer: a server that says nothing. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure("unreachable")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
