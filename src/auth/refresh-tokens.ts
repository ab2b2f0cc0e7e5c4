import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { InvalidRefreshTokenError } from './errors.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';

const PREFIX = 'sasr';
const PURPOSE = 'refresh-token';

/** A refresh token on its way through one refresh. */
interface PresentedToken {
  readonly text: string;
  readonly digest: Buffer;
  /** The token that follows from it. Whether it is given out is another question. */
  readonly successor: string;
  readonly successorKeyId: string;
}

/** What came of it. A replay means that somebody holds a token who shouldn't. */
type Redemption =
  | { readonly sessionId: string; readonly use: 'first' | 'repeated'; readonly successor: string }
  | { readonly sessionId: string; readonly use: 'replay' };

/**
 * The refresh tokens of a session. Each is good once and followed by one other, which is derived from it: so whoever
 * lost the answer can ask again for a moment, and gets the same successor instead of a second branch.
 */
@Injectable()
export class RefreshTokens {
  constructor(
    private readonly repository: RefreshTokensRepository,
    private readonly crypto: CryptoService,
    private readonly config: AppConfig,
  ) {}

  /** The first token of a session. In the transaction that inserts the session. */
  async issue(sessionId: string, nowMs: number): Promise<string> {
    const token = this.crypto.randomToken(PREFIX);
    await this.repository.insert(this.#digest(token), sessionId, nowMs);
    return token;
  }

  /**
   * Reads a token and derives its successor. Outside of a transaction, where keys are remembered.
   *
   * @throws {InvalidRefreshTokenError} for a text that is no refresh token
   */
  async read(text: string): Promise<PresentedToken> {
    const digest = this.#digest(text);
    const derived = await this.crypto.deriveToken(PREFIX, text, { purpose: PURPOSE });
    if (!derived) throw new Error('there is no key to derive refresh tokens with');
    return { text, digest, successor: derived.token, successorKeyId: derived.keyId };
  }

  /**
   * Uses the token up and stores its successor, in the surrounding transaction. One that was used within the grace
   * period, while its successor was not, gets the same successor again.
   *
   * @returns `undefined` for an unknown token, and for an unused one whose session has ended
   */
  async redeem(token: PresentedToken, nowMs: number): Promise<Redemption | undefined> {
    const { digest, successor, successorKeyId } = token;
    const sessionId = await this.repository.redeem(digest, nowMs, successorKeyId);
    if (sessionId !== undefined) {
      await this.repository.insert(this.#digest(successor), sessionId, nowMs);
      return { sessionId, use: 'first', successor };
    }
    const used = await this.repository.findUsed(digest);
    if (!used) return undefined;
    const again = this.#isInGrace(used.usedAtMs, nowMs)
      ? await this.#deriveAgain(token, used.successorKeyId)
      : undefined;
    return again !== undefined && (await this.repository.isGood(this.#digest(again), nowMs))
      ? { sessionId: used.sessionId, use: 'repeated', successor: again }
      : { sessionId: used.sessionId, use: 'replay' };
  }

  /** On either side, since the clocks of two instances differ. */
  #isInGrace(usedAtMs: number, nowMs: number): boolean {
    return Math.abs(nowMs - usedAtMs) < this.config.auth.refreshGraceSeconds * 1_000;
  }

  /** The successor that the token got, also when the key has been rotated since. */
  async #deriveAgain(
    { text, successor, successorKeyId }: PresentedToken,
    keyId: string | null,
  ): Promise<string | undefined> {
    if (keyId === null) return undefined;
    if (keyId === successorKeyId) return successor;
    return (await this.crypto.deriveToken(PREFIX, text, { purpose: PURPOSE, keyId }))?.token;
  }

  #digest(text: string): Buffer {
    const digest = this.crypto.digestToken(PREFIX, text);
    if (!digest) throw new InvalidRefreshTokenError();
    return digest;
  }
}
