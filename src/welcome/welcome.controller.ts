import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../common/access.js';
import { NotFoundError } from '../common/app-error.js';
import { APP_NAME } from '../common/app-name.js';
import { AppConfig } from '../config/app-config.js';
import { ApiExcludeController } from '../common/openapi.js';
import { curlCommand } from '../tls/curl-command.js';
import { ServedCertificate } from '../tls/served-certificate.js';

/** A page for people who open the address in a browser; production has none. */
@ApiExcludeController()
@Controller()
export class WelcomeController {
  constructor(
    private readonly config: AppConfig,
    private readonly served: ServedCertificate,
  ) {}

  @Get()
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  welcome(): string {
    if (this.config.isProduction) throw new NotFoundError();
    return page(this.config, this.served.current.notAfter);
  }
}

/** Without a style sheet or script of its own: the policy of every response forbids both. */
function page({ auth, server, tls }: AppConfig, certificateExpiry: Date): string {
  const curl = escaped(`${curlCommand(tls)} ${new URL(auth.issuer).origin}`);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${APP_NAME}</title>
  </head>
  <body>
    <h1>${APP_NAME}</h1>
    <p>The API runs. ${server.docsEnabled ? 'Read about it and try it at <a href="/docs">/docs</a>, or with' : 'Try it with'} curl:</p>
    <pre>
${curl}/v1/auth/register -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"maple otter drifts at noon"}'
${curl}/v1/auth/login -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"maple otter drifts at noon"}'
${curl}/v1/users/me -H 'Authorization: Bearer &lt;accessToken&gt;'
    </pre>
    <p>The certificate expires on ${certificateExpiry.toISOString().slice(0, 10)}. The README has the whole walk.</p>
  </body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
