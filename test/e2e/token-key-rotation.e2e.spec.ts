import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { KeyJobRunner } from '../../src/keys/key-job-runner.js';
import { KeyRotationService } from '../../src/keys/key-rotation.service.js';
import { KeyringService } from '../../src/keys/keyring.service.js';
import { type Account, newAccount, PASSWORD } from '../support/accounts.js';
import { readToken, signToken } from '../support/forge-token.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const LANES = 4;
const REQUESTS_PER_LOGIN = 20;
/** So many are sent between two steps of the clock. */
const REQUESTS_PER_STEP = 2 * LANES;
/** What the key set may be remembered for, by its `Cache-Control`. */
const KEY_SET_MAX_AGE_MS = 60_000;

/** Logins and requests without end, over all instances, and another implementation that verifies every token. */
class Load {
  requests = 0;
  readonly kids = new Set<string>();
  readonly refused: unknown[] = [];
  #isRunning = true;
  #keySet: { readonly keys: JSONWebKeySet; readonly readAtMs: number } | undefined;
  readonly #lanes: Promise<void>[];

  constructor(
    private readonly instances: readonly [TestApp, ...TestApp[]],
    accounts: readonly Account[],
  ) {
    this.#lanes = accounts.map((account) => this.#run(account));
  }

  /** Returns once so many more requests are sent. */
  async goOn(requests: number): Promise<void> {
    const wanted = this.requests + requests;
    await until(() => this.requests >= wanted);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#lanes);
  }

  #next(): TestApp {
    return this.instances[this.requests++ % this.instances.length] ?? this.instances[0];
  }

  async #run({ email }: Account): Promise<void> {
    while (this.#isRunning) {
      const answer = await this.#next().post('/v1/auth/login', { email, password: PASSWORD });
      if (answer.status !== 200) this.refused.push(answer.text);
      const token = answer.string('accessToken');
      this.kids.add(String(readToken(token).header['kid']));
      await this.#verifyElsewhere(token).catch((error: unknown) => this.refused.push(error));
      for (let request = 0; this.#isRunning && request < REQUESTS_PER_LOGIN; request++) {
        const { status, text } = await this.#next().get('/v1/users/me', token);
        if (status !== 200) this.refused.push(text);
      }
    }
  }

  async #verifyElsewhere(token: string): Promise<void> {
    const { clock } = this.instances[0];
    if (!this.#keySet || clock.nowMs() - this.#keySet.readAtMs >= KEY_SET_MAX_AGE_MS) {
      const readAtMs = clock.nowMs();
      const { body } = await this.#next().get('/.well-known/jwks.json');
      this.#keySet = { keys: body as JSONWebKeySet, readAtMs };
    }
    await jwtVerify(token, createLocalJWKSet(this.#keySet.keys), {
      algorithms: ['ES256'],
      currentDate: new Date(clock.nowMs()),
    });
  }
}

describe('a rotation of the key that signs access tokens', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let other: TestApp;
    let accounts: Account[];
    beforeAll(async () => {
      app = await newApp();
      other = await app.newInstance();
      accounts = await Promise.all(Array.from({ length: LANES }, () => newAccount(app)));
    });
    afterAll(async () => {
      await other.close();
      await app.close();
    });

    function the<T>(type: abstract new (...dependencies: never[]) => T): T {
      return app.nest.get<T>(type, { strict: false });
    }

    it('refuses no request and no login of a running load, and its retired key afterwards', async () => {
      const retired = await the(KeyringService).tokenSigningKey();
      /** A token that is good in everything but, at some time, its key. */
      function newToken(account: Account): string {
        const { header, payload } = readToken(account.token);
        const exp = app.clock.nowSeconds + 300;
        return signToken({ ...header, kid: retired.kid }, { ...payload, exp }, retired.key);
      }
      const witness = await newAccount(app);
      const load = new Load([app, other], accounts);
      const advance = async (seconds: number, steps: number) => {
        for (let step = 0; step < steps; step++) {
          app.clock.advance(seconds);
          await load.goOn(REQUESTS_PER_STEP);
        }
      };

      await load.goOn(REQUESTS_PER_STEP);
      const job = await the(KeyRotationService).rotate('token-signing', 'system');
      await advance(1, 5);
      expect(await the(KeyJobRunner).run(job!.id)).toBe(false);
      await advance(10, 5);
      await advance(1, 5);
      expect([...load.kids]).toEqual([retired.kid]);
      expect(await the(KeyJobRunner).run(job!.id)).toBe(true);
      await advance(0.2, 10);
      await advance(10, 29);
      expect((await other.get('/v1/users/me', newToken(witness))).status).toBe(200);
      await advance(1, 20);
      await load.stop();

      expect(load.refused).toEqual([]);
      expect(load.kids.size).toBe(2);
      for (const at of [app, other]) {
        expectProblem(await at.get('/v1/users/me', newToken(witness)), 'ERR_UNAUTHENTICATED');
        const { keys } = (await at.get('/.well-known/jwks.json')).body as JSONWebKeySet;
        expect(keys.map(({ kid }) => kid)).not.toContain(retired.kid);
      }
      const next = await newAccount(app);
      expect((await other.get('/v1/users/me', next.token)).status).toBe(200);
    });
  });
});
