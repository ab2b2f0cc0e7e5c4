import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { type Browser, type Page } from 'playwright-core';
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
});
