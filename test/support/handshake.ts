import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { errorCode } from '../../src/common/error-code.js';

export interface Handshake {
  readonly serialNumber: string;
  readonly protocol: string | null;
  readonly suite: string;
  /** Of the key exchange; undefined where Node can't tell. */
  readonly group: string | undefined;
  readonly alpn: string | false | null;
}

/** What a handshake comes to: what both agreed on, or the code of the error. */
export async function shakeHands(url: string, options: ConnectionOptions): Promise<Handshake | string> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: Number(port), servername: 'localhost', ...options });
  try {
    await once(socket, 'secureConnect');
    const ephemeral = socket.getEphemeralKeyInfo();
    return {
      serialNumber: socket.getPeerCertificate().serialNumber,
      protocol: socket.getProtocol(),
      suite: socket.getCipher().name,
      group: ephemeral !== null && 'name' in ephemeral ? ephemeral.name : undefined,
      alpn: socket.alpnProtocol,
    };
  } catch (error) {
    return errorCode(error) ?? 'unknown';
  } finally {
    socket.destroy();
  }
}
