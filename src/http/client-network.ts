/** IPv4 in IPv6 (RFC 4291, section 2.5.5.2), as a socket that listens on both tells an IPv4 client's address. */
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const NETWORK_GROUPS = 4;
/** The network of nearly every client as the system writes it (RFC 5952), which needs no parsing. */
const WRITTEN_OUT = /^(?:(?:0|[1-9a-f][\da-f]{0,3}):){4}/;

/**
 * Whom an address is counted for: an IPv4 address for itself, an IPv6 address for its /64, of which one
 * subscriber has all the addresses there are (RFC 6177).
 */
export function clientNetwork(address: string): string {
  if (!address.includes(':')) return address;
  const [writtenOut] = WRITTEN_OUT.exec(address) ?? [];
  if (writtenOut !== undefined) return `${writtenOut}:/64`;
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('::', 2);
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(0, zeros)).fill('0'), ...last];
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}
