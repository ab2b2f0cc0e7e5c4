import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** A text that nothing prints: no log, no JSON, no message that it is put into. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text, for what needs it and shows it to nobody. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
