import { Matches, MaxLength } from 'class-validator';
import { ApiProperty } from '../common/openapi.js';
import { sealingSuites } from '../crypto/sealing-suites.js';
import { type RecipientKey } from '../keys/public-keys.service.js';

/** Above the 1622 characters of the longest key, so that its length can be named. */
const MAX_PUBLIC_KEY_LENGTH = 4_096;

export class PublicKeyBody {
  @ApiProperty({
    maxLength: MAX_PUBLIC_KEY_LENGTH,
    description: 'as HPKE serialises it (RFC 9180, section 7.1.1), in base64url; its length tells the kind',
  })
  @MaxLength(MAX_PUBLIC_KEY_LENGTH)
  @Matches(/^[A-Za-z0-9+/_-]+={0,2}$/, { message: 'publicKey must be base64url' })
  readonly publicKey!: string;
}

export class PublicKeyResponse {
  @ApiProperty({ enum: Object.keys(sealingSuites) })
  readonly kem: string;

  @ApiProperty({ description: 'base64url' })
  readonly publicKey: string;

  @ApiProperty({ enum: ['server', 'client'], description: 'who has the private key' })
  readonly holder: string;

  constructor({ publicKey, holder }: RecipientKey) {
    this.kem = publicKey.kem;
    this.publicKey = publicKey.bytes.toString('base64url');
    this.holder = holder;
  }
}
