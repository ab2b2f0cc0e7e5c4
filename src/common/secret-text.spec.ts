import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { SecretText } from './secret-text.js';

const secret = new SecretText('hunter2');

describe('a secret text', () => {
  it('is revealed by its method', () => {
    expect(secret.reveal()).toBe('hunter2');
  });

  it.each<[string, () => string]>([
    ['JSON', () => JSON.stringify({ secret })],
    ['a template', () => String(secret)],
    ['inspect', () => inspect({ secret }, { depth: 9, showHidden: true })],
    ['inspect without the own form', () => inspect(secret, { customInspect: false, showHidden: true })],
    ['format', () => format('%s %o %j', secret, secret, secret)],
    ['its members', () => JSON.stringify(Object.entries(secret))],
    ['a structured clone', () => JSON.stringify(structuredClone({ secret }))],
  ])('is shown by no %s', (_way, show) => {
    expect(show()).not.toContain('hunter2');
  });
});
