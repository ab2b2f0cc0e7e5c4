import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { type Browser, type Page } from 'playwright-core';
import { newAccount } from '../support/accounts.js';
import { openBrowser } from '../support/browser.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

describe('the docs page in a browser', () => {
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  const requested = new Set<string>();
  const complaints: string[] = [];

  beforeAll(async () => {
    app = await newTestApp({ environment: { DOCS_ENABLED: 'true' } });
    browser = await openBrowser(app);
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('request', (request) => requested.add(new URL(request.url()).host));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${app.url}/docs`);
    await page.getByText('/v1/auth/register').waitFor();
  });

  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  it('lists every tag of the API', async () => {
    const tags = await page.locator('.opblock-tag').evaluateAll((all) => all.map((tag) => tag.id));
    expect(tags.toSorted()).toEqual(
      ['audit', 'auth', 'contacts', 'health', 'secrets', 'shares', 'users'].map(
        (tag) => `operations-tag-${tag}`,
      ),
    );
  });

  it('loads nothing from another host', () => {
    expect([...requested]).toEqual([new URL(app.url).host]);
  });

  it('runs under a policy without unsafe-inline in script-src and breaks none of it', async () => {
    const policy = String((await app.request('GET', '/docs')).headers['content-security-policy']);
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).toBe("'self'");
    expect(complaints).toEqual([]);
  });

  it('sends a request and shows its answer', async () => {
    const operation = page.locator('[id="operations-health-Health_live"]');
    await operation.locator('.opblock-summary').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table').waitFor();
    expect(await operation.locator('.live-responses-table').textContent()).toContain('"status": "ok"');
    if (process.env['SCREENSHOT_DIR'] !== undefined) {
      await page.screenshot({ path: join(process.env['SCREENSHOT_DIR'], 'docs-page.png') });
    }
  });

  it('sends requests that nobody edited, but for what only the caller can know', async () => {
    const { token } = await newAccount(app);
    const contact = await app.post('/v1/contacts', { name: 'Grace' }, token);
    await page.locator('.auth-wrapper .authorize').first().click();
    await page.locator('.auth-container input').fill(token);
    await page.locator('.auth-container button[type=submit]').click();
    await page.locator('.auth-container .btn-done').click();
    const answers: Record<string, string> = {};
    for (const [id, tag, parameter] of [
      ['Secrets_put', 'secrets'],
      ['Secrets_patch', 'secrets'],
      ['Secrets_delete', 'secrets'],
      ['Shares_create', 'shares'],
      ['Contacts_create', 'contacts'],
      ['Contacts_update', 'contacts', contact.string('id')],
      ['ApiKeys_create', 'auth'],
    ] as const) {
      answers[id] = await execute(`operations-${tag}-${id}`, parameter);
    }
    expect(answers).toEqual({
      Secrets_put: '201',
      Secrets_patch: '200',
      Secrets_delete: '204',
      Shares_create: '201',
      Contacts_create: '201',
      Contacts_update: '200',
      ApiKeys_create: '201',
    });
  }, 180_000);

  /** The status of the answer to what the page sends by itself. @param id - goes into the path, where it has one */
  async function execute(operationId: string, id?: string): Promise<string> {
    const operation = page.locator(`[id="${operationId}"]`);
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    if (id !== undefined) await operation.locator('tr[data-param-in=path] input').fill(id);
    await operation.getByRole('button', { name: 'Execute' }).click();
    const status = operation.locator('.live-responses-table .response-col_status').last();
    await status.waitFor();
    if (process.env['SCREENSHOT_DIR'] !== undefined)
      await operation.screenshot({ path: join(process.env['SCREENSHOT_DIR'], `${operationId}.png`) });
    const text = (await status.textContent()) ?? '';
    // What is open makes the page slow.
    await operation.locator('.opblock-summary-control').click();
    return /\d{3}/.exec(text)?.[0] ?? '';
  }
});
