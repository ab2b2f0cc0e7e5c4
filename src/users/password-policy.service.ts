import { Injectable } from '@nestjs/common';
import { ValidationError } from '../common/app-error.js';
import { AppConfig } from '../config/app-config.js';
import { PasswordList } from './password-list.js';
import { passwordFault } from './password-policy.js';

/** Which passwords users may choose. */
@Injectable()
export class PasswordPolicy {
  constructor(
    private readonly list: PasswordList,
    private readonly config: AppConfig,
  ) {}

  /**
   * @param pointer the field that the password came in
   * @throws {ValidationError} when it may not be chosen
   */
  async check(password: string, email: string, pointer: string): Promise<void> {
    const detail =
      passwordFault(password, email, this.config.auth.passwordMinLength) ??
      ((await this.list.includes(password))
        ? 'must not be one that others use or that has leaked'
        : undefined);
    if (detail !== undefined) throw new ValidationError([{ pointer, detail }]);
  }
}
