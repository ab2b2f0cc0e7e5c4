import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { digestRecoveryCode, newRecoveryCode } from '../crypto/recovery-code.js';
import { findTotpStep, newTotpSeed, toBase32, totpUri } from '../crypto/totp.js';
import { InvalidCodeError, TotpActiveError, TotpNeededError } from './errors.js';
import { RecoveryCodesRepository } from './recovery-codes.repository.js';
import { seedContext } from './seed-context.js';
import { type TotpFactorRow, TotpFactorsRepository } from './totp-factors.repository.js';

const RECOVERY_CODES = 10;
const TOTP_CODE = /^\d{6}$/;

export type FactorKind = 'totp' | 'recovery-code';

/** A code that the app with the pending seed has shown. */
export interface ProvenSeed {
  readonly ciphertext: Uint8Array;
  readonly step: number;
}

/** The second factor of a user: TOTP, and ten codes for when the app is lost. Who calls it throttles. */
@Injectable()
export class SecondFactorService {
  constructor(
    private readonly factors: TotpFactorsRepository,
    private readonly recoveryCodes: RecoveryCodesRepository,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
  ) {}

  /** Which factor a code claims to be of. */
  kindOf(code: string): FactorKind {
    return TOTP_CODE.test(compact(code)) ? 'totp' : 'recovery-code';
  }

  async isActive(userId: string): Promise<boolean> {
    return isActive(await this.factors.find(userId));
  }

  /** Since when a login needs it, in Unix milliseconds; `undefined` when it doesn't. */
  async activeSince(userId: string): Promise<number | undefined> {
    return (await this.factors.find(userId))?.activated_at ?? undefined;
  }

  /**
   * Makes a seed that counts for nothing before it is activated.
   *
   * @param names - what the app shows: the service's name and the user's
   * @throws {TotpActiveError}
   */
  async enrol(
    userId: string,
    names: { readonly issuer: string; readonly account: string },
  ): Promise<{ readonly secret: string; readonly uri: string }> {
    const seed = newTotpSeed();
    try {
      const ciphertext = await this.crypto.encrypt(seed, seedContext(userId));
      const stored = { ciphertext, keyId: keyIdOf(ciphertext) };
      const isPending = await this.factors.putPending(userId, stored, this.clock.nowMs());
      if (!isPending) throw new TotpActiveError();
      return { secret: toBase32(seed), uri: totpUri(seed, names) };
    } finally {
      seed.fill(0);
    }
  }

  /**
   * The pending seed, if this is its code.
   *
   * @throws {TotpActiveError}
   */
  async provePending(userId: string, code: string): Promise<ProvenSeed | undefined> {
    const row = await this.factors.find(userId);
    if (isActive(row)) throw new TotpActiveError();
    if (!row) return undefined;
    const step = await this.#findStep(row, code);
    return step === undefined ? undefined : { ciphertext: row.seed_ciphertext, step };
  }

  /**
   * From now on a login needs the factor. Call it in the transaction that ends other sessions.
   *
   * @returns the recovery codes, which are shown once
   * @throws {InvalidCodeError} when the seed was replaced or activated since it was proved
   */
  async activate(userId: string, { ciphertext, step }: ProvenSeed): Promise<string[]> {
    const isActivated = await this.factors.activate(userId, ciphertext, step, this.clock.nowMs());
    if (!isActivated) throw new InvalidCodeError();
    const codes = Array.from({ length: RECOVERY_CODES }, () => newRecoveryCode());
    await this.recoveryCodes.replaceAll(
      userId,
      codes.map((code) => digestRecoveryCode(userId, code)),
    );
    return codes;
  }

  /** Uses a code of the active factor up. @returns true once for a code that is right, else false */
  async redeem(userId: string, code: string): Promise<boolean> {
    const row = await this.factors.find(userId);
    if (!row || !isActive(row)) return false;
    if (this.kindOf(code) === 'recovery-code') {
      return this.recoveryCodes.redeem(userId, digestRecoveryCode(userId, code));
    }
    const step = await this.#findStep(row, code);
    return step !== undefined && (await this.factors.useStep(userId, step));
  }

  /**
   * Notes whether the user's password is too short to do without the factor. Call it in the transaction that replaces
   * the password.
   *
   * @returns false when it is, and no factor is active
   */
  async need(userId: string, isNeeded: boolean): Promise<boolean> {
    return (await this.factors.setNeeded(userId, isNeeded)) || !isNeeded;
  }

  /** @throws {TotpNeededError} when the factor can't be removed, before a code is used up for it */
  async refuseNeeded(userId: string): Promise<void> {
    if ((await this.factors.find(userId))?.is_needed === 1) throw new TotpNeededError();
  }

  /**
   * From now on a login needs no second factor. Call it in the transaction that ends other sessions.
   *
   * @throws {InvalidCodeError} when there is none, or it is needed meanwhile
   */
  async remove(userId: string): Promise<void> {
    if (!(await this.factors.delete(userId))) throw new InvalidCodeError();
    await this.recoveryCodes.deleteAll(userId);
  }

  async #findStep(row: TotpFactorRow, code: string): Promise<number | undefined> {
    const seed = await this.crypto.decrypt(row.seed_ciphertext, seedContext(row.user_id));
    try {
      return findTotpStep(seed, compact(code), this.clock.nowMs());
    } finally {
      seed.fill(0);
    }
  }
}

function isActive(row: TotpFactorRow | undefined): boolean {
  return row !== undefined && row.activated_at !== null;
}

/** Apps show codes in groups. */
function compact(code: string): string {
  return code.replaceAll(/[\s-]/g, '');
}
