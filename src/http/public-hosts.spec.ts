import { describe, expect, it } from '@jest/globals';
import { PublicHosts } from './public-hosts.js';

const hosts = new PublicHosts(['api.example.com', '127.0.0.1', '[::1]']);

describe('PublicHosts', () => {
  it.each([
    ['api.example.com'],
    ['API.Example.com'],
    ['api.example.com:443'],
    ['api.example.com:'],
    ['127.0.0.1:3443'],
    ['[::1]'],
    ['[::1]:3443'],
  ])('includes %s, whatever its case and port', (field) => {
    expect(hosts.includes(field)).toBe(true);
    expect(hosts.includes(field)).toBe(true);
  });

  it.each([
    [''],
    ['localhost'],
    ['evil.example'],
    ['api.example.com.evil.example'],
    ['evil-api.example.com'],
    ['api.example.com.'],
    ['api.example.com:443:443'],
    ['api.example.com:443x'],
    ['api.example.com:123456'],
    ['evil.example@api.example.com'],
    ['api.example.com@evil.example'],
    ['api.example.com/'],
    ['api.example.com, evil.example'],
    ['api.example.com, api.example.com'],
    [' api.example.com'],
    ['127.1'],
    ['::1'],
    ['[::1'],
    ['[0:0:0:0:0:0:0:1]'],
  ])('does not include %j', (field) => {
    expect(hosts.includes(field)).toBe(false);
    expect(hosts.nameIn(field)).toBeUndefined();
  });

  it('names the host of a field', () => {
    expect(hosts.nameIn('API.example.com:8443')).toBe('api.example.com');
    expect(hosts.nameIn('[::1]:1')).toBe('[::1]');
  });

  it('goes on telling hosts apart when it was asked for many spellings', () => {
    for (let port = 0; port < 10_000; port += 1) hosts.includes(`127.0.0.1:${port}`);
    expect(hosts.includes('127.0.0.1:65000')).toBe(true);
    expect(hosts.includes('127.0.0.2:65000')).toBe(false);
  });
});
