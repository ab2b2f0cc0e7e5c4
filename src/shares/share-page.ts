/** The page of every share's link: the same bytes whatever the id, so serving it tells and uses up nothing. */
export const SHARE_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>A secret for you</title>
    <link rel="icon" type="image/svg+xml" href="/s/assets/icon.svg">
    <link rel="stylesheet" href="/s/assets/page.css">
    <script src="/s/assets/page.js" defer></script>
  </head>
  <body>
    <main>
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 10V7a5 5 0 0 1 10 0v3"/><rect x="4.5" y="10" width="15" height="10.5" rx="2.5"/><path d="M12 14.2v2.4"/></svg>
      <h1>A secret for you</h1>
      <p id="status" role="status">One moment …</p>
      <noscript><p>This page needs JavaScript to ask for the secret.</p></noscript>
      <form id="form" hidden>
        <div id="passphrase-field" hidden>
          <label for="passphrase">Passphrase</label>
          <input id="passphrase" type="password" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="200">
        </div>
        <p id="error" role="alert" hidden></p>
        <button id="reveal" type="submit">Show the secret</button>
      </form>
      <section id="secret" aria-label="The secret" hidden>
        <dl id="entries"></dl>
        <p id="left"></p>
      </section>
    </main>
  </body>
</html>
`;

export const SHARE_PAGE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2f54d6" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M7 10V7a5 5 0 0 1 10 0v3"/><rect x="4.5" y="10" width="15" height="10.5" rx="2.5"/><path d="M12 14.2v2.4"/></svg>
`;
