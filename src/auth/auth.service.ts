import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { type RequestOrigin } from '../common/request-origin.js';
import { AppConfig } from '../config/app-config.js';
import { type SignAccessToken } from '../crypto/access-token.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { AttemptThrottle } from '../throttle/attempt-throttle.js';
import { type User, UsersService } from '../users/users.service.js';
import { AuthEvents } from './auth-events.js';
import { AccountChangedError, InvalidCredentialsError, RegistrationClosedError } from './errors.js';
import { KnownDevices } from './known-devices.js';
import { SecondFactorSteps, type SecondStep } from './second-factor-steps.js';
import { type GrantedSession } from './session.js';
import { SessionsService } from './sessions.service.js';

/** What a client needs to call the API. Lifetimes in seconds. */
export interface Tokens {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

/** What somebody who signs in shows. */
export interface Login {
  readonly email: string;
  readonly password: string;
  /** Of the second factor, or a recovery code. */
  readonly code?: string;
  /** What an earlier login gave this device. */
  readonly deviceToken?: string;
}

@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly secondFactor: SecondFactorSteps,
    private readonly events: AuthEvents,
    private readonly throttle: AttemptThrottle,
    private readonly knownDevices: KnownDevices,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /**
   * @throws {RegistrationClosedError}
   * @throws {ValidationError} when the password is too weak
   * @throws {EmailTakenError}
   */
  async register(email: string, password: string, origin: RequestOrigin): Promise<User> {
    if (this.config.auth.registration === 'closed') throw new RegistrationClosedError();
    return this.users.create(email, password, ['user'], (userId) =>
      this.events.registered(userId, email, origin),
    );
  }

  /**
   * Begins a session. Failures are counted per account, and apart for each device that has signed in to it before:
   * so nobody else can keep it out.
   *
   * @throws {InvalidCredentialsError} also in a back-off, whatever the password
   * @throws {MfaRequiredError} when the account has a second factor and no code is given
   * @throws {HashQueueFullError}
   */
  async login(
    { email, password, code, deviceToken }: Login,
    userAgent: string,
    origin: RequestOrigin,
  ): Promise<Tokens & { readonly deviceToken: string }> {
    const credentials = await this.users.findCredentials(email);
    const deviceId = await this.knownDevices.recognise(credentials, deviceToken);
    const subject = deviceId === undefined ? credentials.subject : `${credentials.subject}/${deviceId}`;
    const userId = await this.throttle.attempt({
      kind: 'password',
      subject,
      verify: () => this.users.verifyPassword(credentials, password),
      imitate: () => this.users.imitateVerification(password),
      onRefusal: (reason) => this.events.loginRefused(reason, { userId: credentials.userId, email }, origin),
    });
    if (userId === undefined) throw new InvalidCredentialsError();
    // Before the session is: what fails from then on would leave one behind that nobody has.
    const sign = await this.crypto.accessTokenSigner();
    const { passwordChangedAtMs } = credentials;
    const nextDeviceToken = await this.knownDevices.tokenFor(userId, passwordChangedAtMs, deviceId);
    const onRefusal: SecondStep['onRefusal'] = (reason) =>
      this.events.loginRefused(reason, { userId, email }, origin);
    const completed = this.secondFactor.complete({ userId, code, subject, onRefusal }, (amr) => {
      const isStillEnough = () => this.secondFactor.isEnough(userId, amr);
      const authenticated = { userId, email, passwordChangedAtMs, isStillEnough, amr };
      return this.sessions.begin(authenticated, userAgent, origin);
    });
    const session = await completed.catch(async (error: unknown) => {
      // Here, because what undid the session undid what was recorded with it.
      if (error instanceof AccountChangedError) await onRefusal('wrong');
      throw error;
    });
    return { ...this.#issue(session, sign), deviceToken: nextDeviceToken };
  }

  /** @throws {InvalidRefreshTokenError} */
  async refresh(refreshToken: string, origin: RequestOrigin): Promise<Tokens> {
    const sign = await this.crypto.accessTokenSigner();
    return this.#issue(await this.sessions.refresh(refreshToken, origin), sign);
  }

  #issue({ session, roles, refreshToken }: GrantedSession, sign: SignAccessToken): Tokens {
    const nowMs = this.clock.nowMs();
    const nowSeconds = Math.floor(nowMs / 1_000);
    const { issuer, audience, accessTokenTtlSeconds } = this.config.auth;
    const refreshExpiresInSeconds = Math.floor((session.idle_expires_at - nowMs) / 1_000);
    const expiresInSeconds = Math.min(accessTokenTtlSeconds, refreshExpiresInSeconds);
    const accessToken = sign({
      iss: issuer,
      aud: audience,
      sub: session.user_id,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + expiresInSeconds,
      jti: uuidv7(nowMs),
      sid: session.id,
      roles: [...roles],
      amr: session.amr.split(' '),
      // Where the clock was set back since: nobody would take a token of somebody who signs in later.
      auth_time: Math.min(Math.floor(session.auth_time / 1_000), nowSeconds),
    });
    return {
      accessToken,
      expiresInSeconds,
      refreshToken,
      refreshExpiresInSeconds,
    };
  }
}
