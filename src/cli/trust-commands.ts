import { DEVELOPMENT_CA_NAME } from '../tls/development-mark.js';

/** How clients and systems come to trust a CA. Paths are absolute, so that every line works as it stands. */
export function trustCommands(caFile: string): string[] {
  const name = 'nestjs-secure-api-starter-development-ca';
  const ca = `'${caFile.replaceAll("'", String.raw`'\''`)}'`;
  return [
    'One command of one client:',
    `  curl        curl --cacert ${ca} https://localhost:3443/health/live`,
    `  Node.js     NODE_EXTRA_CA_CERTS=${ca} node client.js`,
    '',
    'Everything on this machine, until you take it back:',
    '  Linux (Debian, Ubuntu)',
    `    sudo cp ${ca} /usr/local/share/ca-certificates/${name}.crt && sudo update-ca-certificates`,
    `    sudo rm /usr/local/share/ca-certificates/${name}.crt && sudo update-ca-certificates --fresh`,
    '  Linux (Fedora, RHEL)',
    `    sudo trust anchor ${ca}`,
    `    sudo trust anchor --remove ${ca}`,
    '  macOS',
    `    sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${ca}`,
    `    sudo security remove-trusted-cert -d ${ca}`,
    '  Windows (as administrator)',
    `    certutil -addstore -f Root "${caFile}"`,
    `    certutil -delstore Root "${DEVELOPMENT_CA_NAME}"`,
    '',
    'Firefox has a store of its own, in each profile. Settings, Privacy & Security, Certificates, View',
    'Certificates, Authorities, Import; or, with certutil of NSS (libnss3-tools), and Firefox closed:',
    `    certutil -A -n ${name} -t C,, -i ${ca} -d sql:<profile directory>`,
    `    certutil -D -n ${name} -d sql:<profile directory>`,
  ];
}
