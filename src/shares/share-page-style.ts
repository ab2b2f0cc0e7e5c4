export const SHARE_PAGE_STYLE = `:root {
  --ground: #f3f4f6; --card: #fff; --text: #16181d; --soft: #5b6270; --line: #d9dce3;
  --accent: #2f54d6; --on-accent: #fff; --field: #f7f8fa; --bad: #b3261e; --good: #1b7f4b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101216; --card: #191c22; --text: #eceef2; --soft: #9aa2b1; --line: #30353f;
    --accent: #8aa4ff; --on-accent: #0d1330; --field: #12151a; --bad: #ffb4ab; --good: #7ad6a3;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1.25rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
main {
  width: 100%; max-width: 30rem; padding: 2rem 1.75rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px #0001, 0 12px 32px #0000000f;
}
svg {
  width: 2.5rem; height: 2.5rem; padding: .5rem; border-radius: .75rem; background: var(--field);
  fill: none; stroke: var(--accent); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round;
}
h1 { margin: .9rem 0 .35rem; font-size: 1.4rem; line-height: 1.25; letter-spacing: -.01em; }
p { margin: 0; color: var(--soft); }
form, section { margin-top: 1.5rem; }
label, dt { display: block; margin-bottom: .35rem; font-size: .875rem; font-weight: 600; }
input {
  width: 100%; padding: .7rem .85rem; font: inherit; color: inherit;
  background: var(--field); border: 1px solid var(--line); border-radius: .6rem;
}
#passphrase-field { margin-bottom: 1rem; }
#error { margin-bottom: 1rem; color: var(--bad); }
button { font: inherit; font-weight: 600; border-radius: .6rem; cursor: pointer; }
button[type='submit'] {
  width: 100%; padding: .8rem 1rem; color: var(--on-accent); background: var(--accent); border: 0;
}
button[disabled] { opacity: .6; cursor: progress; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
dl { margin: 0; }
dt { overflow-wrap: anywhere; }
dd { display: flex; gap: .5rem; align-items: flex-start; margin: 0 0 1.1rem; }
dd code {
  flex: 1; min-width: 0; max-height: 15rem; overflow: auto; padding: .65rem .8rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font: .95rem/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace;
  background: var(--field); border: 1px solid var(--line); border-radius: .6rem;
}
dd button {
  min-width: 4.75rem; padding: .65rem .7rem; font-size: .875rem; line-height: 1.5;
  color: var(--accent); background: none; border: 1px solid var(--line);
}
dd button.done { color: var(--good); }
#left { font-size: .9rem; }
@media (max-width: 24rem) { main { padding: 1.5rem 1.25rem; } }
`;
