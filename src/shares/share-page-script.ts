/**
 * The token is behind the # of the link, so neither a server nor a proxy has seen it until the button sends it in
 * a body. Everything is shown as text: what somebody shares can't become part of the page.
 */
export const SHARE_PAGE_SCRIPT = `'use strict';
const id = location.pathname.split('/').at(-1);
const token = location.hash.slice(1);
const find = (name) => document.getElementById(name);
const gone = 'This link does not work: it was used already, its time is over, or it is not complete.';

find('form').addEventListener('submit', (event) => {
  event.preventDefault();
  reveal();
});
// Another link to the same page, pasted over this one.
addEventListener('hashchange', () => location.reload());
look();

async function look() {
  if (token === '') return end(gone);
  try {
    const response = await fetch('/v1/shares/' + encodeURIComponent(id), { cache: 'no-store' });
    if (response.status === 404) return end(gone);
    if (!response.ok) return end(busy(response));
    const share = await response.json();
    const until = new Date(share.expiresAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    say((share.viewsLeft === 1 ? 'It can be shown once' : 'It can be shown ' + share.viewsLeft + ' more times') +
      ', until ' + until + '. Opening this page did not use it up.');
    find('passphrase-field').hidden = !share.needsPassphrase;
    find('passphrase').required = share.needsPassphrase;
    find('form').hidden = false;
    (share.needsPassphrase ? find('passphrase') : find('reveal')).focus();
  } catch {
    end('The server cannot be reached. Load the page again to try once more.');
  }
}

async function reveal() {
  const needsPassphrase = find('passphrase').required;
  find('reveal').disabled = true;
  find('error').hidden = true;
  try {
    const response = await fetch('/v1/shares/' + encodeURIComponent(id) + '/reveal', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(needsPassphrase ? { token, passphrase: find('passphrase').value } : { token }),
      cache: 'no-store',
    });
    if (response.ok) show(await response.json());
    else if (response.status !== 404 && response.status !== 400) complain(busy(response));
    else if (needsPassphrase) complain('That did not work. Check the passphrase; after some wrong ones, wait a while.');
    else end(gone);
  } catch {
    complain('The server cannot be reached. Try again.');
  } finally {
    find('reveal').disabled = false;
  }
}

function show({ data, viewsLeft }) {
  // Out of the address bar and the history: what is on the screen is enough.
  history.replaceState(null, '', location.pathname);
  find('passphrase').value = '';
  find('form').hidden = true;
  for (const [name, value] of Object.entries(data)) {
    const term = document.createElement('dt');
    term.textContent = name;
    const text = document.createElement('code');
    text.textContent = value;
    const details = document.createElement('dd');
    details.append(text, copyButton(name, value));
    find('entries').append(term, details);
  }
  say('Keep it somewhere safe before you close this page.');
  find('left').textContent = viewsLeft === 0
    ? 'The server has destroyed its copy.'
    : 'The link can be used ' + (viewsLeft === 1 ? 'once more.' : viewsLeft + ' more times.');
  find('secret').hidden = false;
}

function copyButton(name, value) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', 'Copy ' + name);
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(value);
    button.textContent = 'Copied';
    button.className = 'done';
  });
  return button;
}

function busy(response) {
  const seconds = response.headers.get('Retry-After');
  return seconds === null ? 'The server cannot answer now. Try again later.' : 'Too many tries. Wait ' + seconds + ' seconds.';
}

function say(text) {
  find('status').textContent = text;
}

function complain(text) {
  find('error').textContent = text;
  find('error').hidden = false;
}

function end(text) {
  find('form').hidden = true;
  say(text);
}
`;
