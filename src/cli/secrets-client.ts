import { membersOf } from '../common/json-members.js';
import { MERGE_PATCH_MEDIA_TYPE } from '../common/merge-patch.js';
import { isStringRecord, type StringRecord } from '../common/string-record.js';
import { type ApiClient, ApiProblem } from './api-client.js';

interface ListedSecret {
  readonly name: string;
  readonly version: number;
  readonly state: string;
}

interface Page {
  readonly items: readonly ListedSecret[];
  readonly nextCursor: string | null;
}

/** The secrets of whoever the client signs in as. */
export class SecretsClient {
  constructor(private readonly api: ApiClient) {}

  /** @returns the version that was written */
  async put(
    name: string,
    data: StringRecord,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    return (await this.api.call('PUT', pathOf(name), isWritten, { body: { data }, headers })).version;
  }

  /** Sets one entry, of a new secret where there is none. @returns the version that was written */
  async set(name: string, key: string, value: string): Promise<number> {
    try {
      const patch = { body: { [key]: value }, contentType: MERGE_PATCH_MEDIA_TYPE };
      return (await this.api.call('PATCH', pathOf(name), isWritten, patch)).version;
    } catch (error) {
      if (!(error instanceof ApiProblem && error.status === 404)) throw error;
      return this.put(name, { [key]: value }, { 'if-none-match': '*' });
    }
  }

  /** @param version - the latest when absent */
  async read(name: string, version?: string): Promise<StringRecord> {
    const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
    return (await this.api.call('GET', `${pathOf(name)}${query}`, isRead)).data;
  }

  /** The entries of several secrets together; of those with the same key the last one wins. */
  async readAll(names: readonly string[]): Promise<StringRecord> {
    const all = new Map<string, string>();
    for (const name of names) {
      for (const [key, value] of Object.entries(await this.read(name))) all.set(key, value);
    }
    return Object.fromEntries(all);
  }

  async *list(prefix: string): AsyncGenerator<ListedSecret> {
    const query = new URLSearchParams({ limit: '100', ...(prefix === '' ? {} : { prefix }) });
    for (;;) {
      const page = await this.api.call('GET', `/v1/secrets?${query.toString()}`, isPage);
      yield* page.items;
      if (page.nextCursor === null) return;
      query.set('cursor', page.nextCursor);
    }
  }
}

function pathOf(name: string): string {
  return `/v1/secrets/${encodeURIComponent(name)}`;
}

function isWritten(answer: unknown): answer is { readonly version: number } {
  return typeof membersOf(answer)['version'] === 'number';
}

function isRead(answer: unknown): answer is { readonly data: StringRecord } {
  return isStringRecord(membersOf(answer)['data']);
}

function isPage(answer: unknown): answer is Page {
  const { items, nextCursor } = membersOf(answer);
  const hasEnd = nextCursor === null || typeof nextCursor === 'string';
  return hasEnd && Array.isArray(items) && items.every(isListed);
}

function isListed(item: unknown): item is ListedSecret {
  const { name, version, state } = membersOf(item);
  return typeof name === 'string' && typeof version === 'number' && typeof state === 'string';
}
