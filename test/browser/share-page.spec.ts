import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type Page, type Request } from 'playwright-core';
import { type Account, newAccount } from '../support/accounts.js';
import { openBrowser } from '../support/browser.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const PASSPHRASE = 'told on the telephone';
const windows = { 'on a desk': { width: 1280, height: 900 }, 'on a phone': { width: 360, height: 640 } };

describe.each(Object.entries(windows))('the page of a share %s', (name, viewport) => {
  let app: TestApp;
  let owner: Account;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let requests: Request[];
  let complaints: string[];

  beforeAll(async () => {
    app = await newTestApp();
    owner = await newAccount(app);
    browser = await openBrowser(app);
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport, locale: 'en-GB' });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    page = await context.newPage();
    requests = [];
    complaints = [];
    page.on('request', (request) => requests.push(request));
    page.on('console', (message) => {
      // A refused call is logged by the browser itself; the page shows it.
      if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });
  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  async function share(body: object = {}): Promise<{ id: string; token: string; url: string }> {
    const data = { username: 'ada', password: 'opén sesame <b>🔑</b>' };
    const created = await app.post('/v1/shares', { data, ...body }, owner.token);
    const [id, token] = [created.string('id'), created.string('token')];
    return { id, token, url: `${app.url}/s/${id}#${token}` };
  }

  async function viewsLeft(id: string): Promise<unknown> {
    const { items } = await app.get('/v1/shares?limit=100', owner.token);
    return items.find((item) => item['id'] === id)?.['viewsLeft'];
  }

  async function picture(what: string): Promise<void> {
    const directory = process.env['SCREENSHOT_DIR'];
    if (directory === undefined) return;
    await page.screenshot({ path: join(directory, `share-${what}-${name.replaceAll(' ', '-')}.png`) });
  }

  /** Nothing sticks out to the side, and the button is where a thumb finds it. */
  async function expectToFit(): Promise<void> {
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(isWide).toBe(false);
  }

  const button = () => page.getByRole('button', { name: 'Show the secret' });

  it('uses nothing up when it is opened, again and again', async () => {
    const { id, url } = await share();
    for (let opened = 0; opened < 3; opened++) {
      await page.goto(url);
      await page.reload();
      await button().waitFor();
    }
    await expectToFit();
    await picture('closed');
    expect(await page.getByRole('status').textContent()).toContain('It can be shown once, until');
    expect(await viewsLeft(id)).toBe(1);
  });

  it('shows the secret as text at a click, and takes the token out of the address', async () => {
    const { id, token, url } = await share();
    await page.goto(url);
    await button().click();
    await page.getByText('The server has destroyed its copy.').waitFor();
    const values = await page.locator('dd code').allTextContents();
    expect(values).toEqual(['ada', 'opén sesame <b>🔑</b>']);
    await expectToFit();
    await picture('open');
    expect(page.url()).toBe(`${app.url}/s/${id}`);
    expect(await page.evaluate(() => location.href + document.referrer)).not.toContain(token);
    expect(await viewsLeft(id)).toBe(0);
    await page.getByRole('button', { name: 'Copy password' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('opén sesame <b>🔑</b>');
  });

  it('sends the token in a body only, and nothing to another host', async () => {
    const { token, url } = await share();
    await page.goto(url);
    await button().click();
    await page.locator('dd').first().waitFor();
    for (const request of requests.filter((each) => !each.url().startsWith('data:'))) {
      expect(new URL(request.url()).host).toBe(new URL(app.url).host);
      // The browser keeps the fragment of a page to itself: it is cut off from what goes onto the wire.
      expect(request.url().split('#')[0]).not.toContain(token);
      expect(JSON.stringify(await request.allHeaders())).not.toContain(token);
    }
    const bodies = requests.map((request) => request.postData()).filter((body) => body !== null);
    expect(bodies).toEqual([JSON.stringify({ token })]);
  });

  it('asks for the passphrase and lets one try again', async () => {
    const { id, url } = await share({ passphrase: PASSPHRASE, views: 2 });
    await page.goto(url);
    await page.getByLabel('Passphrase').fill('a wrong one');
    await button().click();
    await page.getByRole('alert').waitFor();
    await expectToFit();
    await picture('passphrase');
    expect(await page.locator('dd').count()).toBe(0);
    expect(await viewsLeft(id)).toBe(2);
    await page.getByLabel('Passphrase').fill(PASSPHRASE);
    await page.keyboard.press('Enter');
    await page.getByText('The link can be used once more.').waitFor();
    expect(await page.locator('dd code').first().textContent()).toBe('ada');
    expect(await viewsLeft(id)).toBe(1);
  });

  it('says of a link that is used up, unknown or cut off that it does not work', async () => {
    const used = await share();
    await app.post(`/v1/shares/${used.id}/reveal`, { token: used.token });
    const live = await share();
    const urls = [
      used.url,
      `${app.url}/s/01900000-0000-7000-8000-000000000000#${live.token}`,
      live.url.split('#', 1)[0]!,
    ];
    for (const url of urls) {
      await page.goto(url);
      await page.getByText('This link does not work').waitFor();
      expect(await button().isVisible()).toBe(false);
    }
    await picture('gone');
    await page.goto(`${app.url}/s/${live.id}#${used.token}`);
    await button().click();
    await page.getByText('This link does not work').waitFor();
    expect(await viewsLeft(live.id)).toBe(1);
  });

  it('runs under a policy that lets in neither other hosts nor inline scripts', async () => {
    const { id } = await share();
    const { headers } = await app.get(`/s/${id}`);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
    );
    expect(policy).not.toMatch(/unsafe|http|\*/);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    await page.goto(`${app.url}/s/${id}`);
    const isRun = await page.evaluate(() => {
      const script = document.createElement('script');
      document.body.append(script);
      try {
        script.textContent = 'window.isRun = true';
      } catch {
        // Trusted types are required, and the page makes none.
      }
      return 'isRun' in window;
    });
    expect(isRun).toBe(false);
    complaints = complaints.filter((text) => !/TrustedScript|inline script/.test(text));
  });
});
