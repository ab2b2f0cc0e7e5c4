import { Injectable } from '@nestjs/common';
import { type Principal } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { InvalidTokenError } from '../crypto/access-token.js';
import { ApiKeysService } from './api-keys.service.js';
import { UnauthenticatedError } from './errors.js';
import { SessionsService } from './sessions.service.js';

/** A token's key is looked at anew after this time; the keyring itself may remember its state as long again. */
const RECHECK_MS = 1_000;
const MAX_REMEMBERED_TOKENS = 10_000;
const BEARER = 'bearer ';

interface VerifiedToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
  /** When its key and its session were last found good. */
  checkedAtMs: number;
}

/**
 * Who sends a request. A token's signature is verified once and remembered by the token's digest until
 * it expires; that its key and its session are still good is checked anew every second.
 */
@Injectable()
export class Authenticator {
  readonly #verified = new Map<string, VerifiedToken>();

  constructor(
    private readonly crypto: CryptoService,
    private readonly sessions: SessionsService,
    private readonly apiKeys: ApiKeysService,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /**
   * A promise only where something has to be looked up: most requests come with what is known already.
   *
   * @param authorization - the `Authorization` header field
   * @param connection - what it came over: its next request mostly brings the same token
   * @throws {UnauthenticatedError} for anything but a good access token of a live session or a good API key
   */
  authenticate(authorization: string | undefined, connection: object): Principal | Promise<Principal> {
    if (authorization?.slice(0, BEARER.length).toLowerCase() !== BEARER) throw new UnauthenticatedError();
    const token = authorization.slice(BEARER.length);
    if (this.apiKeys.isApiKey(token)) return this.apiKeys.authenticate(token);
    const digest = this.crypto.digest(token, connection);
    const nowMs = this.clock.nowMs();
    const verified = this.#verified.get(digest);
    // Also where the clock was set back since: the token may be of a time to come, and would outlive its own.
    if (!verified || nowMs >= verified.expiresAtMs || nowMs < verified.checkedAtMs) {
      return this.#verify(token, digest, nowMs);
    }
    const isFresh = nowMs - verified.checkedAtMs < RECHECK_MS;
    const session = isFresh ? this.sessions.peekLive(verified.sessionId) : undefined;
    return session ? checked(session, verified) : this.#recheck(token, digest, nowMs, verified);
  }

  async #verify(token: string, digest: string, nowMs: number): Promise<Principal> {
    this.#verified.delete(digest);
    const { issuer, audience } = this.config.auth;
    const expectations = { issuer, audience, nowSeconds: Math.floor(nowMs / 1_000) };
    const claims = await this.crypto.verifyAccessToken(token, expectations).catch((error: unknown) => {
      // Anything else, such as a database that can't be reached, is no verdict on the token.
      throw error instanceof InvalidTokenError ? new UnauthenticatedError() : error;
    });
    const verified = {
      userId: claims.sub,
      sessionId: claims.sid,
      expiresAtMs: claims.exp * 1_000,
      checkedAtMs: nowMs,
    };
    const oldest = this.#verified.keys().next();
    if (this.#verified.size >= MAX_REMEMBERED_TOKENS && !oldest.done) this.#verified.delete(oldest.value);
    this.#verified.set(digest, verified);
    return this.#findSession(verified);
  }

  async #recheck(token: string, digest: string, nowMs: number, verified: VerifiedToken): Promise<Principal> {
    if (!(await this.crypto.isAccessTokenKeyUsable(token))) {
      this.#verified.delete(digest);
      throw new UnauthenticatedError();
    }
    const principal = await this.#findSession(verified);
    verified.checkedAtMs = nowMs;
    return principal;
  }

  async #findSession(verified: VerifiedToken): Promise<Principal> {
    return checked(await this.sessions.findLive(verified.sessionId), verified);
  }
}

function checked(session: Principal | undefined, { userId }: VerifiedToken): Principal {
  if (session?.userId !== userId) throw new UnauthenticatedError();
  return session;
}
