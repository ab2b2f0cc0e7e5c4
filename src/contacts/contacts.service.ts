import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import {
  type Precondition,
  PreconditionFailedError,
  PreconditionRequiredError,
  requireVersion,
  versionsIn,
} from '../common/precondition.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { type ContactDetails, encryptionContext, indexContext, parseDetails } from './contact.js';
import { ContactsRepository, type StoredContact } from './contacts.repository.js';
import { ContactNotFoundError } from './errors.js';

/** A change: a field that is absent stays, one that is null goes (RFC 7396). */
export type ContactChanges = {
  readonly [Field in keyof ContactDetails]?: ContactDetails[Field] | null;
} & { readonly name?: string };

export interface Contact {
  readonly id: string;
  readonly details: ContactDetails;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly version: number;
}

export interface ContactSearch {
  readonly limit: number;
  readonly cursor?: string;
  readonly email?: string;
}

@Injectable()
export class ContactsService {
  constructor(
    private readonly repository: ContactsRepository,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
  ) {}

  async create(ownerId: string, details: ContactDetails): Promise<Contact> {
    const nowMs = this.clock.nowMs();
    const row = { id: uuidv7(nowMs), owner_id: ownerId, version: 1, created_at: nowMs, updated_at: nowMs };
    await this.repository.insert({ ...row, ...(await this.#encrypt(row, details)) });
    return toContact(row, details);
  }

  /**
   * @throws {ContactNotFoundError}
   * @throws {PreconditionFailedError} when `If-Match` is given and doesn't hold
   */
  async get(ownerId: string, id: string, precondition: Precondition): Promise<Contact> {
    const row = found(await this.repository.find(id, ownerId));
    requireVersion(precondition, row.version);
    return toContact(row, parseDetails(await this.#decrypt(row)));
  }

  /** One page, optionally only those with exactly this e-mail address, upper and lower case alike. */
  async list(ownerId: string, { limit, cursor, email }: ContactSearch): Promise<Page<Contact>> {
    const indexes =
      email === undefined ? undefined : await this.crypto.blindIndexCandidates(email, indexContext(ownerId));
    const rows = await this.repository.list(ownerId, { limit, afterId: decodeCursor(cursor) }, indexes);
    const { items, nextCursor } = toPage(rows, limit, (row) => row.id);
    const contacts = items.map(async (row) => toContact(row, parseDetails(await this.#decrypt(row))));
    return { items: await Promise.all(contacts), nextCursor };
  }

  /**
   * @throws {ContactNotFoundError}
   * @throws {PreconditionRequiredError} without `If-Match`: a blind write would undo somebody's change
   * @throws {PreconditionFailedError} when the contact is at another version
   */
  async update(
    ownerId: string,
    id: string,
    changes: ContactChanges,
    precondition: Precondition,
  ): Promise<Contact> {
    const row = found(await this.repository.find(id, ownerId));
    if (precondition.ifMatch === undefined) throw new PreconditionRequiredError();
    requireVersion(precondition, row.version);
    const details = applyChanges(parseDetails(await this.#decrypt(row)), changes);
    const updated = { ...row, version: row.version + 1, updated_at: this.clock.nowMs() };
    const encrypted = await this.#encrypt(updated, details);
    const isUpdated = await this.repository.update(row, encrypted, updated.updated_at);
    if (!isUpdated) throw new PreconditionFailedError();
    return toContact(updated, details);
  }

  /**
   * @throws {ContactNotFoundError}
   * @throws {PreconditionFailedError} when `If-Match` is given and doesn't hold
   */
  async delete(ownerId: string, id: string, precondition: Precondition): Promise<void> {
    const row = found(await this.repository.find(id, ownerId));
    requireVersion(precondition, row.version);
    const versions = versionsIn(precondition);
    const isDeleted = await this.repository.delete(id, ownerId, versions);
    if (!isDeleted) throw versions ? new PreconditionFailedError() : new ContactNotFoundError();
  }

  /** Plain, as are `found` and `toContact`: each further promise on the way of a read would show in its cost. */
  #decrypt(row: StoredContact): Promise<Buffer> {
    return this.crypto.decrypt(row.ciphertext, encryptionContext(row));
  }

  async #encrypt(row: RowIdentity, details: ContactDetails) {
    const plaintext = Buffer.from(JSON.stringify(details), 'utf8');
    const ciphertext = await this.crypto.encrypt(plaintext, encryptionContext(row));
    const emailIndex =
      details.email === undefined
        ? null
        : await this.crypto.blindIndex(details.email, indexContext(row.owner_id));
    return { ciphertext, key_id: keyIdOf(ciphertext), email_index: emailIndex };
  }
}

/** @throws {ContactNotFoundError} */
function found(row: StoredContact | undefined): StoredContact {
  if (!row) throw new ContactNotFoundError();
  return row;
}

type RowIdentity = Pick<StoredContact, 'id' | 'owner_id' | 'version'>;

function applyChanges(details: ContactDetails, changes: ContactChanges): ContactDetails {
  // Not by spreading: a DTO has its absent fields too, as undefined.
  const email = change(details.email, changes.email);
  const phone = change(details.phone, changes.phone);
  const note = change(details.note, changes.note);
  return {
    name: changes.name ?? details.name,
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone }),
    ...(note === undefined ? {} : { note }),
  };
}

function change(before: string | undefined, after: string | null | undefined): string | undefined {
  return after === undefined ? before : (after ?? undefined);
}

function toContact(
  row: Pick<StoredContact, 'id' | 'created_at' | 'updated_at' | 'version'>,
  details: ContactDetails,
): Contact {
  return {
    id: row.id,
    details,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    version: row.version,
  };
}
