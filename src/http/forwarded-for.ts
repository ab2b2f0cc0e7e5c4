import { type IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** An address with a port behind it, as some proxies write it: `192.0.2.7:1234`, `[2001:db8::1]:1234`. */
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/**
 * Cuts `X-Forwarded-For` down to the addresses in it. A proxy may pass on what its client sent: all that stands left
 * of something that is no address may be invented, and so may that.
 */
export function keepAddresses(headers: IncomingHttpHeaders): void {
  const field = headers['x-forwarded-for'];
  if (typeof field !== 'string') return;
  const addresses = field
    .split(',')
    .map((entry) => entry.trim())
    // Empty entries of a list are none (RFC 9110, section 5.6.1.2).
    .filter((entry) => entry !== '')
    .map(addressIn);
  const kept = addresses.slice(addresses.lastIndexOf(undefined) + 1);
  if (kept.length > 0) headers['x-forwarded-for'] = kept.join(', ');
  else delete headers['x-forwarded-for'];
}

function addressIn(entry: string): string | undefined {
  const [, ipv4, ipv6] = WITH_PORT.exec(entry) ?? [];
  const address = ipv4 ?? ipv6 ?? entry;
  // A zone says something only on the machine that wrote it.
  return isIP(address) === 0 || address.includes('%') ? undefined : address;
}
