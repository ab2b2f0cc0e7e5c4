import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { type User, UsersService } from '../users/users.service.js';
import { InvalidCredentialsError, InvalidRefreshTokenError, RegistrationClosedError } from './errors.js';
import { type Device, type GrantedSession, SessionsService } from './sessions.service.js';

/** What a client needs to call the API. Lifetimes in seconds. */
export interface Tokens {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /**
   * @throws {RegistrationClosedError}
   * @throws {ValidationError} when the password is too weak
   * @throws {EmailTakenError}
   */
  async register(email: string, password: string): Promise<User> {
    if (this.config.auth.registration === 'closed') throw new RegistrationClosedError();
    return this.users.create(email, password, ['user']);
  }

  /** @throws {InvalidCredentialsError} */
  async login(email: string, password: string, device: Device): Promise<Tokens> {
    const userId = await this.users.authenticate(email, password);
    if (userId === undefined) throw new InvalidCredentialsError();
    return this.#issue(await this.sessions.begin(userId, ['pwd'], device));
  }

  /** @throws {InvalidRefreshTokenError} */
  async refresh(refreshToken: string): Promise<Tokens> {
    return this.#issue(await this.sessions.refresh(refreshToken));
  }

  async #issue({ session, refreshToken }: GrantedSession): Promise<Tokens> {
    const nowMs = this.clock.nowMs();
    const nowSeconds = Math.floor(nowMs / 1_000);
    const { issuer, audience, accessTokenTtlSeconds } = this.config.auth;
    const live = await this.sessions.findLive(session.id);
    if (!live) throw new InvalidRefreshTokenError();
    const accessToken = await this.crypto.signAccessToken({
      iss: issuer,
      aud: audience,
      sub: session.user_id,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + accessTokenTtlSeconds,
      jti: uuidv7(nowMs),
      sid: session.id,
      roles: [...live.roles],
      amr: session.amr.split(' '),
      auth_time: Math.floor(session.auth_time / 1_000),
    });
    return {
      accessToken,
      expiresInSeconds: accessTokenTtlSeconds,
      refreshToken,
      refreshExpiresInSeconds: Math.floor((session.idle_expires_at - nowMs) / 1_000),
    };
  }
}
