import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { OwnerDeletedError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { isId } from '../common/id.js';
import { type RequestOrigin } from '../common/request-origin.js';
import { parseStringRecord } from '../common/string-record.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { Database } from '../database/database.js';
import { KeyDestructionService } from '../keys/key-destruction.service.js';
import { AttemptThrottle } from '../throttle/attempt-throttle.js';
import { ShareNotFoundError } from './errors.js';
import {
  dataContext,
  passphraseContext,
  type PublicShare,
  type RevealedShare,
  SHARE_TOKEN_PREFIX,
} from './share.js';
import { type ShareRow, SharesRepository } from './shares.repository.js';

interface Presented {
  readonly token: string;
  readonly passphrase?: string;
}

/** What somebody does who was given a link. Whatever is wrong, they get the same answer. */
@Injectable()
export class ShareRevealsService {
  constructor(
    private readonly repository: SharesRepository,
    private readonly crypto: CryptoService,
    private readonly throttle: AttemptThrottle,
    private readonly keys: KeyDestructionService,
    private readonly audit: AuditService,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Uses nothing up: programs that look at links before people do may come here.
   *
   * @throws {ShareNotFoundError}
   */
  async get(id: string): Promise<PublicShare> {
    const share = isId(id) ? await this.repository.findLive(id, this.clock.nowMs()) : undefined;
    if (!share) throw new ShareNotFoundError();
    return {
      id,
      viewsLeft: share.views_left,
      expiresAt: new Date(share.expires_at),
      needsPassphrase: share.passphrase_ciphertext !== null,
    };
  }

  /**
   * Gives the data out and uses one view up. With the last one the data key is destroyed.
   *
   * @throws {ShareNotFoundError} for everything
   * @throws HashQueueFullError
   * @throws {AuditUnavailableError} and the view is not used up
   */
  async reveal(id: string, presented: Presented, origin: RequestOrigin): Promise<RevealedShare> {
    const { token } = presented;
    const digest = this.crypto.digestToken(SHARE_TOKEN_PREFIX, token);
    if (!digest || !isId(id)) throw new ShareNotFoundError();
    // Who has no token learns nothing from how long this takes; who has it may see on the page that the share lives.
    const share = await this.repository.findLive(id, this.clock.nowMs(), digest);
    if (!share) throw new ShareNotFoundError();
    if (share.passphrase_ciphertext) await this.#checkPassphrase(share, presented, origin);
    return this.#take(id, { token, digest }, origin).catch((error: unknown) => {
      throw error instanceof OwnerDeletedError ? new ShareNotFoundError() : error;
    });
  }

  async #take(
    id: string,
    { token, digest }: { readonly token: string; readonly digest: Buffer },
    { ip, requestId }: RequestOrigin,
  ): Promise<RevealedShare> {
    return this.database.transaction(async () => {
      const nowMs = this.clock.nowMs();
      const taken = await this.repository.take(id, digest, nowMs);
      if (!taken) throw new ShareNotFoundError();
      const { owner_id: ownerId, views, views_left: viewsLeft } = taken;
      await this.repository.insertReveal({ share_id: id, view: views - viewsLeft, revealed_at: nowMs });
      const plaintext = await this.crypto.decrypt(taken.ciphertext, dataContext(ownerId, id));
      if (viewsLeft === 0) {
        await this.repository.empty([id]);
        await this.keys.destroyValueKeys([taken.key_id]);
      }
      await this.audit.record({
        actor: null,
        action: 'share.reveal',
        target: `share:${id}`,
        ownerId,
        outcome: 'success',
        value: token,
        ip,
        requestId,
      });
      return { data: parseStringRecord(plaintext.toString('utf8')), viewsLeft };
    });
  }

  /** Slowed down share by share: whoever has a link can guess at its passphrase and no other. */
  async #checkPassphrase(
    { id, owner_id: ownerId, passphrase_ciphertext: stored }: ShareRow,
    { token, passphrase }: Presented,
    { ip, requestId }: RequestOrigin,
  ): Promise<void> {
    if (passphrase === undefined || !stored) throw new ShareNotFoundError();
    const isRight = await this.throttle.attempt({
      kind: 'share-passphrase',
      subject: id,
      verify: async () => {
        const { ok } = await this.crypto.verifyPassword(passphrase, stored, passphraseContext(id));
        return ok || undefined;
      },
      imitate: () => this.crypto.verifyPassword(passphrase, undefined, passphraseContext(id)),
      onRefusal: async () => {
        const refusal = { actor: null, action: 'share.reveal', target: `share:${id}`, ownerId } as const;
        await this.audit.record({ ...refusal, outcome: 'failure', value: token, ip, requestId });
      },
    });
    if (isRight === undefined) throw new ShareNotFoundError();
  }
}
