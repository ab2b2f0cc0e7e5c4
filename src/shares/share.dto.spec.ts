import { describe, expect, it } from '@jest/globals';
import { CreatedShareResponse } from './share.dto.js';

describe('the link of a share', () => {
  it.each(['https://api.example.test', 'https://api.example.test/', 'https://api.example.test/issuer/'])(
    'is on the host of %s, where its page is',
    (issuer) => {
      const share = { id: '0190', token: 'shr_1', views: 1, expiresAt: new Date() };
      expect(new CreatedShareResponse(share, issuer).url).toBe('https://api.example.test/s/0190#shr_1');
    },
  );
});
