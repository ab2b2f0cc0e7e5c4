import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import type { ClientAuthorities } from './client-authorities.js';
import type { ServerCertificate } from './server-certificate.js';

/** The names of the Mozilla server side TLS guideline 6.0. */
export type TlsProfile = 'intermediate' | 'modern';

const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

/** Forward secret and authenticated encryption only: no CBC, CCM, ARIA, DHE or RSA key exchange. */
const tls12Suites = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];

const profiles: Record<TlsProfile, Pick<ServerOptions, 'minVersion' | 'ciphers'>> = {
  intermediate: { minVersion: 'TLSv1.2', ciphers: [...tls13Suites, ...tls12Suites].join(':') },
  modern: { minVersion: 'TLSv1.3', ciphers: tls13Suites.join(':') },
};

/**
 * A hybrid of ML-KEM-768 and X25519: what is recorded today stays closed to a later quantum computer. A client
 * that can takes it.
 */
export const PREFERRED_GROUP = 'X25519MLKEM768';

const common = {
  maxVersion: 'TLSv1.3',
  // Node's default would add P-521 and others nobody needs.
  ecdhCurve: `${PREFERRED_GROUP}:X25519:prime256v1:secp384r1`,
  honorCipherOrder: true,
  // A client may otherwise make a TLS 1.2 server repeat the costly half of the handshake at will. And one that
  // puts ChaCha20 first gets it, whatever our order: a phone without AES instructions is faster that way.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
  // Node's default for https. A client that offers only other protocols gets the alert
  // no_application_protocol (RFC 7301, 3.2), so no cross-protocol bytes reach the HTTP parser.
  ALPNProtocols: ['http/1.1'],
  // Milliseconds; Node's default is 120 000. It has an effect as an option of createServer only.
  handshakeTimeout: 10_000,
} satisfies ServerOptions;

/**
 * The options of `https.createServer`, and of `setSecureContext` at a reload: pass all of them there
 * too, because what is left out falls back to Node's defaults.
 */
export function tlsOptions(
  { cert, key, passphrase }: Pick<ServerCertificate, 'cert' | 'key' | 'passphrase'>,
  { profile, clients }: { profile: TlsProfile; clients?: ClientAuthorities | undefined },
): ServerOptions {
  return {
    cert,
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...common,
    ...profiles[profile],
    ...(clients === undefined ? {} : clientOptions(clients)),
  };
}

/** Without `rejectUnauthorized` a bad certificate is let through too: `ClientConnections` refuses it. */
function clientOptions({ auth, ca, crl }: ClientAuthorities): ServerOptions {
  return {
    ca,
    ...(crl === undefined ? {} : { crl }),
    requestCert: true,
    rejectUnauthorized: auth === 'required',
  };
}
