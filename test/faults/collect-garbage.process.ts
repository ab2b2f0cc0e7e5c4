/** Loaded before a server: what is in its memory at any time is in use, but for a moment's garbage. */
const INTERVAL_MS = 250;

setInterval(() => globalThis.gc?.(), INTERVAL_MS).unref();
