import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpsClient } from '../../test/support/https-client.js';
import { newCa, type TestCertificate, writePair } from '../../test/support/test-ca.js';
import { ProblemDetailsFilter } from '../common/problem-details.filter.js';
import { type ClientCertificate } from './client-certificate.js';
import { CurrentClientCertificate, RequireClientCertificate } from './client-certificate.guard.js';
import { loadServerCertificate } from './server-certificate.js';
import { tlsOptions } from './tls-options.js';

@Controller()
class PartnersController {
  @Get('partner')
  @RequireClientCertificate()
  partner(@CurrentClientCertificate() certificate: ClientCertificate): ClientCertificate {
    return certificate;
  }

  @Get('anyone')
  anyone(): string {
    return 'hello';
  }
}

@Module({ controllers: [PartnersController] })
class PartnersModule {}

let directory: string;
let ca: TestCertificate;
let nest: NestFastifyApplication;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'client-certificate-'));
  ca = await newCa();
});
afterEach(async () => {
  await nest.close();
  await rm(directory, { recursive: true });
});

async function start(auth: 'off' | 'optional'): Promise<void> {
  const files = await writePair(directory, [await ca.issue()]);
  const certificate = loadServerCertificate({ ...files, now: new Date(), production: false });
  const clients = auth === 'off' ? undefined : { auth, ca: Buffer.from(ca.pem) };
  const adapter = new FastifyAdapter({ https: tlsOptions(certificate, { profile: 'modern', clients }) });
  nest = await NestFactory.create<NestFastifyApplication>(PartnersModule, adapter, { logger: false });
  nest.useGlobalFilters(new ProblemDetailsFilter());
  await nest.listen(0, '127.0.0.1');
}

async function get(path: string, identity?: TestCertificate, headers: Record<string, string> = {}) {
  const { port } = nest.getHttpServer().address() as AddressInfo;
  const own = identity && { cert: identity.pem, key: identity.key };
  const client = new HttpsClient(`https://127.0.0.1:${port}`, ca.pem, own);
  return client.request('GET', path, { headers }).finally(() => client.close());
}

describe('RequireClientCertificate', () => {
  it('lets a client with a certificate in and tells the route who it is', async () => {
    await start('optional');
    const san = [{ type: 'url', value: 'spiffe://example.com/billing' }] as const;
    const client = await ca.issue({ name: 'CN=billing, O=Example', san: [...san] });
    const { raw } = new X509Certificate(client.pem);
    const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(raw));
    const response = await get('/partner', client);
    expect({ status: response.status, body: response.body }).toEqual({
      status: 200,
      body: {
        subject: 'CN=billing, O=Example',
        subjectAltName: 'URI:spiffe://example.com/billing',
        thumbprint: Buffer.from(digest).toString('base64url'),
      },
    });
  });

  it('refuses a client without a certificate, and no other route does', async () => {
    await start('optional');
    expect((await get('/partner')).members).toMatchObject({
      status: 403,
      code: 'ERR_CLIENT_CERTIFICATE_REQUIRED',
    });
    expect((await get('/anyone')).status).toBe(200);
  });

  it('refuses a certificate of a CA that is not ours', async () => {
    await start('optional');
    const other = await newCa('CN=Other CA');
    expect((await get('/partner', await other.issue())).status).toBe(403);
  });

  it('refuses everyone while no certificates are asked for', async () => {
    await start('off');
    expect((await get('/partner', await ca.issue())).status).toBe(403);
  });

  it('never believes a header', async () => {
    await start('optional');
    const { pem } = await ca.issue();
    const oneLine = encodeURIComponent(pem);
    const headers = {
      'x-client-cert': oneLine,
      'x-forwarded-client-cert': `Cert="${oneLine}"`,
      'x-ssl-client-verify': 'SUCCESS',
      'client-cert': `:${Buffer.from(pem).toString('base64')}:`,
    };
    expect((await get('/partner', undefined, headers)).status).toBe(403);
  });
});
