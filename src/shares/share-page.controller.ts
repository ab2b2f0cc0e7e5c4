import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../common/access.js';
import { ApiExcludeController } from '../common/openapi.js';
import { SHARE_PAGE_STYLE } from './share-page-style.js';
import { SHARE_PAGE, SHARE_PAGE_ICON } from './share-page.js';
import { SHARE_PAGE_SCRIPT } from './share-page-script.js';

/** Its own script and style sheet, calls to this server, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types',
].join('; ');

/** The page behind the link of a share, for people. */
@ApiExcludeController()
@Controller('s')
export class SharePageController {
  @Get(':id')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', POLICY)
  @Header('Cache-Control', 'no-store')
  page(): string {
    return SHARE_PAGE;
  }

  @Get('assets/page.css')
  @Public()
  @Header('Content-Type', 'text/css; charset=utf-8')
  style(): string {
    return SHARE_PAGE_STYLE;
  }

  @Get('assets/page.js')
  @Public()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return SHARE_PAGE_SCRIPT;
  }

  @Get('assets/icon.svg')
  @Public()
  @Header('Content-Type', 'image/svg+xml')
  icon(): string {
    return SHARE_PAGE_ICON;
  }
}
