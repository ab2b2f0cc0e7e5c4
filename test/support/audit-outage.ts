import { databaseOf } from './retired-keys.js';
import { type TestApp } from './test-app.js';

/** Does something while the audit log can't be written; everything else can. */
export async function whileAuditFails<T>(app: TestApp, work: () => Promise<T>): Promise<T> {
  const { schema } = databaseOf(app).query;
  await schema.alterTable('audit_head').renameTo('audit_head_moved').execute();
  try {
    return await work();
  } finally {
    await schema.alterTable('audit_head_moved').renameTo('audit_head').execute();
  }
}
