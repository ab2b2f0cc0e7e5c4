import { Injectable } from '@nestjs/common';
import { ValidationError } from '../common/app-error.js';
import { APP_NAME } from '../common/app-name.js';
import { AppConfig } from '../config/app-config.js';
import { PasswordList } from './password-list.js';
import { guesses, MIN_LENGTH_ALONE, passwordFault } from './password-policy.js';

/** Which passwords users may choose. */
@Injectable()
export class PasswordPolicy {
  constructor(
    private readonly list: PasswordList,
    private readonly config: AppConfig,
  ) {}

  /**
   * @param pointer the field that the password came in
   * @param hasSecondFactor - whether a login needs one as well: then the password may be shorter
   * @throws {ValidationError} when it may not be chosen
   */
  async check(password: string, email: string, pointer: string, hasSecondFactor = false): Promise<void> {
    const { passwordMinLength, issuer } = this.config.auth;
    const context = { email, names: [new URL(issuer).hostname, APP_NAME] };
    const minLength = hasSecondFactor ? passwordMinLength : Math.max(passwordMinLength, MIN_LENGTH_ALONE);
    const detail =
      passwordFault(password, context, minLength) ??
      ((await this.list.includesAny(guesses(password, context)))
        ? 'must not be one that others use or that has leaked'
        : undefined);
    if (detail !== undefined) throw new ValidationError([{ pointer, detail }]);
  }
}
