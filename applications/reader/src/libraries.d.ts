/** What is used here of libraries that bring no types. */

declare module "ltx" {
  export class Element {
    constructor(name: string, attrs?: Record<string, string>);
    readonly name: string;
    readonly attrs: Record<string, string | undefined>;
    getNS(): string | undefined;
    getChild(name: string, xmlns?: string): Element | undefined;
    getChildren(name: string, xmlns?: string): Element[];
    getChildElements(): Element[];
    getChildText(name: string, xmlns?: string): string | null;
    is(name: string, xmlns?: string): boolean;
    text(): string;
    toString(): string;
  }
  export function parse(text: string): Element;
}

declare module "@xmpp/client" {
  import type { Element } from "ltx";

  type Child = Element | string | undefined;

  /** A mechanism of SASL. Challenges and responses are texts. */
  export interface Mechanism {
    readonly name: string;
    readonly clientFirst: boolean;
    response(credentials: object): string | Promise<string>;
    challenge(text: string): void | Promise<void>;
    final?(text: string): void;
  }

  export interface Client {
    readonly jid: { toString(): string } | null;
    readonly status: string;
    readonly iqCaller: { request(stanza: Element, timeoutMs: number): Promise<Element> };
    readonly reconnect: { stop(): void };
    /** Mechanisms are made with `new`, which gives what a function returns. */
    readonly saslFactory: { use(name: string, make: () => Mechanism): void };
    on(event: "error", hear: (error: unknown) => void): void;
    on(event: "disconnect", hear: () => void): void;
    on(event: "nonza", hear: (element: Element) => void): void;
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
  }

  export function client(options: {
    service: string;
    domain: string;
    lang: string;
    timeout: number;
    credentials: (
      authenticate: (credentials: object, mechanism: string) => Promise<void>,
      mechanisms: string[],
    ) => Promise<void>;
  }): Client;

  export function xml(
    name: string,
    attrs: Record<string, string | undefined>,
    ...children: (Child | Child[])[]
  ): Element;
}
