import { isEmail } from 'class-validator';
import { Command } from 'commander';
import { AuditService } from '../audit/audit.service.js';
import { ValidationError } from '../common/app-error.js';
import { StartError } from '../common/start-error.js';
import { PasswordList } from '../users/password-list.js';
import { UsersModule } from '../users/users.module.js';
import { UsersService } from '../users/users.service.js';
import { withModule } from './application-context.js';
import { readPassword } from './read-password.js';

export function usersCommand(): Command {
  return new Command('users')
    .description('the accounts')
    .addCommand(
      new Command('create-admin')
        .description('add an administrator; the password is asked for, or read from standard input')
        .requiredOption('--email <address>', 'their e-mail address')
        .action(createAdmin),
    );
}

async function createAdmin({ email }: { readonly email: string }): Promise<void> {
  if (!isEmail(email, { allow_utf8_local_part: true }))
    throw new StartError('--email must be an e-mail address');
  const password = await readPassword();
  await withModule(UsersModule, async (context) => {
    await context.get(PasswordList).check();
    const audit = context.get(AuditService, { strict: false });
    const { id } = await context
      .get(UsersService)
      .create(email, password, ['user', 'admin'], (ownerId) =>
        audit.record({
          actor: 'system',
          ownerId,
          action: 'auth.register',
          target: `user:${ownerId}`,
          value: email,
          outcome: 'success',
        }),
      )
      .catch(nameFields);
    process.stdout.write(`created administrator ${id}\n`);
  });
}

/** The terminal shows only the message, so the bad fields must be in it. */
function nameFields(error: unknown): never {
  if (!(error instanceof ValidationError)) throw error;
  throw new StartError(error.errors.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join(', '));
}
