import { IsString, Length } from 'class-validator';
import { ApiProperty } from '../common/openapi.js';

/** Above a recovery code with its hyphens. */
export const MAX_CODE_LENGTH = 64;

export class CodeBody {
  @ApiProperty({
    minLength: 1,
    maxLength: MAX_CODE_LENGTH,
    description: 'six digits of the app, or a recovery code where a factor is active',
  })
  @Length(1, MAX_CODE_LENGTH)
  @IsString()
  readonly code!: string;
}

export class TotpResponse {
  @ApiProperty({ description: 'the seed in base32, to type into an app' })
  readonly secret: string;

  @ApiProperty({ description: 'the same as an `otpauth` URI, to show as a QR code' })
  readonly uri: string;

  constructor({ secret, uri }: { readonly secret: string; readonly uri: string }) {
    this.secret = secret;
    this.uri = uri;
  }
}

export class RecoveryCodesResponse {
  @ApiProperty({ type: [String], description: 'each lets you in once without the app; shown this once' })
  readonly recoveryCodes: readonly string[];

  constructor(codes: readonly string[]) {
    this.recoveryCodes = codes;
  }
}
