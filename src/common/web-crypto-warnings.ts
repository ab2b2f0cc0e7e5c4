const WARNING = /\bWeb Crypto API (method|algorithm) is an experimental feature\b/;

/**
 * Keeps Node from writing on standard error, once each, that parts of WebCrypto are experimental: the operator can do
 * nothing about what a dependency uses, and programs read what is written there. Every other warning is written.
 */
export function hideWebCryptoWarnings(): void {
  // Node's own is among them, unless it was told to write none.
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && WARNING.test(warning.message)) return;
    for (const listener of listeners) listener(warning);
  });
}
