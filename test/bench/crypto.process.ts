/**
 * The cryptography of the built application beside bare AES-256-GCM, in one process: the envelope, the
 * encryption context and the look-up of the key in a cache like the keyring's are all part of an operation.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import type { SymmetricKey } from '../../src/crypto/symmetric-key.js';
import { dist } from './built.ts';
import { serveCalls } from './child.ts';
import { context, newCryptoService, owner } from './crypto-service.ts';
import { stream } from './crypto-streams.ts';
import { median } from './statistics.ts';

/** Long enough for the garbage collector to come to what a turn leaves behind. */
const TURN_MICROS = 60_000;
/** This part of a turn comes before it, uncounted: a collector that was called on purpose has given memory and code back. */
const LEAD_IN = 4;
const WARM_UP_ROUNDS = 2;
const MAX_ROUNDS = 9;
const MIN_ROUNDS = 3;
/** No further round begins after this time. */
const BUDGET_MS = 25_000;
const GCM_OPTIONS = { authTagLength: 16 };
/** nonce ‖ ciphertext ‖ tag in one buffer; `bare encrypt` leaves them where they are. */
const BARE_MESSAGE = 'bare encrypt to a message';

const info = { purpose: 'share/v1', secret: context.row, version: '1', recipient: owner };

/** CPU of an operation, all threads of the process. */
export interface OperationCost {
  readonly name: string;
  /** What it is compared with, if with anything. */
  readonly bare: string | undefined;
  readonly cpuMicros: number;
  /** Median over the rounds of its cost in relation to that of the bare one right before and after. */
  readonly ratio: number | undefined;
}

interface Operation {
  readonly bare?: 'bare encrypt' | 'bare decrypt';
  readonly run: () => unknown;
}

const api = { operations, stream };
export type CryptoApi = typeof api;
serveCalls(api);

async function operations(bytes: number): Promise<OperationCost[]> {
  const plaintext = randomBytes(bytes);
  return costsOf({
    ...bareOperations(plaintext),
    ...(await symmetricOperations(plaintext)),
    ...(await asymmetricOperations(plaintext)),
  });
}

async function costsOf(all: Readonly<Record<string, Operation>>): Promise<OperationCost[]> {
  const measured = Object.entries(all).map(([name, operation]) => new MeasuredOperation(name, operation));
  const startedAtMs = performance.now();
  for (let round = 0; round < WARM_UP_ROUNDS + MAX_ROUNDS; round++) {
    const isEnough = round >= WARM_UP_ROUNDS + MIN_ROUNDS && performance.now() - startedAtMs > BUDGET_MS;
    if (isEnough) break;
    for (const operation of measured) {
      const bare = measured.find(({ name }) => name === operation.bare);
      // Before and after, so that what else the machine does, and what a turn does to the memory of the process, falls on
      // both alike.
      const before = await bare?.measure();
      const cpuMicros = await operation.measure();
      const after = await bare?.measure();
      if (round < WARM_UP_ROUNDS) continue;
      operation.costs.push(cpuMicros);
      if (before !== undefined && after !== undefined) {
        operation.ratios.push(cpuMicros / ((before + after) / 2));
      }
    }
  }
  return measured.map(({ name, bare, costs, ratios }) => {
    return { name, bare, cpuMicros: median(costs), ratio: bare === undefined ? undefined : median(ratios) };
  });
}

class MeasuredOperation {
  readonly name: string;
  readonly bare: string | undefined;
  readonly costs: number[] = [];
  readonly ratios: number[] = [];
  readonly #run: () => unknown;
  #batch = 1;

  constructor(name: string, { bare, run }: Operation) {
    this.name = name;
    this.bare = bare;
    this.#run = run;
  }

  /** CPU of one operation, from a turn of them. Each pays for collecting its own garbage, and none for another's. */
  async measure(): Promise<number> {
    if (!globalThis.gc) throw new Error('want --expose-gc');
    globalThis.gc();
    await this.#repeat(this.#batch / LEAD_IN);
    const before = process.cpuUsage();
    await this.#repeat(this.#batch);
    const { user, system } = process.cpuUsage(before);
    const cpuMicros = Math.max((user + system) / this.#batch, 0.01);
    this.#batch = Math.max(1, Math.round(TURN_MICROS / cpuMicros));
    return cpuMicros;
  }

  async #repeat(times: number): Promise<void> {
    for (let count = 0; count < times; count++) {
      const result = this.#run();
      if (result instanceof Promise) await result;
    }
  }
}

async function symmetricOperations(plaintext: Buffer): Promise<Record<string, Operation>> {
  const all: Record<string, Operation> = {};
  for (const [label, suite] of [
    ['0x01', 'COBBLESTONE-256'],
    ['0x02', 'XAES-256-GCM'],
  ] as const) {
    const keys = new Map<string, SymmetricKey>();
    const crypto = await newCryptoService(suite, keys);
    const withNewKeys = await newCryptoService(suite, keys);
    const envelope = await crypto.encrypt(plaintext, context);
    all[`${label} encrypt`] = { bare: 'bare encrypt', run: () => crypto.encrypt(plaintext, context) };
    all[`${label} decrypt`] = { bare: 'bare decrypt', run: () => crypto.decrypt(envelope, context) };
    all[`${label} rewrap`] = { run: () => withNewKeys.rewrap(envelope, context) };
  }
  return all;
}

function bareOperations(plaintext: Buffer): Record<string, Operation> {
  const [key, nonce] = [createSecretKey(randomBytes(32)), randomBytes(12)];
  const encrypt = () => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce, GCM_OPTIONS);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return [ciphertext, cipher.getAuthTag()] as const;
  };
  const [ciphertext, tag] = encrypt();
  const decrypt = () => {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, GCM_OPTIONS).setAuthTag(tag);
    const decrypted = decipher.update(ciphertext);
    decipher.final();
    return decrypted;
  };
  return {
    'bare encrypt': { run: encrypt },
    'bare decrypt': { run: decrypt },
    // What whoever stores the result has to do as well.
    [BARE_MESSAGE]: { bare: 'bare encrypt', run: () => Buffer.concat([nonce, ...encrypt()]) },
  };
}

async function asymmetricOperations(plaintext: Buffer): Promise<Record<string, Operation>> {
  type Sealing = typeof import('../../src/crypto/sealing-key.js');
  const crypto = await newCryptoService('COBBLESTONE-256');
  const { SealingKeyPair } = await dist<Sealing>('crypto/sealing-key.js');
  const all: Record<string, Operation> = {};
  for (const kem of ['MLKEM768-X25519', 'X25519'] as const) {
    const pair = await SealingKeyPair.import({ id: '0123456789abcdef', owner, kem }, randomBytes(32));
    const box = await pair.publicKey.seal(plaintext, info);
    all[`seal ${kem}`] = { run: () => pair.publicKey.seal(plaintext, info) };
    all[`open ${kem}`] = { run: () => pair.open(box, info) };
  }
  const signature = await crypto.sign(plaintext, 'audit');
  all['sign'] = { run: () => crypto.sign(plaintext, 'audit') };
  all['verify'] = { run: () => crypto.verify(plaintext, signature, 'audit') };
  const text = plaintext.toString('base64').slice(0, plaintext.length);
  all['blindIndex'] = { run: () => crypto.blindIndex(text, { owner, table: 'contacts', column: 'email' }) };
  return all;
}
